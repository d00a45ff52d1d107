"""The demo's InfluxDB: points in memory, written by version 2's API and read by a little InfluxQL.

The same statements work on a real InfluxDB 1, and on 2 and 3 through their compatible `/query`:

    SELECT * | field[, field …] | last(field) | count(field) | mean(field) FROM measurement
    [WHERE tag = 'text' | tag =~ /regex/ [AND time >= nanoseconds] …]
    [GROUP BY * | [time(seconds),] tag[, tag …] [fill(none)]] [ORDER BY time DESC] [LIMIT n]

`mean` needs `GROUP BY time(…)`.

Names may stand in double quotes. Not for production: nothing is written to a disk.
"""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from local.influx.http import NANOSECONDS, Answer
from local.influx.line_parser import Malformed, Row, Value, read_line

type Tags = tuple[tuple[str, str], ...]
type Series = dict[int, dict[str, Value]]
type TagTest = tuple[str, Callable[[str], object]]
type TimeTest = Callable[[int], bool]


class MemoryStore:
    """Buckets of series; see `http.Store`. Points older than `retention_seconds` are forgotten."""

    def __init__(
        self, buckets: Iterable[str] = ("network_metrics",), retention_seconds: float | None = None
    ) -> None:
        self._retention_ns = None if retention_seconds is None else int(retention_seconds * 1e9)
        self._buckets: dict[str, dict[str, dict[Tags, Series]]] = {
            name: defaultdict(lambda: defaultdict(dict)) for name in buckets
        }
        self._types: dict[tuple[str, str, str], type] = {}
        self._lock = threading.Lock()

    def write(self, bucket: str, text: bytes, precision: str) -> None:
        self._check(bucket)
        rows, faults = _rows(text)
        with self._lock:
            conflicts = [fault for row in rows if (fault := self._insert(bucket, row, precision))]
        if faults:
            raise Answer(400, "invalid", "partial write: " + "\n".join(faults) + " dropped=0")
        if conflicts:
            message = f"partial write: field type conflict: {conflicts[0]} dropped={len(conflicts)}"
            raise Answer(422, "unprocessable entity", f"failure writing points to database: {message}")

    def _check(self, bucket: str) -> None:
        if bucket not in self._buckets:
            raise Answer(404, "not found", f'bucket "{bucket}" not found')

    def _insert(self, bucket: str, row: Row, precision: str) -> str | None:
        """Merge the row into the point of its time; what is wrong where a field has another type."""
        for field, value in row.fields.items():
            known = self._types.setdefault((bucket, row.measurement, field), type(value))
            if known is not type(value):
                return (
                    f'input field "{field}" on measurement "{row.measurement}" is type '
                    f"{type(value).__name__}, already exists as type {known.__name__}"
                )
        at = time.time_ns() if row.time is None else row.time * NANOSECONDS[precision]
        series = self._buckets[bucket][row.measurement][tuple(sorted(row.tags.items()))]
        series.setdefault(at, {}).update(row.fields)
        self._expire(series)
        return None

    def _expire(self, series: Series) -> None:
        """Points come in about the order of time, so that the first is about the oldest."""
        if self._retention_ns is not None:
            while (oldest := next(iter(series))) < time.time_ns() - self._retention_ns and len(series) > 1:
                del series[oldest]

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        asked = Statement(statement)
        self._check(bucket)
        with self._lock:
            points = sorted(self._points(bucket, asked), key=lambda point: point.time)
        series = [shape for tags, group in _grouped(points, asked) if (shape := _shape(asked, tags, group))]
        return {"results": [{"statement_id": 0, **({"series": series} if series else {})}]}

    def _points(self, bucket: str, asked: "Statement") -> Iterator["_Point"]:
        for tags, series in self._buckets[bucket].get(asked.measurement, {}).items():
            named = dict(tags)
            if all(holds(named.get(tag, "")) for tag, holds in asked.tags):
                for at, fields in series.items():
                    if all(holds(at) for holds in asked.times):
                        yield _Point(at, named, dict(fields))


class _Point(NamedTuple):
    time: int
    tags: dict[str, str]
    fields: dict[str, Value]


