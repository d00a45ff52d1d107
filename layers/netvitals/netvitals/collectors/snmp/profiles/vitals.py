"""Choose which sources of a profile are asked for a device's vital signs, and make points of the answers."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from netvitals.collectors.snmp.profiles.evaluate import VitalRow, rows_of
from netvitals.collectors.snmp.profiles.schema import (
    InterfaceSource,
    Profile,
    Source,
    VitalSources,
    oid_of,
    references_of,
)
from netvitals.collectors.snmp.tables import Tables
from netvitals.collectors.vital_points import is_amount, is_possible
from netvitals.collectors.vital_points import points_of as points_of_row
from netvitals.domain.polling.budget import Steps
from netvitals.domain.polling.metrics import VITALS, Vital
from netvitals.domain.polling.point import Point

Chosen = Mapping[str, Sequence[int]]
"""Numbers of the sources to ask, by section: own ones first, then those of the standard MIBs."""


class Reads(msgspec.Struct, frozen=True):
    """Objects to ask for: OIDs of scalars and of columns, each once."""

    scalars: tuple[str, ...]
    columns: tuple[str, ...]


def reads_of(sources: Iterable[Source | InterfaceSource]) -> Reads:
    """Return the objects that the sources need."""
    oids = dict.fromkeys(oid_of(column) for source in sources for column in references_of(source))
    return Reads(
        scalars=tuple(o for o in oids if o.endswith(".0")),
        columns=tuple(o for o in oids if not o.endswith(".0")),
    )


class Evaluation(msgspec.Struct):
    """Points and faults that answers evaluate to."""

    points: list[Point] = []
    sources: dict[str, list[int]] = {}
    """Numbers of the sources that gave points, by section that was evaluated; empty where none did."""
    impossible: list[str] = []
    """Texts about values that were left out, one for each section that had any."""


class Vitals:
    """Evaluates the sources of one profile and of the standard MIBs behind it."""

    def __init__(self, profile: Profile, standard: Profile, wanted: Collection[str] = VITALS.keys()) -> None:
        """Take `wanted`, the sections that are collected."""
        is_standard = profile.name == standard.name
        self.interfaces = profile.interfaces
        self._reads = lru_cache(maxsize=64)(self._reads_of)
        self._own = {name: VitalSources() if is_standard else profile.section(name) for name in VITALS}
        self._standard = {name: standard.section(name) for name in VITALS}
        self._sources = {
            name: own.sources + (self._standard[name].sources if own.standard else ())
            for name, own in self._own.items()
        }
        self._everything = {name: range(len(self._sources[name])) for name in VITALS if name in wanted}

    def sources(self, name: str) -> tuple[Source, ...]:
        return self._sources[name]

    def everything(self) -> Chosen:
        return self._everything

    def reads(self, chosen: Chosen) -> Reads:
        """Return what to ask for so that these sources can be evaluated."""
        return self._reads(tuple(tuple(chosen.get(name, ())) for name in VITALS))

    def _reads_of(self, chosen: tuple[tuple[int, ...], ...]) -> Reads:
        return reads_of(
            source
            for name, numbers in zip(VITALS, chosen, strict=True)
            for number, source in enumerate(self.sources(name))
            if number in numbers
        )

    def evaluate(self, chosen: Chosen, tables: Tables, found: Evaluation) -> Steps[None]:
        """Put into `found` what was read for the chosen sources, row by row."""
        for name, numbers in chosen.items():
            if name not in VITALS:
                continue
            if not numbers:
                found.sources[name] = []
                continue
            given, impossible = yield from self._rows(name, numbers, tables)
            used = self._used(name, given)
            found.sources[name] = list(used)
            if used:
                for point in self._points(name, used):
                    found.points.append(point)
                    yield None
            if impossible:
                found.impossible.append(f"{name}: {impossible}")

    def _rows(
        self, name: str, numbers: Iterable[int], tables: Tables
    ) -> Steps[tuple[dict[int, list[VitalRow]], str]]:
        """Return the possible rows of each source that has any, and an impossible one in words."""
        vital, sources = VITALS[name], self.sources(name)
        given: dict[int, list[VitalRow]] = {}
        impossible = ""
        for number in numbers:
            for row in rows_of(sources[number], tables) if number < len(sources) else ():
                yield None
                if row is None:
                    continue
                possible = _possible(vital, row)
                if possible is not None:
                    given.setdefault(number, []).append(possible)
                elif not impossible:
                    impossible = (
                        f"{row.value:g} is not from {vital.minimum:g} to {vital.maximum:g} {vital.unit}"
                    )
        return given, impossible

    def _used(self, name: str, given: dict[int, list[VitalRow]]) -> dict[int, list[VitalRow]]:
        """Return the rows that count: own sources before standard ones, the first or all."""
        vital, own, standard = VITALS[name], self._own[name], self._standard[name]
        count = len(own.sources)
        mine = {n: r for n, r in given.items() if n < count}
        if (own.combine or vital.combine) == "first":
            mine = _first(mine, {n for n in mine if own.sources[n].instance == ""})
        if mine and not vital.besides and own.standard != "besides":
            return mine
        others = {n: r for n, r in given.items() if n >= count}
        return mine | (_first(others) if (standard.combine or vital.combine) == "first" else others)

    def _points(self, name: str, used: dict[int, list[VitalRow]]) -> Iterator[Point]:
        count = len(self._own[name].sources)
        own = [row for n, rows in used.items() if n < count for row in rows]
        standard = [row for n, rows in used.items() if n >= count for row in rows]
        return points_of(VITALS[name], _without_repeats(own, standard), self._own[name].whole)


def _possible(vital: Vital, row: VitalRow) -> VitalRow | None:
    """Return the row without amounts that can't be; None where its value can't be."""
    if not is_possible(vital, row.value):
        return None
    if is_amount(row.used) and is_amount(row.total):
        return row
    return VitalRow(row.instance, row.time_ns, row.value)


def _first(
    given: dict[int, list[VitalRow]], of_the_device: Collection[int] = ()
) -> dict[int, list[VitalRow]]:
    """Return the first source that gives anything, and beside several parts the first `of_the_device`.

    One of those that leaves several rows does not say which is the device, and is none.
    """
    parts = [number for number in given if number not in of_the_device][:1]
    whole = [number for number in given if number in of_the_device and len(given[number]) == 1][:1]
    if parts and len(given[parts[0]]) == 1:
        whole = []
    return {number: given[number] for number in whole + parts}


def _without_repeats(own: Iterable[VitalRow], standard: Iterable[VitalRow]) -> list[VitalRow]:
    """Return all rows but those of standard MIBs that are a profile's sensor once more, by name and value."""
    rows = list(own)
    known = {(row.instance, round(row.value)) for row in rows if not row.instance[:1].isdecimal()}
    return rows + [row for row in standard if (row.instance, round(row.value)) not in known]


