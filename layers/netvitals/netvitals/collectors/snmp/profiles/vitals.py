"""A device's vital signs: which sources of its profile are asked, and the points that the answers make."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from netvitals.collectors.snmp.profiles.answers import Answers
from netvitals.collectors.snmp.profiles.evaluate import Row, host_resources_memory, rows_of
from netvitals.collectors.snmp.profiles.schema import (
    SECTIONS,
    InterfaceSource,
    Profile,
    Section,
    SectionName,
    Source,
    oid_of,
    references_of,
)
from netvitals.domain.polling.point import Point

Chosen = Mapping[str, Sequence[int]]
"""By section, the sources that gave something: own ones first, then those of the standard MIBs."""

_PREFIX: dict[SectionName, str] = {"cpu": "cpu", "memory": "memory", "disk": "disk"}
_DEFAULT_WHOLE = {"cpu": "average", "memory": "largest", "temperature": "none", "disk": "none"}


class Reads(msgspec.Struct, frozen=True):
    """What has to be asked for: OIDs of scalars and of columns, each once."""

    scalars: tuple[str, ...]
    columns: tuple[str, ...]


def reads_of(sources: Iterable[Source | InterfaceSource]) -> Reads:
    """What the sources need."""
    oids = dict.fromkeys(oid_of(column) for source in sources for column in references_of(source))
    return Reads(
        scalars=tuple(o for o in oids if o.endswith(".0")),
        columns=tuple(o for o in oids if not o.endswith(".0")),
    )


class Vitals:
    """The sources of one profile and of the standard MIBs behind it."""

    def __init__(self, profile: Profile, standard: Profile) -> None:
        self._sections = {name: profile.section(name) for name in SECTIONS}
        self._standard = {name: standard.section(name) for name in SECTIONS}
        if profile.name == standard.name:
            self._sections = {name: Section() for name in SECTIONS}

    def sources(self, name: SectionName) -> tuple[Source, ...]:
        own = self._sections[name]
        return own.sources + (self._standard[name].sources if own.standard else ())

    def everything(self) -> Chosen:
        return {name: range(len(self.sources(name))) for name in SECTIONS}

    def reads(self, chosen: Chosen) -> Reads:
        """What to ask for so that these sources can be evaluated."""
        return reads_of(
            source
            for name in SECTIONS
            for number, source in enumerate(self.sources(name))
            if number in chosen.get(name, ())
        )

    def evaluate(self, chosen: Chosen, answers: Answers) -> tuple[list[Point], dict[str, list[int]]]:
        """The points, and the sources that they came from."""
        points: list[Point] = []
        productive: dict[str, list[int]] = {}
        for name in SECTIONS:
            used = self._rows(name, chosen.get(name, ()), answers)
            if used:
                productive[name] = list(used)
                count = len(self._sections[name].sources)
                own = [row for n, rows in used.items() if n < count for row in rows]
                standard = [row for n, rows in used.items() if n >= count for row in rows]
                points += points_of(name, _without_repeats(own, standard), self._whole(name))
        return points, productive

    def _whole(self, name: SectionName) -> str:
        return self._sections[name].whole or _DEFAULT_WHOLE[name]

    def _rows(self, name: SectionName, chosen: Iterable[int], answers: Answers) -> dict[int, list[Row]]:
        """By source, the rows that count: own sources before standard ones, the first or all."""
        own, sources = self._sections[name], self.sources(name)
        given = {n: rows for n in chosen if n < len(sources) and (rows := read_source(sources[n], answers))}
        mine = _combined({n: r for n, r in given.items() if n < len(own.sources)}, own.combine)
        if mine and name != "temperature" and own.standard != "besides":
            return mine
        standard = {n: r for n, r in given.items() if n >= len(own.sources)}
        return mine | _combined(standard, self._standard[name].combine)


def _combined(given: dict[int, list[Row]], combine: str) -> dict[int, list[Row]]:
    return given if combine == "all" else dict(list(given.items())[:1])


def _without_repeats(own: Iterable[Row], standard: Iterable[Row]) -> list[Row]:
    """All rows, less those of standard MIBs that are a profile's sensor once more, by name and value."""
    rows = list(own)
    known = {(row.instance, round(row.value)) for row in rows if not row.instance[:1].isdecimal()}
    return rows + [row for row in standard if (row.instance, round(row.value)) not in known]


def read_source(source: Source, answers: Answers) -> list[Row]:
    """The rows that a source gives, whether or not they are needed."""
    return host_resources_memory(answers) if source.builtin else rows_of(source, answers)


def points_of(name: SectionName, rows: Sequence[Row], whole: str) -> list[Point]:
    """The points of a section: one an instance where there are several, and the whole device's.

    A scalar without a name is the whole device's number; else `whole` says how the rows make it.
    """
    named = _unique([row for row in rows if row.instance])
    unnamed = [row for row in rows if not row.instance]
    points: list[Point] = []
    if len(named) > 1 or unnamed or whole == "none":
        for row in named:
            points += _row_points(name, row, row.instance)
    if unnamed:
        points += _row_points(name, unnamed[0], "")
    elif whole != "none" and named:
        points += _row_points(name, _whole_row(named, whole), "")
    return points


def _unique(rows: Sequence[Row]) -> list[Row]:
    """The rows with names of their own: those that share one are numbered in their order."""
    count = Counter(row.instance for row in rows)
    seen: Counter[str] = Counter()
    unique = []
    for row in rows:
        if count[row.instance] > 1:
            seen[row.instance] += 1
            row = msgspec.structs.replace(row, instance=f"{row.instance} #{seen[row.instance]}")  # noqa: PLW2901, renamed
        unique.append(row)
    return unique


def _whole_row(rows: Sequence[Row], whole: str) -> Row:
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
    else:
        value = sum(row.value for row in rows) / len(rows)
    return Row("", max(row.time_ns for row in rows), value, used, total)


def _sum(numbers: Iterable[float | None]) -> float | None:
    present = [n for n in numbers if n is not None]
    return sum(present) if present else None


def _row_points(name: SectionName, row: Row, instance: str) -> Iterator[Point]:
    if name == "temperature":
        yield Point("temperature_celsius", round(row.value, 3), row.time_ns, instance)
        return
    prefix = _PREFIX[name]
    yield Point(f"{prefix}_percent", round(row.value, 3), row.time_ns, instance)
    if name != "cpu":
        if row.used is not None:
            yield Point(f"{prefix}_used_bytes", row.used, row.time_ns, instance)
        if row.total is not None:
            yield Point(f"{prefix}_total_bytes", row.total, row.time_ns, instance)
