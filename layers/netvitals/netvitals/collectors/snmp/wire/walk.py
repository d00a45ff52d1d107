"""Walk many columns at once: several in one GETBULK, each with a cursor of its own."""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache

from netvitals.collectors.snmp.tables import Rows, Tables, Value
from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.decode import LongIndex, decode_index, decode_short_index
from netvitals.collectors.snmp.wire.encode import encode_oid
from netvitals.collectors.snmp.wire.faults import (
    Malformed,
    NoAnswer,
    ProtocolFault,
    SnmpFault,
    TooMuch,
    Unreachable,
)
from netvitals.collectors.snmp.wire.get import refusal
from netvitals.collectors.snmp.wire.pdu import END_OF_MIB_VIEW, Absent, Pdu
from netvitals.collectors.snmp.wire.work import Request
from netvitals.domain.polling.budget import MAX_TABLE_ROWS, Budget, BudgetSpent

VARBINDS_PER_RESPONSE = 50
"""Variable bindings that fill one Ethernet frame without fragments, at 28 octets on average."""


MAX_KNOWN_ROWS = 512
"""Rows of a column whose names are kept: a larger table's are dropped again. A name takes 150 bytes."""
MAX_KNOWN_COLUMNS = 128


class Place:
    """Keeps the encoded name of a column, and the indexes of rows that devices have had in it so far."""

    __slots__ = ("indexes", "parent", "prefix")

    def __init__(self, column: str) -> None:
        self.prefix = encode_oid(column)
        self.parent = column.rpartition(".")[0]
        self.indexes: dict[bytes, str] = {}
        """Indexes by the object's encoded name; devices of a model have the same."""

    def index_of(self, name: bytes) -> str | None:
        """Return the index that a name of this column ends in, and keep it; None for a name outside of it.

        Raises:
            Malformed: the index is none.
        """
        if not name.startswith(self.prefix):
            return None
        suffix = name[len(self.prefix) :]
        try:
            index = decode_short_index(suffix)
        except LongIndex:
            return decode_index(suffix)
        if len(self.indexes) >= MAX_KNOWN_ROWS:
            self.indexes.clear()
        self.indexes[name] = index
        return index


@lru_cache(maxsize=MAX_KNOWN_COLUMNS)
def place(column: str) -> Place:
    """Return the place of a column, by its dotted name."""
    return Place(column)


class ColumnWalk:
    """Collects the rows of one column, and where its walk goes on."""

    __slots__ = ("cursor", "ended", "fault", "limit", "misses", "name", "place", "rows")

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.place = place(name)
        self.cursor = self.place.prefix
        self.limit = limit
        """Most repetitions to ask for; 0 stands for GETNEXT."""
        self.misses = 0
        """Requests in a row that brought nothing; such a column is asked for alone."""
        self.rows = Rows()
        self.ended = False
        self.fault: SnmpFault | None = None

    def take(self, names: Iterable[bytes], values: Iterable[Value | Absent], time_ns: int) -> bool:
        """Add the rows of a response; return whether there was any progress.

        A column ends at the first name outside of it. Rows out of order are kept, since there are
        agents with unsorted tables; a row that comes a second time is a loop and ends the column.
        """
        known, name = self.place.indexes, self.cursor
        rows: dict[str, Value | Absent] = self.rows.values  # type: ignore[assignment]  # `present` drops Absent
        before = len(rows)
        try:
            for name, value in zip(names, values, strict=True):
                index = known.get(name)
                if index is None:
                    index = self.place.index_of(name)
                if value is END_OF_MIB_VIEW or index is None:
                    self.ended = True
                    break
                if index in rows or not index:
                    self.fault = ProtocolFault(
                        f"{self.name}: the agent loops, {index or 'the column'} came again"
                    )
                    break
                rows[index] = value
        except Malformed as error:
            self.fault = ProtocolFault(f"{self.name}: the agent answers {error}")
        self.cursor = name
        if len(rows) > before:
            self.rows.stamps.append((len(rows), time_ns))
        if len(rows) > MAX_TABLE_ROWS:
            self.fault = ProtocolFault(f"{self.name}: the table has more than {MAX_TABLE_ROWS} rows")
        return len(rows) > before or self.ended

    def present(self) -> Rows:
        """Return the rows that have a value."""
        values: dict[str, Value | Absent] = self.rows.values  # type: ignore[assignment]  # see `take`
        if Absent in set(map(type, values.values())):
            self.rows.drop([index for index, value in values.items() if isinstance(value, Absent)])
        return self.rows


