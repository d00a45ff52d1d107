"""Carry a PDU in a version 3 datagram: discovery, time windows, reports (RFC 3412, 7; RFC 3414, 3 and 4)."""

import time
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, NoReturn

import msgspec

from netvitals.collectors.snmp.protocol import ENGINE_MEMORY, SnmpCredential
from netvitals.collectors.snmp.wire import message, pdu
from netvitals.collectors.snmp.wire.engines import Engine, EngineCache, Peer, differs, engine_of
from netvitals.collectors.snmp.wire.faults import AuthFault, Malformed, Resend, SnmpFault, Unproven
from netvitals.collectors.snmp.wire.message import V3Message
from netvitals.collectors.snmp.wire.reports import (
    DECRYPTION_ERROR,
    NOT_IN_TIME_WINDOW,
    UNKNOWN_ENGINE,
    fault_of_report,
    report_oid,
)
from netvitals.collectors.snmp.wire.usm import AUTH, PRIV, DecryptionFailed, LocalKeys, local_keys

_MAX_SYNCHRONISATIONS = 2
"""Times that a request takes over the engine's clock: once, and once more where a report answers an earlier
copy."""

_REPORT = bytes((pdu.REPORT,))

known_engines = EngineCache()


class _Sent:
    """Counts the copies of a request, and names the engine that they were sent to."""

    __slots__ = ("copies", "engine_id", "synchronisations")

    def __init__(self) -> None:
        self.copies = 0
        self.engine_id = b""
        """Engine id in the request; empty for a discovery."""
        self.synchronisations = 0


