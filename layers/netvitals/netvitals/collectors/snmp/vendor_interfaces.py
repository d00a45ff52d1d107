"""Replace IF-MIB's counters, where they stand still or are missing, by those of a vendor's own MIB."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from netvitals.collectors.snmp.interfaces import (
    ADMIN,
    COUNTERS,
    DESCR,
    HIGH_SPEED,
    NAME,
    OCTETS_32,
    OCTETS_64,
    OPER,
    SPEED,
    Interfaces,
    points_of_interfaces,
    selected,
)
from netvitals.collectors.snmp.profiles.evaluate import Cells, index_part, indexes_of
from netvitals.collectors.snmp.profiles.schema import (
    OPER_STATES,
    InterfaceNumber,
    InterfaceSource,
    Number,
    Reported,
    interface_numbers_of,
)
from netvitals.collectors.snmp.protocol import InterfaceFilter
from netvitals.collectors.snmp.tables import Tables, Value, text_of
from netvitals.domain.polling.budget import Steps
from netvitals.domain.polling.point import Point
from netvitals.domain.text import whole_number

_COLUMN: Mapping[InterfaceNumber, str] = {
    "bytes_in": OCTETS_64["net_bytes_in"],
    "bytes_out": OCTETS_64["net_bytes_out"],
    "errors_in": COUNTERS["net_errors_in"],
    "errors_out": COUNTERS["net_errors_out"],
    "discards_in": COUNTERS["net_discards_in"],
    "discards_out": COUNTERS["net_discards_out"],
    "speed": SPEED,
    "oper_status": OPER,
}
"""Columns of IF-MIB that a number takes the place of."""
SUPERSEDED: Mapping[InterfaceNumber, str] = {
    "bytes_in": OCTETS_32["net_bytes_in"],
    "bytes_out": OCTETS_32["net_bytes_out"],
    "speed": HIGH_SPEED,
}
"""Other columns of IF-MIB for the same number, which are left out then."""
_COUNTED = _COLUMN.keys() - {"speed", "oper_status"}
_UP = 1
_COUNTER64_END = 1 << 64


class Counted(msgspec.Struct, frozen=True):
    """Counters of an interface in one row of a vendor's table."""

    numbers: dict[InterfaceNumber, int]
    time_ns: int
    if_index: str = ""
    """Decimal ifIndex; empty where the row does not tell it."""
    interface: str = ""
    """Name (ifName or ifDescr) of the interface that is meant."""
    name: str = ""


def rows_counted(source: InterfaceSource, tables: Tables) -> Steps[list[Counted]]:
    """Return the rows that say anything; those that share a name have their index behind it."""
    cells = Cells(tables)
    terms = [t for t in interface_numbers_of(source).values() if isinstance(t, str | Reported)]
    rows: dict[str, Counted] = {}
    for index, oid in indexes_of(terms, tables):
        if all(cells.passes(rule, index) for rule in source.where):
            rows[index] = _counted(source, cells, index, tables.time_ns(oid, index))
        yield None
    count = Counter(row.name for row in rows.values() if row.name)
    for index, row in rows.items():
        if count[row.name] > 1:
            rows[index] = msgspec.structs.replace(row, name=f"{row.name} [{index}]")
    return [row for row in rows.values() if row.numbers]


def _counted(source: InterfaceSource, cells: Cells, index: str, time_ns: int) -> Counted:
    terms = interface_numbers_of(source)
    read = {name: _number(term, source, cells, index) for name, term in terms.items()}
    if read.get("oper_status") not in OPER_STATES:
        read.pop("oper_status", None)
    return Counted(
        numbers={name: number for name, number in read.items() if number is not None},
        time_ns=time_ns,
        if_index=_if_index(source, cells, index),
        interface=source.interface or "",
        name=cells.instance(source, index),
    )


def _number(term: str | Reported | Number, source: InterfaceSource, cells: Cells, index: str) -> int | None:
    """Return a whole number, exact up to 2^64 - 1."""
    if isinstance(term, int | float):
        return int(term)
    number = _whole(cells.cell(term, index))
    column = term.column if isinstance(term, Reported) else term
    if column in source.high_words:
        number = _joined(_whole(cells.cell(source.high_words[column], index)), number)
    if number is not None and isinstance(term, Reported):
        number = term.meaning.get(number) if term.meaning else int(number * term.multiply)
    return number if number is not None and 0 <= number < _COUNTER64_END else None


