"""Store the objects that were read from one device, whichever request brought them.

Requests (`wire`) fill it, profiles and interfaces read it; neither of them knows the other.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

from netvitals.domain.polling.budget import Steps
from netvitals.domain.text import printable

type Value = int | float | bytes | str | None
"""An integer of any type, an Opaque float, an octet string, a dotted OID or IPv4 address."""
type Cell = tuple[Value, int]
"""A value, and when the response arrived that carried it, in nanoseconds since the epoch."""

SCALAR = ".0"
"""The end of a scalar's OID (RFC 2578, 7.8)."""
LONGEST_TEXT_BYTES = 256
"""Bytes of one value that are read as text; a DisplayString has no more (RFC 2579)."""

_NOTHING: Mapping[str, Value] = {}


class Rows:
    """Maps a column's index, the dotted rest of the OID, to (value, nanoseconds).

    A walk brings thousands of rows in few responses, so times are kept by response until one is asked for.
    """

    __slots__ = ("_times", "stamps", "values")

    def __init__(self, values: dict[str, Value] | None = None, time_ns: int = 0) -> None:
        self.values: dict[str, Value] = {}
        self.stamps: list[tuple[int, int]] = []
        """Pairs: the number of rows after a response, and when it arrived, in nanoseconds since the epoch."""
        self._times: dict[str, int] | None = None
        if values:
            self.values = values
            self.stamps.append((len(values), time_ns))

    def times(self) -> dict[str, int]:
        if self._times is None:
            self._times, indexes, before = {}, iter(self.values), 0
            for count, time_ns in self.stamps:
                self._times.update(dict.fromkeys(islice(indexes, count - before), time_ns))
                before = count
        return self._times

    def put(self, index: str, value: Value, time_ns: int) -> None:
        self.times()[index] = time_ns
        self.values[index] = value

    def update(self, other: "Rows") -> None:
        self.times().update(other.times())
        self.values |= other.values

    def drop(self, indexes: Iterable[str]) -> None:
        times = self.times()
        for index in indexes:
            times.pop(index, None)
            self.values.pop(index, None)


class Tables:
    """Maps column and index, or the whole OID of an object got by itself, to (value, nanoseconds)."""

    __slots__ = ("columns", "objects")

    def __init__(self, columns: dict[str, Rows] | None = None) -> None:
        self.columns = {} if columns is None else columns
        self.objects: dict[str, Cell] = {}

    def __len__(self) -> int:
        return len(self.objects) + sum(len(rows.values) for rows in self.columns.values())

    def update(self, other: "Tables") -> None:
        """Take over the other's cells; where both have one, the other's."""
        self.objects |= other.objects
        for column, rows in other.columns.items():
            known = self.columns.setdefault(column, rows)
            if known is not rows:
                known.update(rows)

    def put(self, column: str, index: str, value: Value, time_ns: int) -> None:
        self.columns.setdefault(column, Rows()).put(index, value, time_ns)

    def has_rows_beside(self, column: str) -> bool:
        """Return whether another column of the same table has rows."""
        return any(found.values for other, found in self._beside(column) if other != column)

    def cut_after(self, column: str) -> Steps[None]:
        """Drop the rows of a table that come after the last one of this column, whose walk was broken off.

        They may lack what the device has, such as their name, or the unit of their value.
        """
        rows = self.columns.get(column, Rows()).values
        last = _arcs(next(reversed(rows), ""))  # a walk brings them in their order
        for _, found in self._beside(column):
            late = []
            for index in reversed(found.values):
                yield None
                if _arcs(index) <= last:
                    break
                late.append(index)
            if late:
                found.drop(late)

    def _beside(self, column: str) -> list[tuple[str, Rows]]:
        table = column.rpartition(".")[0]
        return [(other, rows) for other, rows in self.columns.items() if other.rpartition(".")[0] == table]

    def file_objects(self) -> None:
        """Put objects that were got one by one into their columns; an index is the last number of an OID."""
        for oid, (value, time_ns) in self.objects.items():
            column, _, index = oid.rpartition(".")
            self.put(column, index, value, time_ns)
        self.objects = {}

    def column(self, column: str) -> Mapping[str, Value]:
        """Return the column's values by index; none where it was not read or the device has none."""
        rows = self.columns.get(column)
        return rows.values if rows else _NOTHING

    def times(self, column: str) -> Mapping[str, int]:
        """Return, by index, when the responses arrived that carried the column's rows."""
        rows = self.columns.get(column)
        return rows.times() if rows else {}

    def integers(self, column: str) -> Mapping[str, int]:
        """Return the column's values that are whole numbers, by index."""
        values = self.column(column)
        if set(map(type, values.values())) == {int}:
            return values  # type: ignore[return-value]  # seen by their types
        return {index: value for index, value in values.items() if isinstance(value, int)}

    def text(self, column: str, index: str) -> str:
        """Return the value of a column's row as a person reads it; empty where there is none."""
        return text_of(self.column(column).get(index))

    def value(self, oid: str, index: str = "") -> Value:
        """Return the value of a column's row, or of a scalar, whose OID ends in `.0`, whatever the index."""
        if oid.endswith(SCALAR):
            cell = self.objects.get(oid)
            return cell[0] if cell else None
        rows = self.columns.get(oid)
        return rows.values.get(index) if rows else None

    def time_ns(self, oid: str, index: str = "") -> int:
        """Return when the response arrived that carried this object; 0 where none did."""
        if oid.endswith(SCALAR):
            cell = self.objects.get(oid)
            return cell[1] if cell else 0
        return self.times(oid).get(index, 0)


def _arcs(index: str) -> list[int]:
    return [int(arc) for arc in index.split(".") if arc]


def text_of(value: Value) -> str:
    """Return a value as a person reads it: an octet string cut to size, without what does not print.

    Octets that are no UTF-8 are read as Latin-1.
    """
    if not isinstance(value, bytes):
        return "" if value is None else str(value)
    octets = value.rstrip(b"\x00")
    if len(octets) > LONGEST_TEXT_BYTES:
        text = octets[:LONGEST_TEXT_BYTES].decode(errors="ignore")
    else:
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            text = octets.decode("latin-1")
    return text if text.isprintable() and " ".join(text.split()) == text else printable(text)
