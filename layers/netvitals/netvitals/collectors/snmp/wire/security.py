"""Carry a PDU in a datagram: under a community (v1, v2c), here, or for a user (v3), in `v3`."""

from typing import Any, Literal, Protocol

from netvitals.collectors.snmp.wire.decode import read_as
from netvitals.collectors.snmp.wire.encode import tlv
from netvitals.collectors.snmp.wire.faults import Malformed, SnmpFault
from netvitals.collectors.snmp.wire.pdu import OCTET_STRING, SEQUENCE
from netvitals.domain.settings.secret import Secret


class Security(Protocol):
    """Wraps and unwraps the messages of one device, without input or output of its own.

    A session wraps a PDU whose request-id is `message_id`, sends what comes out, and unwraps what comes
    back under that id. An implementation that must first learn something from the agent (v3: engine id,
    boots and time) returns the datagram that asks for it from `wrap`, learns from the answer in
    `unwrap`, and raises `Resend` there; the session then wraps the same PDU again, a few times at most.
    """

    supports_bulk: bool
    """True for all versions but v1, which has no GETBULK."""

    def wrap(self, pdu: bytes, message_id: int) -> bytes:
        """Return the datagram that carries the PDU; `message_id` has 31 bits and is the PDU's request-id.

        Raises:
            SnmpFault: it can't be made, such as for a protocol that is not implemented here.
        """
        ...

    def unwrap(self, datagram: bytes, message_id: int) -> bytes:
        """Return the PDU in an answer: exactly its octets, checked to come from whom we asked.

        Raises:
            Malformed: it is no answer from whom we asked: dropped and counted, the wait goes on.
            Resend: the answer holds what was missing.
            SnmpFault: the agent refused, and asking again is of no use.
        """
        ...

    def silence(self) -> SnmpFault | None:
        """Return what an unanswered request means, where it means more than just that."""
        ...

    def remember(self) -> dict[str, Any]:
        """Return changes for device memory: what the next poll need not learn again."""
        ...


_VERSIONS = {"1": b"\x02\x01\x00", "2c": b"\x02\x01\x01"}


class CommunitySecurity:
    """Implements `Security` for a community (RFC 1157, RFC 1901), which answers must carry as well."""

    def __init__(self, version: Literal["1", "2c"], community: Secret) -> None:
        self.supports_bulk = version != "1"
        self._head = _VERSIONS[version] + tlv(OCTET_STRING, community.reveal().encode())

    def wrap(self, pdu: bytes, message_id: int) -> bytes:  # noqa: ARG002, v1 and v2c have no message id
        return tlv(SEQUENCE, self._head + pdu)

    def unwrap(self, datagram: bytes, message_id: int) -> bytes:  # noqa: ARG002, as above
        start, end = read_as(SEQUENCE, datagram, 0)
        if not datagram.startswith(self._head, start):
            raise Malformed("an answer with another version or community")
        return datagram[start + len(self._head) : end]

    def silence(self) -> SnmpFault | None:
        return None

    def remember(self) -> dict[str, Any]:
        return {}
