"""One column of a walk: its rows, and how far it has come."""

from collections.abc import Iterable
from typing import cast

from netvitals.collectors.snmp.wire.ber import decode_index, encode_oid
from netvitals.collectors.snmp.wire.faults import Malformed, ProtocolFault, SnmpFault
from netvitals.collectors.snmp.wire.pdu import VarBind
from netvitals.collectors.snmp.wire.values import END_OF_MIB_VIEW, Absent, Value


class Column:
    """How far one column has come."""

    __slots__ = ("cursor", "ended", "fault", "limit", "misses", "name", "parent", "prefix", "rows", "stamps")

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.prefix = self.cursor = encode_oid(name)
        self.parent = name.rpartition(".")[0]
        self.limit = limit
        """Most repetitions to ask for; 0 stands for GETNEXT."""
        self.misses = 0
        """Requests in a row that brought nothing; such a column is asked for alone."""
        self.rows: dict[str, Value | Absent] = {}
        self.stamps: list[tuple[int, int]] = []
        """How many rows there were after a response, and when it arrived."""
        self.ended = False
        self.fault: SnmpFault | None = None

    def take(self, varbinds: Iterable[VarBind], time_ns: int) -> bool:
        """Add the rows of a response; whether there was any progress.

        A column ends at the first name outside of it. Rows out of order are kept, since there are
        agents with unsorted tables; a row that comes a second time is a loop and ends the column.
        """
        prefix, rows, name = self.prefix, self.rows, self.cursor
        size, before = len(prefix), len(rows)
        try:
            for name, value in varbinds:
                if value is END_OF_MIB_VIEW or not name.startswith(prefix):
                    self.ended = True
                    break
                index = decode_index(name[size:])
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
            self.stamps.append((len(rows), time_ns))
        return len(rows) > before or self.ended

    def values(self) -> dict[str, Value]:
        rows = self.rows
        if Absent in set(map(type, rows.values())):
            return {index: value for index, value in rows.items() if not isinstance(value, Absent)}
        return cast("dict[str, Value]", rows)

    def row_times(self) -> dict[str, int]:
        """By index, when the response arrived that brought the row."""
        indexes, before = iter(self.rows), 0
        times: dict[str, int] = {}
        for count, time_ns in self.stamps:
            times.update((next(indexes), time_ns) for _ in range(count - before))
            before = count
        return times
