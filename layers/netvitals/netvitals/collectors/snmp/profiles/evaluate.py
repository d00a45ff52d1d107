"""Make rows of numbers from a profile's source and what was read of a device, without asking it."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import isfinite, log10

import msgspec

from netvitals.collectors.snmp.profiles.schema import (
    Filter,
    InterfaceSource,
    Lookup,
    Number,
    Source,
    Term,
    oid_of,
    terms_of,
)
from netvitals.collectors.snmp.tables import Tables, Value, text_of
from netvitals.domain.patterns import LONGEST_TEXT, compiled

_FIRST_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)
"""Expression for the first number in a text; it does not backtrack."""
_UNITS_SCALE = 9
"""Number of EntitySensorDataScale units(9); each step is a factor of 1000 (RFC 3433)."""
_SCALES = range(1, 18)
_PRECISIONS = range(-8, 10)
_POWERS = range(-24, 25)
_WORD = 1 << 32
_STORAGE = "1.3.6.1.2.1.25.2.3.1."
"""OID of hrStorageEntry, up to the column."""


class VitalRow(msgspec.Struct, frozen=True, gc=False):
    """One instance of a vital sign, in the metric's unit; bytes used and in all where a source has them."""

    instance: str
    time_ns: int
    value: float
    used: float | None = None
    total: float | None = None


