"""Get any number of objects: split to fit, and without those that the agent refuses."""

from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import batched

from netvitals.collectors.snmp.tables import Tables
from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.encode import encode_oid
from netvitals.collectors.snmp.wire.faults import AuthFault, ProtocolFault, SnmpFault
from netvitals.collectors.snmp.wire.pdu import Absent, Pdu
from netvitals.collectors.snmp.wire.work import Request

OIDS_PER_REQUEST = 40
"""Objects in one request: with so many, it and its answer fit an Ethernet frame unless values are long
texts."""


class GetWork:
    """Decides what a GET asks next: a `Work`; `tables` fills as answers come."""

    def __init__(self, oids: Sequence[str], tries: int) -> None:
        self.tables = Tables()
        self.rtt_ms = 0.0
        self.answers = 0
        self.fault: SnmpFault | None = None
        self._tries = tries
        self._oids = _known_names(tuple(oids)) if len(oids) <= OIDS_PER_REQUEST else _names(oids)
        self._todo = deque(batched(self._oids, OIDS_PER_REQUEST, strict=False))

    @property
    def unasked(self) -> bool:
        return bool(self._todo)

    def next_request(self) -> Request | None:
        return Request(pdu.GET, self._todo.popleft(), self._tries) if self._todo else None

    def answered(self, request: Request, answer: Pdu, time_ns: int, rtt_ms: float) -> None:
        if not self.answers:
            self.rtt_ms = rtt_ms
        self.answers += 1
        if answer.error_status:
            self._refused(request.names, answer)
            return
        objects, oids = self.tables.objects, self._oids
        for name, value in zip(answer.names, answer.values, strict=True):
            oid = oids.get(name)
            if oid is not None and not isinstance(value, Absent):
                objects[oid] = (value, time_ns)

    def failed(self, request: Request, fault: SnmpFault) -> None:  # noqa: ARG002, `Work`
        """Give up the rest as well: one request had no answer in all its tries."""
        self.fault = fault
        self._todo.clear()

    def _refused(self, names: Sequence[bytes], answer: Pdu) -> None:
        """Ask again without the object that the error is about, or in halves where none is named."""
        status, culprit = answer.error_status, answer.error_index - 1
        if status != pdu.TOO_BIG and 0 <= culprit < len(names):
            self._blame(names[culprit], status)
            rest = (*names[:culprit], *names[culprit + 1 :])
            if rest:
                self._todo.append(rest)
        elif len(names) > 1:
            half = len(names) // 2
            self._todo.extend((tuple(names[:half]), tuple(names[half:])))
        else:
            self._blame(names[0], status)

    def _blame(self, name: bytes, status: int) -> None:
        if status != pdu.NO_SUCH_NAME:  # v1's way to say noSuchObject
            self.fault = refusal(self._oids[name], status)


def _names(oids: Sequence[str]) -> dict[bytes, str]:
    """Return the objects by their encoded names."""
    return {encode_oid(oid): oid for oid in oids}


@lru_cache(maxsize=512)
def _known_names(oids: tuple[str, ...]) -> Mapping[bytes, str]:
    """Return what `_names` returns, and keep it: many devices are asked the same."""
    return _names(oids)


def refusal(oid: str, status: int) -> SnmpFault:
    """Return the fault of an error-status."""
    error = pdu.ERROR_NAMES.get(status, f"error-status {status}")
    if status in (pdu.NO_ACCESS, pdu.AUTHORIZATION_ERROR):
        return AuthFault(
            f"{oid}: the agent's access control refuses it ({error}): widen its view, or use the security "
            "level that it asks for, as with `priv`"
        )
    return ProtocolFault(f"{oid}: the agent answers {error}")