def points_of(vital: Vital, rows: Sequence[VitalRow], whole: str | None = None) -> Iterator[Point]:
    """Yield the points of a vital sign: one an instance where there are several, and the whole device's.

    A scalar without a name is the whole device's number; else `whole` says how the rows make it.
    """
    whole = whole or vital.whole
    named = _unique([row for row in rows if row.instance])
    unnamed = [row for row in rows if not row.instance]
    if vital.parts and (len(named) > 1 or unnamed or whole == "none"):
        for row in named:
            yield from _row_points(vital, row, row.instance)
    if unnamed:
        yield from _row_points(vital, unnamed[0], "")
    elif whole != "none" and named:
        yield from _row_points(vital, _whole_row(vital, named, whole), "")


def _unique(rows: Sequence[VitalRow]) -> Sequence[VitalRow]:
    """Return the rows with names of their own: those that share one are numbered in their order."""
    if len({row.instance for row in rows}) == len(rows):
        return rows
    count = Counter(row.instance for row in rows)
    seen: Counter[str] = Counter()
    unique = []
    for row in rows:
        if count[row.instance] > 1:
            seen[row.instance] += 1
            row = msgspec.structs.replace(row, instance=f"{row.instance} #{seen[row.instance]}")  # noqa: PLW2901, the same row under a name of its own
        unique.append(row)
    return unique


def _whole_row(vital: Vital, rows: Sequence[VitalRow], whole: str) -> VitalRow:
    match whole:
        case "first":
            return rows[0]
        case "largest":
            return max(rows, key=lambda row: row.total or 0)
        case "maximum":
            return max(rows, key=lambda row: row.value)
    total = _sum(row.total for row in rows)
    used = _sum(row.used for row in rows)
    if whole == "sum" and total and used is not None:
        value = 100 * used / total
    elif whole == "sum" and vital.unit != "percent":
        value = sum(row.value for row in rows)
    else:
        value = sum(row.value for row in rows) / len(rows)
    return VitalRow("", max(row.time_ns for row in rows), value, used, total)


def _sum(numbers: Iterable[float | None]) -> float | None:
    present = [n for n in numbers if n is not None]
    return sum(present) if present else None


def _row_points(vital: Vital, row: VitalRow, instance: str) -> list[Point]:
    return points_of_row(vital, row.value, row.time_ns, instance, used=row.used, total=row.total)
