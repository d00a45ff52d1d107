"""Index a device's objects below its vendor's branches, and find the tables among them without a MIB."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, takewhile

import msgspec

from netvitals.collectors.snmp.profiles.evaluate import VitalRow, number_of, rows_of
from netvitals.collectors.snmp.profiles.schema import Source
from netvitals.collectors.snmp.profiles.vitals import reads_of
from netvitals.collectors.snmp.tables import SCALAR, Rows, Tables, Value, text_of
from netvitals.collectors.vital_points import is_amount, is_possible
from netvitals.domain.polling.metrics import VITALS

_LONGEST_INDEX = 3
_MOST_COLUMNS = 100
"""Columns of one table or group of scalars that are searched: each pair of columns is compared."""


class ObjectGroup(msgspec.Struct, frozen=True):
    """Columns of one table, or neighbouring scalars."""

    columns: Mapping[str, Mapping[str, Value]]
    """Rows by index, by the OID that a profile would name; a scalar is one row with the index 0."""

    def numbers(self) -> dict[str, dict[str, float]]:
        """Return the columns that hold only numbers or texts of digits."""
        found: dict[str, dict[str, float]] = {}
        for column, rows in islice(self.columns.items(), _MOST_COLUMNS):
            numbers = {index: _plain_number(value) for index, value in rows.items()}
            if None not in numbers.values():
                found[column] = {index: number for index, number in numbers.items() if number is not None}
        return found

    def texts(self) -> dict[str, dict[str, str]]:
        """Return the columns of texts that are not only digits."""
        return {
            column: {index: text_of(value) for index, value in rows.items()}
            for column, rows in islice(self.columns.items(), _MOST_COLUMNS)
            if any(isinstance(value, bytes) and _plain_number(value) is None for value in rows.values())
        }


def _plain_number(value: Value) -> float | None:
    if isinstance(value, bytes) and not text_of(value).replace(".", "", 1).lstrip("-").isdecimal():
        return None
    return None if isinstance(value, str) else number_of(value)


class Answers:
    """Holds objects by OID, and evaluates sources on them."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values
        self._oids = sorted(values)

    def has(self, oid: str) -> bool:
        """Return whether the scalar, or any row of the column, is there."""
        return oid in self.values if oid.endswith(SCALAR) else bool(self.column(oid))

    def column(self, oid: str) -> dict[str, Value]:
        """Return a column's rows by index, in numeric order."""
        prefix = f"{oid}."
        after = islice(self._oids, bisect_left(self._oids, prefix), None)
        indexes = [
            each.removeprefix(prefix) for each in takewhile(lambda each: each.startswith(prefix), after)
        ]
        return {index: self.values[prefix + index] for index in sorted(indexes, key=arcs_of)}

    def rows(self, section: str, source: Source) -> list[VitalRow]:
        """Return the rows of a source whose values, and amounts, are possible for this vital sign."""
        reads = reads_of([source])
        tables = Tables({oid: Rows(self.column(oid), time_ns=1) for oid in reads.columns})
        tables.objects = {oid: (self.values[oid], 1) for oid in reads.scalars if oid in self.values}
        return [
            row
            for row in rows_of(source, tables)
            if row is not None and is_possible(VITALS[section], row.value) and is_amount(row.total)
        ]

    def groups(self, used: Iterable[str]) -> Iterator[ObjectGroup]:
        """Yield the tables and scalars of objects that lie below none of the used OIDs."""
        prefixes = tuple(oid if oid.endswith(SCALAR) else f"{oid}." for oid in used)
        left = [oid for oid in self._oids if not oid.startswith(prefixes)]
        scalars: dict[str, list[str]] = defaultdict(list)
        for oid in left:
            if oid.endswith(SCALAR):
                scalars[oid.rsplit(".", 2)[0]].append(oid)
        alone = {oid for oids in scalars.values() for oid in oids}
        yield from (self._group_of_scalars(oids) for oids in scalars.values())
        yield from self._tables([oid for oid in left if oid not in alone])

    def _group_of_scalars(self, oids: list[str]) -> ObjectGroup:
        return ObjectGroup({oid: {"0": self.values[oid]} for oid in sorted(oids, key=arcs_of)})

    def _tables(self, oids: Iterable[str]) -> Iterator[ObjectGroup]:
        """Yield tables: an entry is an arc 1 (RFC 2578, 7.1.12) most of whose columns have the same rows."""
        entries: dict[str, dict[str, dict[str, Value]]] = defaultdict(lambda: defaultdict(dict))
        for oid in oids:
            for entry, column, index in _ways_to_cut(oid):
                entries[entry][column][index] = self.values[oid]
        taken: set[str] = set()
        for entry in sorted(entries, key=lambda each: (len(entries[each]) == 1, each.count("."), each)):
            columns = {oid: rows for oid, rows in entries[entry].items() if _is_free(oid, rows, taken)}
            if _are_alike(columns):
                taken.update(f"{oid}.{index}" for oid, rows in columns.items() for index in rows)
                yield ObjectGroup({oid: columns[oid] for oid in sorted(columns, key=arcs_of)})


def _is_free(column: str, rows: Mapping[str, Value], taken: set[str]) -> bool:
    return not any(f"{column}.{index}" in taken for index in rows)


def _ways_to_cut(oid: str) -> Iterator[tuple[str, str, str]]:
    """Yield entry, column and index of an OID, for every possible length of the index."""
    arcs = oid.split(".")
    for length in range(1, _LONGEST_INDEX + 1):
        if len(arcs) > length + 8 and arcs[-length - 2] == "1":
            yield ".".join(arcs[: -length - 1]), ".".join(arcs[:-length]), ".".join(arcs[-length:])


def _are_alike(columns: Mapping[str, Mapping[str, Value]]) -> bool:
    """Return whether columns are those of one table: most of them have the rows of the first."""
    if not columns:
        return False
    rows = [frozenset(each) for each in columns.values()]
    return 2 * sum(each == rows[0] for each in rows) > len(rows)


def arcs_of(oid: str) -> list[int]:
    """Return the numbers of an OID, which sort in SNMP's order."""
    return [int(arc) for arc in oid.split(".")]
