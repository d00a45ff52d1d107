"""Message processing of v1 and v2c: a version, a community, a PDU (RFC 1157, RFC 1901)."""

from typing import Any, Literal

from netvitals.collectors.snmp.wire import ber
from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.domain.settings.secret import Secret

_VERSIONS = {"1": b"\x02\x01\x00", "2c": b"\x02\x01\x01"}


class CommunitySecurity:
    """The `Security` of a community; every answer must carry the same version and community."""

    def __init__(self, version: Literal["1", "2c"], community: Secret) -> None:
        self.supports_bulk = version != "1"
        self._head = _VERSIONS[version] + ber.tlv(ber.OCTET_STRING, community.reveal().encode())

    def wrap(self, pdu: bytes, message_id: int) -> bytes:  # noqa: ARG002, v1 and v2c have no message id
        return ber.tlv(ber.SEQUENCE, self._head + pdu)

    def unwrap(self, datagram: bytes, message_id: int) -> bytes:  # noqa: ARG002, as above
        start, end = ber.read_as(ber.SEQUENCE, datagram, 0)
        if not datagram.startswith(self._head, start):
            raise Malformed("an answer with another version or community")
        return datagram[start + len(self._head) : end]

    def silence(self) -> None:
        return None

    def remember(self) -> dict[str, Any]:
        return {}