class Step(Request):
    """Asks for the next rows of some columns."""

    __slots__ = ("columns", "sent_at")

    def __init__(self, columns: Sequence[ColumnWalk], repetitions: int, tries: int) -> None:
        names = [column.cursor for column in columns]
        super().__init__(pdu.GET_BULK if repetitions else pdu.GET_NEXT, names, tries, repetitions)
        self.columns = columns
        self.sent_at = time.monotonic()

    @property
    def is_last_resort(self) -> bool:
        """Return whether there is no way to ask for less: a single name by GETNEXT."""
        return not self.repetitions and len(self.columns) == 1


class Pace:
    """Limits the objects asked of a device at a time; lives as long as its session.

    `repetitions` is halved by failure and grows by one with success. GETBULK is given up for the whole
    device when it has never worked and GETNEXT has.
    """

    def __init__(self, repetitions: int, most: int, *, bulk: bool) -> None:
        self.most = most
        self.repetitions = max(1, min(repetitions, most))
        self.bulk = bulk
        self.bulk_works = False
        self.room = VARBINDS_PER_RESPONSE
        self.rows: dict[str, int] = {}
        """Rows of the longest column whose end was seen, now or by the poll before, by the OID above the
        columns."""

    def succeeded(self, step: Step) -> None:
        if step.repetitions:
            self.bulk_works = True
            if step.repetitions >= self.repetitions:
                self.repetitions = min(self.repetitions + 1, self.most)
        elif step.columns[0].misses and not self.bulk_works:
            self.bulk = False

    def failed(self, step: Step) -> None:
        if step.repetitions:
            self.repetitions = max(1, min(self.repetitions, step.repetitions // 2))

    def too_big(self, step: Step) -> None:
        self.room = max(1, max(step.repetitions, 1) * len(step.columns) // 2)
        self.repetitions = max(1, min(self.repetitions, self.room))


class WalkWork:
    """Decides what a walk asks next: a `Work`."""

    def __init__(self, columns: Sequence[str], pace: Pace, *, retries: int, budget: Budget) -> None:
        self.columns = [ColumnWalk(name, pace.most if pace.bulk else 0) for name in dict.fromkeys(columns)]
        self._pace = pace
        self._retries = retries
        self._todo = deque(self.columns)
        self._budget = budget
        self._answered_at = 0.0
        self._silent = 0
        """Columns that failed by silence since the last answer."""
        self._stopped: SnmpFault | None = None

    @property
    def fault(self) -> SnmpFault | None:
        """Return why the walk was ended, or the fault of the first column that has one."""
        return self._stopped or next(iter(self.faults.values()), None)

    @property
    def faults(self) -> dict[str, SnmpFault]:
        """Return the faults of the columns whose end was not reached, by column."""
        return {column.name: column.fault for column in self.columns if column.fault}

    def tables(self) -> Tables:
        """Return the rows of every column that was asked for."""
        return Tables({column.name: column.present() for column in self.columns})

    def next_request(self) -> Step | None:
        if self._stopped or not self._todo:
            return None
        first = self._todo.popleft()
        if not self._pace.bulk:
            first.limit = 0
        if first.limit == 0:
            return self._get_next(first)
        repetitions = self._repetitions(first)
        return Step(self._companions(first, self._pace.room // repetitions), repetitions, tries=1)

    def _get_next(self, first: ColumnWalk) -> Step:
        # What was asked for in vain by GETBULK has used up some; a small table only one or two.
        tries = max(1, self._retries + 1 - first.misses)
        return Step(self._companions(first, self._pace.room), 0, tries)

    def _repetitions(self, column: ColumnWalk) -> int:
        """Return no more than the rows that are left and one to see the end, where the size is known."""
        left = self._pace.rows.get(column.place.parent, -1) - len(column.rows.values)
        most = min(column.limit, self._pace.repetitions, self._pace.room)
        return min(most, left + 1) if left >= 0 else most

    def _companions(self, first: ColumnWalk, most: int) -> list[ColumnWalk]:
        """Return columns that fit into the same request; one that failed before goes alone."""
        group = [first]
        while len(group) < most and self._todo and not first.misses:
            other = self._todo[0]
            if other.misses or bool(other.limit) != bool(first.limit):
                break
            group.append(self._todo.popleft())
        return group

    def answered(self, request: Step, answer: Pdu, time_ns: int, rtt_ms: float) -> None:  # noqa: ARG002, `Work`
        self._answered_at, self._silent = time.monotonic(), 0
        if answer.error_status:
            self._refused(request, answer)
            return
        names, values = answer.names, answer.values
        if not names:
            fault = ProtocolFault(f"{request.columns[0].name}: the agent's answer holds no object")
            self._shrink(request, request.columns, fault, request.repetitions // 2)
            return
        self._pace.succeeded(request)
        width = len(request.columns)
        for position, column in enumerate(request.columns):
            self._advance(column, column.take(names[position::width], values[position::width], time_ns))
        try:
            self._budget.spend_values(len(names))
        except BudgetSpent as spent:
            self._stop(TooMuch(str(spent)))

    def _advance(self, column: ColumnWalk, progress: bool) -> None:  # noqa: FBT001, an answer has one or not
        if progress:
            column.misses = 0
            if column.limit:
                column.limit += 1
        if column.ended:
            rows = self._pace.rows
            rows[column.place.parent] = max(rows.get(column.place.parent, 0), len(column.rows.values))
        elif not column.fault:
            self._todo.append(column)

    def failed(self, request: Step, fault: SnmpFault) -> None:
        """Ask for less, at last by GETNEXT; a fault that a smaller request would meet as well ends it all."""
        is_final = not isinstance(fault, NoAnswer | ProtocolFault) or isinstance(fault, Unreachable)
        if is_final or self._is_gone(request):
            self._stop(fault)
        else:
            given_up = request.columns[0].misses >= self._retries
            self._shrink(request, request.columns, fault, 0 if given_up else request.repetitions // 2)

    def _is_gone(self, request: Step) -> bool:
        """Return whether two columns in a row met silence, each alone by GETNEXT, and nothing else came."""
        if request.is_last_resort and self._answered_at < request.sent_at:
            self._silent += 1
        return self._silent > 1

    def _refused(self, request: Step, answer: Pdu) -> None:
        status, index = answer.error_status, answer.error_index - 1
        columns = request.columns
        culprits = columns[index : index + 1] if 0 <= index < len(columns) else columns
        if status == pdu.TOO_BIG and (request.repetitions > 1 or len(columns) > 1):
            self._pace.too_big(request)
            self._todo.extendleft(reversed(columns))
        elif status == pdu.NO_SUCH_NAME and not request.repetitions and len(culprits) == 1:
            culprits[0].ended = True  # v1's way to say endOfMibView
            self._todo.extendleft(reversed([column for column in columns if not column.ended]))
        else:
            self._todo.extendleft(reversed([column for column in columns if column not in culprits]))
            self._shrink(request, culprits, refusal(culprits[0].name, status), request.repetitions // 2)

    def _shrink(self, request: Step, columns: Sequence[ColumnWalk], fault: SnmpFault, limit: int) -> None:
        """Ask for less of these columns, each alone; what fails as a single GETNEXT has failed."""
        self._pace.failed(request)
        for column in reversed(columns):
            column.misses += 1
            if request.is_last_resort:
                column.fault = fault
            else:
                column.limit = limit
                self._todo.appendleft(column)

    def _stop(self, fault: SnmpFault) -> None:
        """Ask for nothing more."""
        self._stopped = fault

    def close(self, fault: SnmpFault) -> None:
        """Give unfinished columns the fault that ended the walk, or else this one."""
        for column in self.columns:
            if not column.ended and column.fault is None:
                column.fault = self._stopped or fault