def _joined(high: int | None, low: int | None) -> int | None:
    """Join two words in one; without either, the counter would seem to be reset."""
    return None if high is None or low is None else (high << 32) + low % (1 << 32)


def _whole(value: Value) -> int | None:
    """Return an integer, or the one that a text is: some vendors write large numbers out."""
    if isinstance(value, bytes):
        return whole_number(text_of(value))
    return value if isinstance(value, int) else None


def _if_index(source: InterfaceSource, cells: Cells, index: str) -> str:
    term = source.if_index
    if term is None:
        return ""
    is_part = isinstance(term, str) and term.startswith("index")
    found = index_part(str(term), index) if is_part else text_of(cells.cell(term, index))
    return found if found and found.isdecimal() else ""


def replace_counters(
    interfaces: Interfaces,
    rows: Sequence[Counted],
    wanted: InterfaceFilter,
    *,
    withheld: Collection[InterfaceSource] = (),
) -> Steps[Interfaces]:
    """Put the rows' numbers in the place of IF-MIB's; where two rows have one, the first counts.

    Args:
        interfaces: what IF-MIB says.
        rows: what the vendor's sources say.
        wanted: which interfaces.
        withheld: sources of which rows were lost on the way: what they count is taken from IF-MIB for no
            interface, whose counter would seem to be reset.

    Returns:
        The interfaces of which no ifIndex is known, under numbers that stand in for it.
    """
    others = Interfaces()
    if not rows and not withheld:
        return others
    known = yield from _by_name(interfaces)
    own, without_index = _Replacement(interfaces.indexes), _Replacement(())
    numbered: dict[str, str] = {}
    for row in rows:
        yield None
        index = row.if_index or known.get(row.interface or row.name, "")
        if index:
            own.add(index, row)
        elif row.name and not row.interface:
            without_index.add(numbered.setdefault(row.name, str(len(numbered))), row)
    own.withhold(interfaces, {name for source in withheld for name in interface_numbers_of(source)})
    own.write(interfaces)
    without_index.write(others)
    for changed in (interfaces, others):
        changed.names = yield from selected(changed, wanted)
    return others


def _by_name(interfaces: Interfaces) -> Steps[dict[str, str]]:
    """Return, by ifName, and by ifDescr where no ifName is the same, the ifIndex."""
    found: dict[str, str] = {}
    for column in (DESCR, NAME):
        for index in reversed(interfaces.indexes):
            found[interfaces.tables.text(column, index)] = index
            yield None
    found.pop("", None)
    return found


class _Replacement:
    """Collects cells to be written over IF-MIB's; the first of a cell counts."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._cells = Tables()
        self._superseded: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, index: str, row: Counted) -> None:
        if index not in self._known and not row.name:
            return
        for name, number in row.numbers.items():
            self._put(_COLUMN[name], index, number, row.time_ns)
            if name in SUPERSEDED:
                self._superseded[SUPERSEDED[name]].add(index)
        if row.name and (row.if_index or row.interface or index not in self._known):
            self._put(NAME, index, row.name.encode(), row.time_ns)
        if index not in self._known and row.numbers.get("oper_status") == _UP:
            self._put(ADMIN, index, _UP, row.time_ns)

    def _put(self, column: str, index: str, value: Value, time_ns: int) -> None:
        if index not in self._cells.column(column):
            self._cells.put(column, index, value, time_ns)

    def withhold(self, interfaces: Interfaces, names: set[InterfaceNumber]) -> None:
        """Drop these counters of all interfaces for which there is no other to be written."""
        for name in names & _COUNTED:
            for column in filter(None, (_COLUMN[name], SUPERSEDED.get(name))):
                if rows := interfaces.tables.columns.get(column):
                    rows.drop(rows.values.keys() - self._cells.column(_COLUMN[name]).keys())

    def write(self, interfaces: Interfaces) -> None:
        for column, indexes in self._superseded.items():
            if rows := interfaces.tables.columns.get(column):
                rows.drop(indexes)
        interfaces.tables.update(self._cells)


def points_without_index(others: Interfaces, wanted: InterfaceFilter) -> Iterator[Point]:
    """Yield the points of interfaces of which no ifIndex is known: their name alone says which they are."""
    for point in points_of_interfaces(others, wanted):
        yield msgspec.structs.replace(point, if_index=None)