_NAME = r'(?:"[^"]+"|\w+)'
_STATEMENT = re.compile(
    rf"""\s*SELECT\s+(?:(?P<function>last|count|mean)\(\s*(?P<argument>{_NAME})\s*\)
        |(?P<fields>\*|{_NAME}(?:\s*,\s*{_NAME})*))
    \s+FROM\s+(?P<measurement>{_NAME})
    (?:\s+WHERE\s+(?P<where>.+?))?
    (?:\s+GROUP\s+BY\s+(?:time\((?P<bucket>\d+)s\)\s*,\s*)?(?P<group>\*|{_NAME}(?:\s*,\s*{_NAME})*)(?:\s+fill\(none\))?)?
    (?P<order>\s+ORDER\s+BY\s+time\s+DESC)?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_CONDITION = re.compile(
    rf"\s*(?:time\s*(?P<compare>>=|<=|=|<|>)\s*(?P<time>\d+)|(?P<tag>{_NAME})\s*"
    r"(?:=\s*'(?P<text>(?:\\.|[^'\\])*)'|=~\s*/(?P<regex>(?:\\.|[^/\\])*)/))\s*",
    re.IGNORECASE,
)
# Called with the bound first: `time >= bound` is `bound <= time`.
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": int.__le__, "<=": int.__ge__, "=": int.__eq__, "<": int.__gt__, ">": int.__lt__,
}  # fmt: skip


class Statement:
    """Holds a parsed statement; raises Answer where it is none of the few."""

    def __init__(self, text: str) -> None:
        match = _STATEMENT.fullmatch(text)
        if match is None:
            raise Answer(400, "invalid", f"error parsing query: {text[:100]!r} is not understood")
        self.function = (match["function"] or "").lower()
        self.fields = _names(match["argument"] or match["fields"])
        """Empty for `*`."""
        self.measurement = match["measurement"].strip('"')
        self.tags, self.times = _conditions(match["where"] or "")
        self.group_by = (_names(match["group"]) or ["*"]) if match["group"] else None
        """`["*"]` for all tags."""
        self.bucket_ns = int(match["bucket"] or 0) * 10**9
        """Of `GROUP BY time(…)`."""
        self.descending = bool(match["order"])
        self.limit = int(match["limit"]) if match["limit"] else None


def _names(text: str) -> list[str]:
    return [] if text == "*" else [name.strip().strip('"') for name in text.split(",")]


def _conditions(where: str) -> tuple[list[TagTest], list[TimeTest]]:
    tags: list[TagTest] = []
    times: list[TimeTest] = []
    position = 0
    while position < len(where):
        match = _CONDITION.match(where, position)
        if match is None:
            raise Answer(400, "invalid", f"error parsing query: {where[position:][:100]!r} is no condition")
        if match["regex"] is not None:
            tags.append((match["tag"].strip('"'), re.compile(match["regex"]).search))
        elif match["tag"]:
            tags.append((match["tag"].strip('"'), re.sub(r"\\(.)", r"\1", match["text"]).__eq__))
        else:
            times.append(partial(_COMPARE[match["compare"]], int(match["time"])))
        position = match.end() + 3 if where[match.end() :][:3].upper() == "AND" else match.end()
    return tags, times


def _rows(text: bytes) -> tuple[list[Row], list[str]]:
    rows, faults = [], []
    for line in text.decode(errors="replace").split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                rows.append(read_line(line.strip()))
            except Malformed as error:
                faults.append(f"unable to parse '{line}': {error}")
    return rows, faults


def _grouped(points: list[_Point], asked: Statement) -> Iterator[tuple[dict[str, str] | None, list[_Point]]]:
    if asked.group_by is None:
        yield None, points
        return
    names = asked.group_by
    if names == ["*"]:
        names = sorted({tag for point in points for tag in point.tags})
    groups: dict[tuple[str, ...], list[_Point]] = defaultdict(list)
    for point in points:
        groups[tuple(point.tags.get(name, "") for name in names)].append(point)
    for key in sorted(groups):
        yield dict(zip(names, key, strict=True)), groups[key]


def _means(rows: list[list[Any]], bucket_ns: int) -> list[list[Any]]:
    if not bucket_ns:
        raise Answer(400, "invalid", "error parsing query: mean needs GROUP BY time(…)")
    buckets: dict[int, list[float]] = defaultdict(list)
    for at, value in rows:
        buckets[at // bucket_ns * bucket_ns].append(value)
    return [[at, sum(values) / len(values)] for at, values in sorted(buckets.items())]


def _shape(asked: Statement, tags: dict[str, str] | None, points: list[_Point]) -> dict[str, Any] | None:
    columns = asked.fields or sorted({key for p in points for key in (*p.fields, *(() if tags else p.tags))})
    rows: list[list[Any]] = [
        [p.time, *((p.fields | p.tags).get(name) for name in columns)]
        for p in points
        if not asked.fields or any(name in p.fields for name in columns)
    ]
    if asked.function == "count":
        rows = [[0, len(rows)]] if rows else []
    elif asked.function == "last":
        rows = rows[-1:]
    elif asked.function == "mean":
        rows = _means(rows, asked.bucket_ns)
    rows = (rows[::-1] if asked.descending else rows)[: asked.limit]
    names = [asked.function] if asked.function else columns
    shape = {"name": asked.measurement, "columns": ["time", *names], "values": rows}
    return (shape | ({"tags": tags} if tags is not None else {})) if rows else None
