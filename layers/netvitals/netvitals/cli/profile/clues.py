"""Find objects that look like a vital sign by their values and neighbours, where nobody knows their names."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, permutations
from typing import NamedTuple

from netvitals.cli.profile.answers import ObjectGroup, arcs_of
from netvitals.collectors.snmp.profiles.schema import Filter, Source
from netvitals.collectors.snmp.tables import SCALAR

_CELSIUS_UNIT = re.compile(r"^(°|deg(rees?)?\.?)?\s*c(elsius)?$", re.IGNORECASE)
_CELSIUS_TEXT = re.compile(r"^\s*[-+]?\d{1,3}(\.\d+)?\s*(°|deg(rees?)?\.?)?\s*C(elsius)?\b", re.IGNORECASE)
_PERCENT_TEXT = re.compile(r"\d(\.\d+)?\s*%")
_TEMPERATURE_NAME = re.compile(r"temp|inlet|ambient|exhaust|celsius|therm", re.IGNORECASE)
_CPU_NAME = re.compile(r"\bcpu|processor", re.IGNORECASE)
_MEMORY_NAME = re.compile(r"\bmem|\bram\b", re.IGNORECASE)
_DISK_NAME = re.compile(
    r"disk|flash|volume|partition|storage|nand|\braid|\bhdd|\bssd|^/|^[C-Z]:", re.IGNORECASE
)
_PLAUSIBLE_CELSIUS = (5, 110)
_SCALES = (1, 0.1, 0.01, 0.001)
_NEAR = 4
"""Largest distance between two columns, or scalars, of a pair."""
_LEAST_TOTAL = 1024
_LEAST_SHARE = 0.005
"""Least share of a total that counts as used or free; nearly 0 would make any sum fit."""
_AVERAGES_DIFFER, _LEAST_AVERAGE = 25, 6
"""Largest difference of averages over different times; their least maximum: small numbers may be states."""
_ROUNDING = 1.0
"""Tolerance of a percentage, which devices round up or down."""
_TELLING_PERCENT = range(5, 96)
"""Percentages that confirm a pair; smaller and larger ones fit too many pairs."""
_MEGABYTES_UP_TO, _KILOBYTES_UP_TO = 1 << 15, 1 << 28
"""A total below the first is taken for megabytes, below the second for kilobytes, else for bytes."""

Numbers = Mapping[str, Mapping[str, float]]
Texts = Mapping[str, Mapping[str, str]]
"""Values by column and index."""


class Clue(NamedTuple):
    """A source that may be right, the reason, and its weight."""

    section: str
    source: Source
    why: str
    weight: int
    """3: value and neighbours agree; 2: a text says so; 1, 0: only the values are plausible."""


Named = Callable[[str], str]
"""Returns `OID name` for an OID."""


def clues_in(group: ObjectGroup, named: Named) -> Iterator[Clue]:
    """Yield the sources that columns of a table, or neighbouring scalars, may be."""
    numbers, texts = group.numbers(), group.texts()
    yield from _amounts(group, numbers, texts, named)
    yield from _told_by_texts(texts, named)
    yield from _sensors(numbers, texts, named)
    yield from _averages(numbers, named)
    yield from _unnamed_temperatures(numbers, texts, named)


def _amounts(group: ObjectGroup, numbers: Numbers, texts: Texts, named: Named) -> Iterator[Clue]:
    """Yield pairs of used and total that a third column confirms: the difference, or the percentage."""
    section = (
        "disk" if any(_DISK_NAME.search(t) for rows in texts.values() for t in rows.values()) else "memory"
    )
    name = _name_of(texts, named)
    for used, total in permutations(numbers, 2):
        if not _is_part(numbers[used], numbers[total]) or _distance(used, total) > _NEAR:
            continue
        confirmed = _confirmed(numbers, used, total)
        if confirmed is None:
            continue
        percent, why = confirmed
        first = next(iter(numbers[total].values()))
        yield Clue(
            section,
            Source(
                percent=named(percent) if percent else None, used=named(used), total=named(total),
                unit=_unit_of(first), instance=name if len(group.columns[used]) > 1 else None,
            ),
            why,
            3,
        )  # fmt: skip
        return


def _is_part(part: Mapping[str, float], whole: Mapping[str, float]) -> bool:
    return part.keys() == whole.keys() and all(
        total * _LEAST_SHARE < part[index] < total and total >= _LEAST_TOTAL for index, total in whole.items()
    )


def _confirmed(numbers: Numbers, used: str, total: str) -> tuple[str | None, str] | None:
    """Return the percentage's column, if one confirms the pair, and the reason for a person."""
    index = next(iter(numbers[total]))
    for other, rows in numbers.items():
        if other in (used, total) or rows.keys() != numbers[total].keys() or _distance(other, total) > _NEAR:
            continue
        pairs = [(rows[i], numbers[used][i], numbers[total][i]) for i in rows]
        if all(int(p) in _TELLING_PERCENT and abs(p - 100 * u / t) <= _ROUNDING for p, u, t in pairs):
            part, whole = numbers[used][index], numbers[total][index]
            return other, f"{rows[index]:g} is the percentage that {part:.0f} is of {whole:.0f}"
        if all(p > t * _LEAST_SHARE and p != u and abs(p + u - t) <= t / 1000 for p, u, t in pairs):
            return None, (
                f"{numbers[used][index]:.0f} and {rows[index]:.0f} make {numbers[total][index]:.0f}: "
                "one is used, one free; say free: where it is the other way round"
            )
    return None


