"""What a device has answered in one poll: scalars and columns, each with the time of its response."""

from collections.abc import Mapping

from netvitals.domain.text import printable

Value = int | float | bytes | str | None
Table = Mapping[str, Value]
"""Values by the row's index, the dotted rest of the OID."""

LONGEST_TEXT_BYTES = 1024
"""Of what a device says: profiles search it with regular expressions, some of which go back and forth."""

_NOTHING: Table = {}


class Answers:
    """Everything read so far; sources are evaluated on it as often as needed, without another request."""

    def __init__(self) -> None:
        self._scalars: dict[str, tuple[Value, int]] = {}
        self._columns: dict[str, Table] = {}
        self._row_times: dict[str, Mapping[str, int]] = {}
        self._time_ns = 0

    def add_scalars(self, values: Mapping[str, Value], time_ns: int) -> None:
        self._scalars.update((oid, (value, time_ns)) for oid, value in values.items())
        self._time_ns = time_ns

    def add_column(self, column: str, rows: Table, row_times: Mapping[str, int]) -> None:
        """`row_times` gives a row's nanoseconds since the epoch."""
        self._columns[column] = rows
        self._row_times[column] = row_times

    def scalar(self, oid: str) -> Value:
        found = self._scalars.get(oid)
        return found[0] if found else None

    def column(self, oid: str) -> Table:
        return self._columns.get(oid, _NOTHING)

    def time_ns(self, oid: str, index: str) -> int:
        """When the response arrived that carried this object."""
        found = self._scalars.get(oid)
        if found:
            return found[1]
        return self._row_times.get(oid, {}).get(index, self._time_ns)


def text_of(value: Value) -> str:
    """Return a value as a person reads it: an octet string cut to size, without what does not print."""
    if isinstance(value, bytes):
        stripped = value.rstrip(b"\x00")
        if len(stripped) > LONGEST_TEXT_BYTES:
            return printable(stripped[:LONGEST_TEXT_BYTES].decode(errors="ignore"))
        try:
            return printable(stripped.decode())
        except UnicodeDecodeError:
            return printable(stripped.decode("latin-1"))
    return "" if value is None else str(value)
