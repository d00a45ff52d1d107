"""A simulated device that speaks SNMPv3 to one user, and reports what it does not take (RFC 3414, 3.2)."""

import time
from collections.abc import Callable, Iterable, Mapping
from hmac import compare_digest

from local.devices.snmp_agent import Agent
from local.devices.snmp_mib import Mib, Object
from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.snmp.wire import message
from netvitals.collectors.snmp.wire.decode import read_as
from netvitals.collectors.snmp.wire.encode import encode_oid, integer, tlv
from netvitals.collectors.snmp.wire.engines import TIME_WINDOW_SECONDS
from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.collectors.snmp.wire.message import V3Message
from netvitals.collectors.snmp.wire.reports import DECRYPTION_ERROR, NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE
from netvitals.collectors.snmp.wire.usm import AUTH, PRIV, local_keys

REPORT = 0xA8
UNSUPPORTED_LEVEL = "1.3.6.1.6.3.15.1.1.1"
UNKNOWN_USER = "1.3.6.1.6.3.15.1.1.3"
WRONG_DIGEST = "1.3.6.1.6.3.15.1.1.5"
UNKNOWN_CONTEXT = "1.3.6.1.6.3.12.1.5"
_COMMUNITY = b"inside"
_V2C_HEAD = b"\x02\x01\x01" + tlv(0x04, _COMMUNITY)


class V3Agent(Agent):
    """SNMPv3 agent, else as `Agent`; `engine_id`, `boots` and `booted_at` may change at any time."""

    def __init__(
        self,
        objects: Mapping[str, Object] | Mib,
        user: SnmpCredential,
        *,
        engine_id: bytes = bytes.fromhex("80001f8804") + b"simulated",
        boots: int = 1,
        uptime: int = 1000,
        contexts: Iterable[str] = ("",),
        clock: Callable[[], float] = time.time,
        delay: float = 0.0,
    ) -> None:
        super().__init__(objects, community=_COMMUNITY.decode(), delay=delay)
        self.user = user
        self.engine_id = engine_id
        self.boots = boots
        self.booted_at = clock() - uptime
        self.contexts = {context.encode() for context in contexts}
        self._clock = clock

    @property
    def time(self) -> int:
        return int(self._clock() - self.booted_at)

    def receive(self, datagram: bytes) -> list[bytes]:
        try:
            query = message.decode(datagram)
        except Malformed:
            return []
        refusal = self.refusal(datagram, query)
        if refusal:
            return [self.report(query, refusal)]
        try:
            context, contained = self.content(query)
        except Malformed:
            return [self.report(query, DECRYPTION_ERROR)]
        if context not in self.contexts:
            return [self.report(query, UNKNOWN_CONTEXT)]
        answers = super().receive(tlv(0x30, _V2C_HEAD + contained))
        return [self.secured(query, context, self._pdu(answer)) for answer in answers]

    @staticmethod
    def _pdu(answer: bytes) -> bytes:
        start, end = read_as(0x30, answer, 0)
        return answer[start + len(_V2C_HEAD) : end]

    def refusal(self, datagram: bytes, query: V3Message) -> str | None:  # noqa: PLR0911, one way out per counter
        """Return the usmStats counter to report for this message; None where it is accepted."""
        keys = local_keys(self.user, self.engine_id)
        if query.engine_id != self.engine_id:
            return UNKNOWN_ENGINE
        if query.user != (self.user.user or "").encode():
            return UNKNOWN_USER
        if query.flags & (AUTH | PRIV) != keys.flags:
            return UNSUPPORTED_LEVEL
        if not keys.mac_bytes:
            return None
        unsigned = message.with_mac(datagram, query.mac_at, bytes(len(query.mac)))
        if not compare_digest(keys.mac(unsigned), query.mac):
            return WRONG_DIGEST
        if query.boots != self.boots or abs(query.time - self.time) > TIME_WINDOW_SECONDS:
            return NOT_IN_TIME_WINDOW
        return None

    def content(self, query: V3Message) -> tuple[bytes, bytes]:
        privacy = local_keys(self.user, self.engine_id).privacy
        if privacy is None:
            return message.unscope(query.data)
        return message.unscope(privacy.decrypt(query.boots, query.time, query.salt, query.data))

    def report(self, query: V3Message, oid: str) -> bytes:
        """A report, which is authenticated where it says the time."""
        name = tlv(0x06, encode_oid(f"{oid}.0"))
        varbinds = tlv(0x30, tlv(0x30, name + b"\x41\x01\x01"))
        contained = tlv(REPORT, integer(query.id) + b"\x02\x01\x00\x02\x01\x00" + varbinds)
        return self.secured(query, b"", contained, AUTH if oid == NOT_IN_TIME_WINDOW else 0)

    def secured(self, query: V3Message, context: bytes, contained: bytes, flags: int | None = None) -> bytes:
        """The message that carries this PDU back to the querier, at the level of these flags."""
        keys = local_keys(self.user, self.engine_id)
        flags = keys.flags if flags is None else flags & keys.flags
        data, salt, now = message.scoped(self.engine_id, context, contained), b"", self.time
        if flags & PRIV and keys.privacy:
            encrypted, salt = keys.privacy.encrypt(self.boots, now, data)
            data = message.octets(encrypted)
        mac = bytes(keys.mac_bytes if flags & AUTH else 0)
        security = message.parameters(self.engine_id, self.boots, now, query.user, mac, salt)
        whole = message.encode(query.id, flags, security, data)
        if not mac:
            return whole
        return message.with_mac(whole, message.decode(whole).mac_at, keys.mac(whole))
