"""What one SNMP agent is asked: `SnmpSession`."""

import time
from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.wire.column import Column
from netvitals.collectors.snmp.wire.exchange import Conversation, Request, Work
from netvitals.collectors.snmp.wire.faults import NoAnswer, SnmpFault
from netvitals.collectors.snmp.wire.get import GetWork
from netvitals.collectors.snmp.wire.security import Security
from netvitals.collectors.snmp.wire.transport import canonical, endpoint_to
from netvitals.collectors.snmp.wire.values import Value
from netvitals.collectors.snmp.wire.walk import Pace, WalkWork


class Response(msgspec.Struct, frozen=True):
    """What a GET brought; an object that the agent does not have is absent."""

    values: Mapping[str, Value]
    time_ns: int
    """When the (last) response arrived, in nanoseconds since the epoch."""
    rtt_ms: float
    """Round trip of the first response."""
    error: SnmpFault | None = None
    """Why some objects may be missing that the agent has."""


class Walk:
    """The columns that a walk brought, as far as it came."""

    def __init__(self, columns: Sequence[Column], error: SnmpFault | None) -> None:
        self._columns = {column.name: column for column in columns}
        self.error = error
        """The first fault, where not everything was read."""

    @cached_property
    def columns(self) -> Mapping[str, Mapping[str, Value]]:
        """Values by column and by index, the dotted rest of the OID; each column asked for is there."""
        return {name: column.values() for name, column in self._columns.items()}

    @cached_property
    def faults(self) -> Mapping[str, SnmpFault]:
        """The columns that did not come to their end, and why."""
        return {name: column.fault for name, column in self._columns.items() if column.fault}

    @cached_property
    def _times(self) -> dict[str, dict[str, int]]:
        return {}

    def row_times(self, column: str) -> Mapping[str, int]:
        """By index, when the response arrived that carried the object, in nanoseconds since the epoch."""
        times = self._times.get(column)
        if times is None:
            times = self._times[column] = self._columns[column].row_times()
        return times

    def time_ns(self, index: str, column: str = "") -> int:
        """When the response arrived that carried this row of the column, or its last column; 0: none did."""
        names = (column,) if column else self._columns
        return max((self.row_times(name).get(index, 0) for name in names), default=0)


class SnmpSession:
    """One device, asked until `deadline`; what it needs of the network it shares with all others."""

    def __init__(
        self,
        address: str,
        security: Security,
        settings: SnmpSettings,
        deadline: float,
        *,
        repetitions: int | None = None,
    ) -> None:
        """`address` is an IP address, `deadline` on the clock of `time.monotonic`.

        `repetitions` is what `SnmpSession.repetitions` was at the end of the poll before.
        """
        self.deadline = deadline
        self._address = (canonical(address), settings.port)
        self._security = security
        self._settings = settings
        most = settings.max_repetitions
        self._pace = Pace(repetitions or most, most, bulk=security.supports_bulk)

    @property
    def repetitions(self) -> int:
        """The rows per GETBULK that this device manages, to be remembered for its next poll."""
        return self._pace.repetitions

    async def get(self, oids: Sequence[str]) -> Response:
        """The objects of these names, in as few requests as fit.

        Raises:
            SnmpFault: nothing was answered, or nothing but a refusal.
        """
        work = GetWork(oids, self._settings.retries + 1)
        await self._carry_out(work, self.deadline)
        fault = work.fault
        if work.unasked or not work.answers:
            fault = fault or self._out_of_time()
        if fault and (not work.answers or (fault.reason == "auth" and not work.values)):
            raise fault
        return Response(work.values, work.time_ns, work.rtt_ms, fault)

    async def walk(self, columns: Sequence[str], seconds: float | None = None) -> Walk:
        """All rows of these columns, in at most so many seconds.

        The device's faults are never raised: they are in the walk, beside the rows that came before.
        """
        deadline = self.deadline if seconds is None else min(self.deadline, time.monotonic() + seconds)
        settings = self._settings
        work = WalkWork(columns, self._pace, retries=settings.retries, max_varbinds=settings.max_varbinds)
        await self._carry_out(work, deadline)
        work.close(self._out_of_time())
        return Walk(work.columns, work.fault)

    async def _carry_out[R: Request](self, work: Work[R], deadline: float) -> None:
        conversation: Conversation[R] = Conversation(
            endpoint_to(self._address[0]),
            self._address,
            self._security,
            timeout=self._settings.timeout_seconds,
            deadline=deadline,
        )
        await conversation.run(work, self._settings.requests_in_flight)

    def _out_of_time(self) -> NoAnswer:
        return NoAnswer(f"{self._address[0]}: its time was up before SNMP had answered everything")
