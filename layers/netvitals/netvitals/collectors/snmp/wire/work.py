"""Define the requests that a session carries out, and the interface that decides on the next one."""

from collections.abc import Sequence
from typing import Protocol

from netvitals.collectors.snmp.wire.faults import SnmpFault
from netvitals.collectors.snmp.wire.pdu import Pdu


class Request:
    """Names objects to ask for; `tries` is how often the request is sent before it has failed."""

    __slots__ = ("names", "repetitions", "tag", "tries")

    def __init__(self, tag: int, names: Sequence[bytes], tries: int, repetitions: int = 0) -> None:
        self.tag = tag
        self.names = names
        self.tries = tries
        self.repetitions = repetitions


class Work[R: Request](Protocol):
    """Decides what to ask next by what was answered: work that takes several requests."""

    def next_request(self) -> R | None:
        """Return what to ask now; None while there is nothing, until another is answered or fails."""
        ...

    def answered(self, request: R, answer: Pdu, time_ns: int, rtt_ms: float) -> None:
        """Take an answer, which may be an error-status."""
        ...

    def failed(self, request: R, fault: SnmpFault) -> None:
        """Note that the request has failed, with its fault."""
        ...
