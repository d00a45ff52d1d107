"""What stands between a PDU and a datagram: a community (v1, v2c) or a user (v3)."""

from typing import Any, Protocol

from netvitals.collectors.snmp.wire import ber
from netvitals.collectors.snmp.wire.faults import SnmpFault


class Security(Protocol):
    """One device's message processing; it does no input or output of its own.

    A session wraps a PDU whose request-id is `message_id`, sends what comes out, and unwraps what comes
    back under that id. An implementation that must first learn something from the agent (v3: engine id,
    boots and time) returns the datagram that asks for it from `wrap`, learns from the answer in
    `unwrap`, and raises `Resend` there; the session then wraps the same PDU again, a few times at most.
    """

    supports_bulk: bool
    """False for v1, which has no GETBULK."""

    def wrap(self, pdu: bytes, message_id: int) -> bytes:
        """The datagram that carries the PDU; `message_id` has 31 bits and is the PDU's request-id.

        Raises:
            SnmpFault: it can't be made, such as for a protocol that nobody here can encrypt with.
        """
        ...

    def unwrap(self, datagram: bytes, message_id: int) -> bytes:
        """The PDU in an answer: exactly its octets, checked to come from whom we asked.

        Raises:
            Malformed: it is no answer from whom we asked: dropped and counted, the wait goes on.
            Resend: the agent has told what was missing.
            SnmpFault: the agent refused, and asking again is of no use.
        """
        ...

    def silence(self) -> SnmpFault | None:
        """What it means that the agent has left a request unanswered, where it means more than just that."""
        ...

    def remember(self) -> dict[str, Any]:
        """Changes for device memory: what the next poll need not learn again."""
        ...


_V3 = 3


def message_id(datagram: bytes) -> int:
    """The number that an answer is filed under: msgID in v3, the PDU's request-id in v1 and v2c.

    Raises:
        Malformed: there is none.
    """
    start, _ = ber.read_as(ber.SEQUENCE, datagram, 0)
    version, start = ber.read_integer(datagram, start)
    if version == _V3:
        start, _ = ber.read_as(ber.SEQUENCE, datagram, start)
    else:
        _, start = ber.read_as(ber.OCTET_STRING, datagram, start)
        _, start, _ = ber.read(datagram, start)
    return ber.read_integer(datagram, start)[0]