def _distance(one: str, other: str) -> int:
    """Return how far two columns, or scalars, are apart."""
    first, second = arcs_of(one.removesuffix(SCALAR)), arcs_of(other.removesuffix(SCALAR))
    return abs(first[-1] - second[-1]) if first[:-1] == second[:-1] else _NEAR + 1


def _unit_of(total: float) -> int:
    return 1 << 20 if total < _MEGABYTES_UP_TO else 1 << 10 if total < _KILOBYTES_UP_TO else 1


def _told_by_texts(texts: Texts, named: Named) -> Iterator[Clue]:
    """Yield columns of texts that hold a value with its unit: `41 C`, `cpu-usage: 1.5 %`."""
    for column, rows in texts.items():
        told = next((text for text in rows.values() if text), "")
        instance = "{index}" if not column.endswith(SCALAR) else None
        if all(_CELSIUS_TEXT.search(text) for text in rows.values()):
            source = Source(value=named(column), instance=instance or _last_arc(column))
            yield Clue("temperature", source, f"{told!r}", 2)
        elif _PERCENT_TEXT.search(told) and (section := _section_of(told)):
            number = r"(\d+(?:\.\d+)?)\s*%"
            yield Clue(section, Source(percent=named(column), text=number, instance=instance), f"{told!r}", 2)


def _section_of(text: str) -> str | None:
    rules = (("cpu", _CPU_NAME), ("memory", _MEMORY_NAME), ("disk", _DISK_NAME))
    return next((section for section, rule in rules if rule.search(text)), None)


def _last_arc(column: str) -> str:
    return f"Sensor {column.removesuffix(SCALAR).rpartition('.')[2]}"


def _sensors(numbers: Numbers, texts: Texts, named: Named) -> Iterator[Clue]:
    """Yield readings beside a column of names: sensors with a unit, rows called temperature or CPU."""
    name = _name_of(texts, named)
    for column, labels in texts.items():
        if rule := _units_of(column, labels, named):
            indexes = [index for index, label in labels.items() if _CELSIUS_UNIT.match(label)]
            yield from _temperatures(
                numbers,
                indexes,
                (rule,),
                name,
                named=named,
                why=f"the unit beside it is {labels[indexes[0]]!r}",
            )
        elif indexes := [index for index, label in labels.items() if _TEMPERATURE_NAME.search(label)]:
            rules = (
                ()
                if len(indexes) == len(labels)
                else (Filter(column=named(column), matches="temp|inlet|ambient|exhaust|therm"),)
            )
            yield from _temperatures(
                numbers, indexes, rules, name, named=named, why=f"it is called {labels[indexes[0]]!r}"
            )
        elif all(_CPU_NAME.search(label) for label in labels.values()):
            yield from _loads(numbers, labels, name, named)


