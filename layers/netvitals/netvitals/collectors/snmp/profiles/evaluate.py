"""From a profile's source and a device's answers to numbers: pure, so that it can be explained and tested."""

from collections.abc import Iterator

import msgspec

from netvitals.collectors.snmp.profiles.answers import Answers, Table, Value, text_of
from netvitals.collectors.snmp.profiles.cells import Cells, compiled, indexes_of, instance_of, passes
from netvitals.collectors.snmp.profiles.schema import Filter, Number, Source, Term, terms_of

_FIRST_NUMBER = r"([-+]?\d+(?:\.\d+)?)"
_UNITS_SCALE = 9
"""EntitySensorDataScale units(9); each step is a factor of 1000 (RFC 3433)."""
_SCALES = range(1, 18)
_PRECISIONS = range(-8, 10)
_POWERS = range(-24, 25)
_ABSOLUTE_ZERO = -273.15
_WORD = 1 << 32


class Row(msgspec.Struct, frozen=True):
    """One instance of a metric. Percentages of use, bytes, or degrees Celsius."""

    instance: str
    time_ns: int
    value: float
    used: float | None = None
    total: float | None = None


def number_of(value: Value, text_pattern: str | None = None) -> float | None:
    """The number that a value is, or that its text holds."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, bytes):
        match = compiled(text_pattern or _FIRST_NUMBER).search(text_of(value))
        try:
            return float(match[1]) if match else None
        except (TypeError, ValueError):
            return None
    return None


class _Reader(Cells):
    """Reads the numbers of one source's rows."""

    def __init__(self, source: Source, answers: Answers) -> None:
        super().__init__(answers)
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
            high = number_of(self.cell(source.high_words[term], index)) or 0
            number = high * _WORD + number % _WORD
        return number

    def total_of(self, terms: Term | tuple[Term, ...] | None, index: str) -> float | None:
        """The sum of the terms that are there; None where none is."""
        if terms is None:
            return None
        numbers = [self.number(t, index) for t in (terms if isinstance(terms, tuple) else (terms,))]
        present = [n for n in numbers if n is not None]
        return sum(present) if present else None


def rows_of(source: Source, answers: Answers) -> list[Row]:
    """The rows that a source gives, in the order of their indexes; empty where the device has none."""
    reader = _Reader(source, answers)
    rows: list[Row] = []
    for index, oid in indexes_of(terms_of(source), answers):
        if not all(passes(rule, reader, index) for rule in source.where):
            continue
        time_ns = answers.time_ns(oid, index)
        if source.each:
            rows += _each(source, reader, index, time_ns)
        elif row := _row(source, reader, index, time_ns):
            rows.append(row)
    return rows


def _each(source: Source, reader: _Reader, index: str, time_ns: int) -> Iterator[Row]:
    """A row for every number in the value's text."""
    assert source.value is not None  # noqa: S101, a source with `each` has it
    name = instance_of(source, reader, index) or index
    text = text_of(reader.cell(source.value, index))
    for number, match in enumerate(compiled(source.text or "").finditer(text), 1):
        raw = number_of(match[1].encode())
        value = None if raw in source.drop else _converted(source, reader, index, raw)
        if value is not None:
            yield Row(f"{name} {number}", time_ns, value)


def _row(source: Source, reader: _Reader, index: str, time_ns: int) -> Row | None:
    name = instance_of(source, reader, index) or index
    if source.value is not None:
        value = _measure(source, reader, index)
        return None if value is None else Row(name, time_ns, value)
    used, total = _amounts(source, reader, index)
    percent = _percent(source, reader, index, used, total)
    if percent is None or not _within(source, percent):
        return None
    if used is None and total is not None:
        used = total * percent / 100
    return Row(name, time_ns, percent, used, total)


def _measure(source: Source, reader: _Reader, index: str) -> float | None:
    assert source.value is not None  # noqa: S101, the caller has looked
    return _converted(source, reader, index, reader.number(source.value, index))


def _converted(source: Source, reader: _Reader, index: str, number: float | None) -> float | None:
    """A raw number in degrees Celsius; None where it is no measurement."""
    if number is None:
        return None
    number = number * source.multiply * _power_of_ten(source, reader, index) + source.add
    if _is_fahrenheit(source, reader, index):
        number = (number - 32) * 5 / 9
    return number if number >= _ABSOLUTE_ZERO and _within(source, number) else None


def _is_fahrenheit(source: Source, reader: _Reader, index: str) -> bool:
    rule = source.fahrenheit
    return passes(rule, reader, index) if isinstance(rule, Filter) else rule


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
    """Bytes used and in all, as far as the source tells."""
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
    """The percentage of use that the device gives, or that follows from the amounts."""
    if source.percent is not None:
        given = reader.number(source.percent, index)
        return None if given is None else given * source.multiply + source.add
    if source.idle is not None:
        given = reader.number(source.idle, index)
        return None if given is None else 100 - (given * source.multiply + source.add)
    if used is None or not total or not 0 <= used <= total:
        return None
    return 100 * used / total


def host_resources_memory(answers: Answers) -> list[Row]:
    """RAM of HOST-RESOURCES-MIB (RFC 2790), without what the kernel would give back at once.

    net-snmp counts buffers and cache as used and lists them as rows of their own.
    """
    storage = "1.3.6.1.2.1.25.2.3.1."
    types, names, units, sizes, useds = (answers.column(storage + c) for c in "23456")
    rows = [i for i, kind in types.items() if str(text_of(kind)).strip().endswith(".25.2.1.2")]
    reclaimable = sum(_reclaimable(names, units, useds))
    found = []
    for index in rows:
        unit, size, used = (number_of(column.get(index)) for column in (units, sizes, useds))
        if not unit or not size or used is None or size < 0:
            continue
        name, used_bytes, total = text_of(names.get(index)), used * unit, size * unit
        if name == "Physical memory" and 0 < reclaimable <= used_bytes:
            used_bytes -= reclaimable
        if 0 <= used_bytes <= total:
            time_ns = answers.time_ns(storage + "6", index)
            found.append(Row(name or index, time_ns, 100 * used_bytes / total, used_bytes, total))
    return found


def _reclaimable(names: Table, units: Table, useds: Table) -> Iterator[float]:
    for index, name in names.items():
        if text_of(name) in ("Memory buffers", "Cached memory"):
            unit, used = number_of(units.get(index)), number_of(useds.get(index))
            if unit and used and used > 0:
                yield unit * used