def number_of(value: Value, text_pattern: str | None = None) -> float | None:
    """Return the finite number that a value is, or that its text holds; None where there is none."""
    if isinstance(value, bytes):
        return _number_in(text_of(value), text_pattern)
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _number_in(text: str, pattern: str | None) -> float | None:
    if pattern is None:
        match = _FIRST_NUMBER.search(text[:LONGEST_TEXT])
        found = match[0] if match else None
    else:
        found = compiled(pattern).first(text)
    try:
        number = float(found or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


class Cells:
    """Looks up the value of a profile's term in a row."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def cell(self, term: Term, index: str) -> Value:
        """Return the value of a column's row, or of another table's row that this one points to."""
        if isinstance(term, Lookup):
            key = self._key(term.key, index)
            return None if key is None else self.tables.value(oid_of(term.column), key)
        return self.tables.value(oid_of(term), index)

    def _key(self, key: str, index: str) -> str | None:
        if key.startswith("index"):
            return index_part(key, index)
        if key.startswith("row "):
            return key.removeprefix("row ")
        found = self.cell(key, index)
        return None if found is None else text_of(found)

    def passes(self, rule: Filter, index: str) -> bool:
        """Return whether a row counts."""
        value = index if rule.column == "index" else self.cell(rule.column, index)
        if value is None:
            return not rule.any and rule.matches is None
        text = text_of(value)
        if rule.any and text not in map(str, rule.any):
            return False
        if text in map(str, rule.none):
            return False
        if rule.matches is not None and not compiled(rule.matches, ignore_case=True).found_in(text):
            return False
        return rule.not_matches is None or not compiled(rule.not_matches, ignore_case=True).found_in(text)

    def instance(self, source: Source | InterfaceSource, index: str, number: int = 0) -> str:
        """Return what the row, of this number in its table, is called; empty where nothing gives a name."""
        given = source.instance
        if given is None:
            return ""
        if isinstance(given, Lookup) or given[:2] == "1.":
            return text_of(self.cell(given, index))
        name = text_of(self.cell(source.name, index)) if source.name is not None else ""
        if isinstance(source, Source) and source.name_text is not None:
            name = _part_of(name, source.name_text)
        text = given.replace("{name}", name).replace("{number}", str(number))
        return re.sub(r"\{(index[^}]*)\}", lambda m: index_part(m[1], index) or "", text).strip()


@lru_cache(maxsize=4096)  # devices of a model name their parts alike
def _part_of(name: str, pattern: str) -> str:
    return compiled(pattern, ignore_case=True).first(name) or name


@lru_cache(maxsize=4096)
def index_part(key: str, index: str) -> str | None:
    """Return the part of a row's index that `index`, `index[0]` or `index[1:]` names, or None."""
    arcs = index.split(".")
    match = re.fullmatch(r"index(?:\[(-?\d*)(:?)(-?\d*)\])?", key)
    if match is None:
        return None
    start, colon, stop = match[1], match[2], match[3]
    if start is None:
        return index
    if colon:
        return ".".join(arcs[slice(int(start) if start else None, int(stop) if stop else None)])
    position = int(start)
    return arcs[position] if -len(arcs) <= position < len(arcs) else None


def indexes_of(terms: Iterable[Term], tables: Tables) -> Iterator[tuple[str, str]]:
    """Yield index and OID of every row of the first term that is there; a scalar is one row without index."""
    for term in terms:
        oid = oid_of(term.key if isinstance(term, Lookup) and term.key[0] == "1" else _column(term))
        if oid.endswith(".0"):
            if tables.value(oid) is not None:
                yield "", oid
                return
        elif rows := tables.column(oid):
            for index in rows:
                yield index, oid
            return


def _column(term: Term) -> str:
    return term.column if isinstance(term, Lookup) else term


class _Reader(Cells):
    """Reads the numbers of one source's rows."""

    def __init__(self, source: Source, tables: Tables) -> None:
        super().__init__(tables)
        self._source = source

    def number(self, term: Term | Number, index: str) -> float | None:
        if isinstance(term, int | float):
            return float(term)
        source = self._source
        number = number_of(self.cell(term, index), source.text)
        if number is None or number in source.drop:
            return None
        if source.signed and number >= 1 << (source.signed - 1):
            number -= 1 << source.signed
        if isinstance(term, str) and term in source.high_words:
            high = number_of(self.cell(source.high_words[term], index))
            # Without its high word, a disk of 5 GiB would have 1.
            number = None if high is None else high * _WORD + number % _WORD
        return number

    def measured(self, term: Term, index: str) -> float | None:
        """Return the number that a value means where the source lists meanings, else the value's own."""
        meaning = self._source.meaning
        return meaning.get(text_of(self.cell(term, index))) if meaning else self.number(term, index)

    def total_of(self, terms: Term | tuple[Term, ...] | None, index: str) -> float | None:
        """Return the sum of the terms that are there; None where none is."""
        if terms is None:
            return None
        numbers = [self.number(t, index) for t in (terms if isinstance(terms, tuple) else (terms,))]
        present = [n for n in numbers if n is not None]
        return sum(present) if present else None


def rows_of(source: Source, tables: Tables) -> Iterator[VitalRow | None]:
    """Yield the rows that a source gives, in the order in which they were read; None for what is no row."""
    if source.builtin:
        yield from _host_resources_memory(tables)
        return
    reader = _Reader(source, tables)
    for number, (index, oid) in enumerate(indexes_of(terms_of(source), tables), 1):
        if not all(reader.passes(rule, index) for rule in source.where):
            yield None
        elif source.each:
            yield from _each(source, reader, index, tables.time_ns(oid, index))
        else:
            yield _row(source, reader, index, number, tables.time_ns(oid, index))


def _each(source: Source, reader: _Reader, index: str, time_ns: int) -> Iterator[VitalRow | None]:
    """Yield a row for every number in the value's text."""
    assert source.value is not None  # noqa: S101, a source with `each` has it
    name = reader.instance(source, index) or index
    text = text_of(reader.cell(source.value, index))
    for number, found in enumerate(compiled(source.text or "").each(text), 1):
        raw = number_of(found.encode())
        value = None if raw in source.drop else _converted(source, reader, index, raw)
        yield None if value is None else VitalRow(f"{name} {number}", time_ns, value)


def _row(source: Source, reader: _Reader, index: str, number: int, time_ns: int) -> VitalRow | None:
    name = "" if source.instance == "" else reader.instance(source, index, number) or index
    if source.value is not None:
        value = _converted(source, reader, index, reader.measured(source.value, index))
        return None if value is None else VitalRow(name, time_ns, value)
    used, total = _amounts(source, reader, index)
    percent = _percent(source, reader, index, used, total)
    if percent is None or not _within(source, percent):
        return None
    if used is None and total is not None:
        used = total * percent / 100
    return VitalRow(name, time_ns, percent, used, total)


def _converted(source: Source, reader: _Reader, index: str, number: float | None) -> float | None:
    """Return a raw number in the metric's unit; None where it is no measurement."""
    if number is None:
        return None
    number = number * source.multiply * _power_of_ten(source, reader, index) + source.add
    if _is_fahrenheit(source, reader, index):
        number = (number - 32) * 5 / 9
    if source.milliwatts:
        if number <= 0:
            return None
        number = 10 * log10(number)
    return number if _within(source, number) else None


def _is_fahrenheit(source: Source, reader: _Reader, index: str) -> bool:
    rule = source.fahrenheit
    return reader.passes(rule, index) if isinstance(rule, Filter) else rule


def _power_of_ten(source: Source, reader: _Reader, index: str) -> float:
    if source.exponent is None:
        return 1
    power = 0
    scale = source.exponent.scale and number_of(reader.cell(source.exponent.scale, index))
    if scale and scale in _SCALES:
        power += 3 * (int(scale) - _UNITS_SCALE)
    precision = source.exponent.precision and number_of(reader.cell(source.exponent.precision, index))
    if precision and precision in _PRECISIONS:
        power -= int(precision)
    plain = source.exponent.power and number_of(reader.cell(source.exponent.power, index))
    if plain and plain in _POWERS:
        power += int(plain)
    return 10.0**power


def _within(source: Source, number: float) -> bool:
    return (source.minimum is None or number >= source.minimum) and (
        source.maximum is None or number <= source.maximum
    )


def _amounts(source: Source, reader: _Reader, index: str) -> tuple[float | None, float | None]:
    """Return bytes used and in all, as far as the source has them."""
    unit = reader.number(source.unit, index)
    if unit is None or unit <= 0:
        return None, None
    used, free = reader.total_of(source.used, index), reader.total_of(source.free, index)
    total = None if source.total is None else reader.number(source.total, index)
    if total is None and used is not None and free is not None:
        total = used + free
    if used is None and free is not None and total is not None:
        used = total - free
    if total is not None and total <= 0:
        total = used = None
    return (None if used is None else used * unit), (None if total is None else total * unit)


def _percent(
    source: Source, reader: _Reader, index: str, used: float | None, total: float | None
) -> float | None:
    """Return the percentage of use that the device gives, or that follows from the amounts."""
    if source.percent is not None:
        given = reader.number(source.percent, index)
        return None if given is None else given * source.multiply + source.add
    if source.idle is not None:
        given = reader.number(source.idle, index)
        return None if given is None else 100 - (given * source.multiply + source.add)
    if used is None or not total or not 0 <= used <= total:
        return None
    return 100 * used / total


def _host_resources_memory(tables: Tables) -> Iterator[VitalRow | None]:
    """Yield RAM of HOST-RESOURCES-MIB (RFC 2790); in use is what no program could have.

    net-snmp counts buffers and cache as used. From 5.9 on it has a row of what is available (Linux'
    MemAvailable, as the size of that row), before that rows of both of them, which the kernel gives back.
    """
    reclaimable, available = 0.0, None
    for index in tables.column(_STORAGE + "3"):
        name = tables.text(_STORAGE + "3", index)
        if name in ("Memory buffers", "Cached memory"):
            reclaimable += max(_storage_bytes(tables, index)[0] or 0, 0)
        elif name == "Available memory":
            available = _storage_bytes(tables, index)[1]
        yield None
    for index in tables.column(_STORAGE + "2"):
        yield _memory_row(tables, index, reclaimable, available)


def _memory_row(tables: Tables, index: str, reclaimable: float, available: float | None) -> VitalRow | None:
    used, total = _storage_bytes(tables, index)
    kind, name = (tables.text(_STORAGE + column, index) for column in "23")
    # Some agents write the type as a scalar: hrStorageRam.0.
    if not kind.removesuffix(".0").endswith(".25.2.1.2") or used is None or not total:
        return None
    if name == "Physical memory":
        if available is not None and available <= total:
            used = total - available
        elif 0 < reclaimable <= used:
            used -= reclaimable
    if not 0 <= used <= total:
        return None
    return VitalRow(name or index, tables.time_ns(_STORAGE + "6", index), 100 * used / total, used, total)


def _storage_bytes(tables: Tables, index: str) -> tuple[float | None, float | None]:
    """Return a row's bytes used and in all; None for what it does not tell or can't be."""
    unit, size, used = (number_of(tables.value(_STORAGE + column, index)) for column in "456")
    if not unit or unit < 0:
        return None, None
    return (None if used is None else used * unit), (size * unit if size and size > 0 else None)