def _units_of(column: str, labels: Mapping[str, str], named: Named) -> Filter | None:
    units = tuple(dict.fromkeys(label for label in labels.values() if _CELSIUS_UNIT.match(label)))
    return Filter(column=named(column), any=units) if units and not column.endswith(SCALAR) else None


def _temperatures(
    numbers: Numbers, indexes: list[str], rules: tuple[Filter, ...], name: str, *, named: Named, why: str
) -> Iterator[Clue]:
    for column, rows in numbers.items():
        values = [rows[index] for index in indexes if index in rows]
        scale = _scale_of(values)
        if scale is None or _count_on(values):
            continue
        seen = ", ".join(f"{value:g}" for value in values[:3])
        instance = _last_arc(column) if column.endswith(SCALAR) else name
        yield Clue(
            "temperature",
            Source(value=named(column), multiply=scale, where=rules, instance=instance),
            f"{seen}; {why}",
            3,
        )
        return


def _scale_of(values: list[float]) -> float | None:
    """Return the factor that converts all values to plausible degrees Celsius; None where there is none."""
    low, high = _PLAUSIBLE_CELSIUS
    return next((s for s in _SCALES if values and all(low <= value * s <= high for value in values)), None)


def _loads(numbers: Numbers, labels: Mapping[str, str], name: str, named: Named) -> Iterator[Clue]:
    for column, rows in numbers.items():
        values = list(rows.values())
        if rows.keys() == labels.keys() and _are_percentages(values) and not _count_on(values):
            label = next(iter(labels.values()))
            seen = ", ".join(f"{value:g}" for value in values[:3])
            source = Source(percent=named(column), instance=None if column.endswith(SCALAR) else name)
            yield Clue("cpu", source, f"{seen}; it is called {label!r}", 2)
            return


def _are_percentages(values: list[float]) -> bool:
    return all(0 <= value <= 100 for value in values) and any(value > 1 for value in values)  # noqa: PLR2004, percent


def _count_on(values: list[float]) -> bool:
    """Return whether the values count up by one (7, 8, 9): numbers of the rows, not readings."""
    return len(values) > 1 and all(after - before == 1 for before, after in pairwise(values))


def _name_of(texts: Texts, named: Named) -> str:
    """Return as instance the first column whose texts differ from row to row; else the index."""
    for column, rows in texts.items():
        if not column.endswith(SCALAR) and len(set(rows.values())) == len(rows):
            return named(column)
    return "{index}"


def _averages(numbers: Numbers, named: Named) -> Iterator[Clue]:
    """Yield three neighbouring percentages that are close together: averages over different times."""
    columns = sorted(numbers, key=arcs_of)
    for three in zip(columns, columns[1:], columns[2:], strict=False):
        first, last = three[0], three[2]
        values = [list(numbers[column].values()) for column in three]
        flat = [value for each in values for value in each]
        near = len({len(each) for each in values}) == 1 and all(
            min(same) > 0 and max(same) - min(same) <= _AVERAGES_DIFFER and len(set(same)) > 1
            for same in zip(*values, strict=True)
        )
        if near and _distance(first, last) == 2 and _are_percentages(flat) and max(flat) >= _LEAST_AVERAGE:  # noqa: PLR2004, the column after the next
            seen = ", ".join(f"{each[0]:g}" for each in values)
            instance = None if first.endswith(SCALAR) else "{index}"
            source = Source(percent=named(last), instance=instance)
            yield Clue("cpu", source, f"{seen} side by side, as averages are", 0)
            return


def _unnamed_temperatures(numbers: Numbers, texts: Texts, named: Named) -> Iterator[Clue]:
    """Yield columns of several different values that are plausible degrees Celsius."""
    for column, rows in numbers.items():
        values = list(rows.values())
        varied = len(values) > 1 and len(set(values)) > 1 and not _count_on(values)
        if varied and all(15 <= value <= 90 for value in values):  # noqa: PLR2004, of rooms and chips
            seen = ", ".join(f"{value:g}" for value in values[:3])
            source = Source(value=named(column), instance=_name_of(texts, named))
            yield Clue("temperature", source, f"{seen}: degrees would be so", 1)