class UserSecurity:
    """Implements `Security` for a version 3 user towards one device.

    What an engine reports without authentication is used in here only: it is neither put into the cache
    nor into device memory until an answer of the level that was asked for has proven it.
    """

    supports_bulk = True

    def __init__(
        self,
        credential: SnmpCredential,
        address: str,
        port: int,
        memory: Any = None,
        *,
        cache: EngineCache = known_engines,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take over what is known of the engine; `memory`, of device memory, may be anything."""
        self._credential = credential
        self._user = (credential.user or "").encode()
        self._context = credential.context.encode()
        self._peer: Peer = (credential, address, port)
        self._memory = memory
        self._cache = cache
        self._clock = clock
        self._engine: Engine | None = None
        self._keys = LocalKeys(None, b"", None)
        self._sent: dict[int, _Sent] = {}
        self._heard = self._proven = self._silent = False
        self._trusted = False
        """True after the engine has proven itself, in this poll or an earlier one."""
        engine = cache.get(self._peer) or engine_of(memory, clock())
        if engine is not None:
            self._adopt(engine)
            self._trusted = True

    def remember(self) -> dict[str, Any]:
        """Return changes for device memory: the engine, where it is proven and not known there already.

        An engine that has been silent is forgotten: the next device at this address may have another id.
        """
        if self._silent and not self._heard and self._memory is not None:
            return {ENGINE_MEMORY: None}
        if self._engine is None or not self._proven or not differs(self._memory, self._engine):
            return {}
        return {ENGINE_MEMORY: msgspec.to_builtins(self._engine.remembered())}

    def wrap(self, pdu: bytes, message_id: int) -> bytes:
        sent = self._sent.setdefault(message_id, _Sent())
        sent.copies += 1
        # Hardware that was replaced may drop a message for the old engine id without an answer.
        doubtful = sent.copies > 1 and not self._heard
        if self._engine is None or doubtful:
            sent.engine_id = b""
            return message.discovery(message_id)
        sent.engine_id = self._engine.id
        return self._secured(self._engine, self._keys, pdu, message_id)

    def _secured(self, engine: Engine, keys: LocalKeys, pdu: bytes, message_id: int) -> bytes:
        boots, seconds = (engine.boots, engine.time(self._clock())) if keys.flags else (0, 0)
        data = message.scoped(engine.id, self._context, pdu)
        salt = b""
        if keys.privacy is not None:
            encrypted, salt = keys.privacy.encrypt(boots, seconds, data)
            data = message.octets(encrypted)
        parameters = message.parameters(engine.id, boots, seconds, self._user, bytes(keys.mac_bytes), salt)
        whole = message.encode(message_id, keys.flags, parameters, data)
        if not keys.mac_bytes:
            return whole
        mac_at = len(whole) - len(data) - len(message.octets(salt)) - keys.mac_bytes
        return message.with_mac(whole, mac_at, keys.mac(whole))

    def unwrap(self, datagram: bytes, message_id: int) -> bytes:
        answer = message.decode(datagram)
        if answer.id != message_id:
            raise Malformed("an answer to another message")
        if self._engine is None:
            self._discover(answer)
        authentic = self._authenticate(datagram, answer, self._engine)
        context, contained = self._content(answer)
        if contained.startswith(_REPORT):
            self._heed(report_oid(contained), answer, self._engine, authentic=authentic)
        if answer.flags & (AUTH | PRIV) != self._keys.flags or answer.engine_id != self._engine.id:
            raise Malformed("an SNMPv3 answer of another engine, or with less security than was asked for")
        if answer.user != self._user or context != self._context:
            raise Malformed("an SNMPv3 answer to another user or in another context")
        if authentic and not self._engine.accepts(answer.boots, answer.time, self._clock()):
            raise Malformed("an SNMPv3 answer from outside the time window")
        self._prove(self._engine, message_id)
        return contained

    def silence(self) -> SnmpFault | None:
        if not self._heard:
            self._silent = True
            self._cache.drop(self._peer)
            return None
        if self._proven:
            return None
        causes = {
            "another priv_key or priv protocol": self._credential.priv,
            "a context that it does not have": self._credential.context,
        }
        likely = " or ".join(cause for cause, possible in causes.items() if possible)
        return AuthFault(
            f"{self._peer[1]}: tells its SNMPv3 engine id, but leaves requests of user "
            f"{self._credential.user!r} unanswered, mostly for {likely or 'lack of access'}; "
            "compare the credential with the user on the device"
        )

    def _discover(self, answer: V3Message) -> NoReturn:
        """Learn from the report that a discovery brings (RFC 3414, 4), whichever counter it names."""
        _, contained = message.unscope(answer.data)
        if not contained.startswith(_REPORT):
            raise Malformed("an SNMPv3 answer where a report belongs")
        oid = report_oid(contained)
        self._heard = True
        if not answer.engine_id:
            raise self._refusal(oid)
        self._adopt(self._told(answer))
        raise Resend

    def _told(self, answer: V3Message) -> Engine:
        return Engine(answer.engine_id, answer.boots, answer.time, self._clock())

    def _adopt(self, engine: Engine) -> None:
        self._engine = engine
        self._keys = local_keys(self._credential, engine.id)
        self._proven = self._trusted = False

    def _heed(self, oid: str, answer: V3Message, engine: Engine, *, authentic: bool) -> NoReturn:
        """Raise what a report asks for: that we synchronise and send again, or give up.

        Whoever sees a request can report on it without a key. To an authenticated request, such a report
        counts only where the timeout brings no authentic answer.
        """
        sent = self._sent.get(answer.id) or _Sent()
        if oid == UNKNOWN_ENGINE:
            if not answer.engine_id or answer.engine_id == sent.engine_id:
                raise Malformed("a report of the engine id that it was sent to as unknown")
            if sent.engine_id and self._keys.mac_bytes and self._trusted:
                raise Unproven("a report of an unknown engine id that is not authenticated")
            self._heard = True
            self._adopt(self._told(answer))
            raise Resend
        if answer.engine_id != engine.id:
            raise Malformed("an SNMPv3 report of another engine")
        if oid == NOT_IN_TIME_WINDOW and self._keys.mac_bytes:
            self._synchronise(answer, engine, sent, authentic=authentic)
        refusal = self._refusal(oid)
        if self._keys.mac_bytes and not authentic:
            raise Unproven(str(refusal), refusal)
        self._heard = True
        raise refusal

    def _synchronise(self, answer: V3Message, engine: Engine, sent: _Sent, *, authentic: bool) -> None:
        """Take over the engine's clock, even where it was set back: some agents forget their boots.

        RFC 3414 lets a clock only go forward, against old messages that are played again; an old one
        would have to carry the random id of the request that we have just sent.
        """
        if not authentic:
            raise Malformed("a report of the time window that is not authenticated")
        self._heard = True
        sent.synchronisations += 1
        if sent.synchronisations <= _MAX_SYNCHRONISATIONS:
            engine.set(answer.boots, answer.time, self._clock())
            raise Resend

    def _refusal(self, oid: str) -> SnmpFault:
        return fault_of_report(oid, self._credential, self._peer[1])

    def _prove(self, engine: Engine, message_id: int) -> None:
        self._sent.pop(message_id, None)
        if not self._proven:
            self._heard = self._proven = self._trusted = True
            self._cache.put(self._peer, engine)

    def _authenticate(self, datagram: bytes, answer: V3Message, engine: Engine) -> bool:
        """Return whether the answer is authentic; one that claims to be and is not is no answer at all."""
        if not answer.flags & AUTH:
            return False
        keys = self._keys
        if not keys.mac_bytes or answer.engine_id != engine.id or answer.user != self._user:
            raise Malformed("an SNMPv3 answer authenticated by another user or engine")
        unsigned = message.with_mac(datagram, answer.mac_at, bytes(len(answer.mac)))
        if not compare_digest(keys.mac(unsigned), answer.mac):
            raise Malformed("an SNMPv3 answer whose digest is wrong")
        return True

    def _content(self, answer: V3Message) -> tuple[bytes, bytes]:
        """Return context and PDU of an answer."""
        if not answer.flags & PRIV:
            return message.unscope(answer.data)
        if self._keys.privacy is None or not answer.flags & AUTH:
            raise Malformed("an SNMPv3 answer that is encrypted without need")
        try:
            plain = self._keys.privacy.decrypt(answer.boots, answer.time, answer.salt, answer.data)
            return message.unscope(plain)
        except (DecryptionFailed, Malformed):
            # Its digest is right, so it is the agent's: the keys to it differ.
            raise self._refusal(DECRYPTION_ERROR) from None
