"""Make InfluxQL for InfluxDB 1, 2 and 3 that is correct for points reported by exception.

An unchanged value is written every 50 minutes (`domain/polling/changes.py`), so the last value of a series is
searched 70 minutes back. A rate is a counter's increase divided by the time it took, both summed over the
points of a bucket: `sum(difference) / sum(elapsed)`. Polls may drift across the edges of buckets, one may
hold several polls or none, and a counter that does not move counts with its whole duration. A counter that
was reset gives no difference, and no peak.
Sub-queries are never filled: InfluxDB 1 answers `fill(previous)` within them wrongly
where there are two series.
"""

from collections.abc import Sequence
from typing import NamedTuple

HELD_MINUTES = 70
"""Minutes within which every live series has a point, whether its value changed or not."""


class TimeRange(NamedTuple):
    """The two ends of a range of time, as InfluxQL writes them."""

    start: str
    end: str

    def __str__(self) -> str:
        return f"time >= {self.start} AND time <= {self.end}"

    def held(self) -> "TimeRange":
        """Return this window, begun earlier by `HELD_MINUTES`, so that each series has a point before it."""
        return TimeRange(f"{self.start} - {HELD_MINUTES}m", self.end)

    def at_end(self) -> "TimeRange":
        """Return the window of `HELD_MINUTES` before its end, which holds the last values."""
        return TimeRange(f"{self.end} - {HELD_MINUTES}m", self.end)


WHOLE_DEVICE = "\"instance\" = ''"
"""Condition: the value is that of the whole device, not of one of its parts."""
ANY_FAULT = r'"metric_name" =~ /^net_(errors|discards)_(in|out)$/'
"""Condition: the point is a counter of errors or discards."""
SHOWN = TimeRange("${__from}ms", "${__to}ms")
"""Time range of a dashboard; `$timeFilter` is the same, but can't be widened."""


def tag(name: str, value: str) -> str:
    """Return the condition that a tag has this value, or that of a dashboard's variable `$name`.

    A variable is matched as a regular expression, as it may have several values, and as names that devices
    choose may hold quotes, which this form escapes.
    """
    if value.startswith("$"):
        return f'"{name}" =~ /^(${{{value[1:]}:regex}})$/'
    return f"\"{name}\" = '{value}'"


def where(window: TimeRange, *conditions: str) -> str:
    return " WHERE " + " AND ".join([*filter(None, conditions), str(window)])


def group(*tags: str, every: str = "") -> str:
    keys = ([f"time({every})"] if every else []) + [f'"{each}"' for each in tags]
    return (" GROUP BY " + ", ".join(keys) if keys else "") + (" fill(none)" if every else "")


def points(metric: str, window: TimeRange, *conditions: str) -> str:
    """Return `FROM` and `WHERE` for the points of a metric; with `""` the `conditions` select metrics."""
    named = tag("metric_name", metric) if metric else ""
    return f'FROM "device_metrics"{where(window, named, *conditions)}'


def last(metric: str, window: TimeRange, tags: Sequence[str], *conditions: str, name: str = "value") -> str:
    """Return the query of the last value at the end of a window."""
    return f'SELECT last("value") AS "{name}" {points(metric, window.at_end(), *conditions)}{group(*tags)}'


def over_time(
    metric: str,
    window: TimeRange,
    tags: Sequence[str],
    *conditions: str,
    call: str = "mean",
    every: str = "$__interval",
) -> str:
    """Return the query of a measure that every poll writes, by bucket of time."""
    return (
        f'SELECT {call}("value") AS "value" {points(metric, window, *conditions)}{group(*tags, every=every)}'
    )


def moved(
    metric: str, window: TimeRange, *conditions: str, tags: Sequence[str] = ("device_id", "instance")
) -> str:
    """Return the query of a counter's increase between points (`d`) and its milliseconds (`ms`)."""
    return (
        'SELECT non_negative_difference("value") AS "d", elapsed("value", 1ms) AS "ms" '
        f"{points(metric, window, *conditions)}{group(*tags)}"
    )


def rate_over_time(
    metric: str, window: TimeRange, *conditions: str, scale: float = 1, every: str = "$__interval"
) -> str:
    """Return the query of a counter's rate per second, by bucket, of each instance of each device.

    The window should be `held`: an unchanged counter has its points up to 50 minutes apart.
    """
    buckets = group("device_id", "instance", every=every)
    return (
        f'SELECT sum("d") * {1000 * scale:g} / sum("ms") AS "rate"'
        f" FROM ({moved(metric, window, *conditions)}){where(window)}{buckets}"
    )


def sum_over_time(
    metric: str,
    window: TimeRange,
    *conditions: str,
    scale: float = 1,
    every: str = "$__interval",
    tags: Sequence[str] = (),
) -> str:
    """Return the query of the sum of all instances' rates; a bucket has to be two poll intervals long."""
    rates = rate_over_time(metric, window, *conditions, scale=scale, every=every)
    return f'SELECT sum("rate") AS "rate" FROM ({rates}){where(window)}{group(*tags, every=every)}'


def mean_rate(metric: str, window: TimeRange, *conditions: str, scale: float = 1, name: str = "rate") -> str:
    """Return the query of a counter's mean rate over the whole time range of a dashboard."""
    return (
        f'SELECT sum("d") * {1000 * scale:g} / (${{__to}} - ${{__from}}) AS "{name}"'
        f" FROM ({moved(metric, window, *conditions)}){group('device_id', 'instance')}"
    )


def recent_rate(
    metric: str, window: TimeRange, *conditions: str, scale: float = 1, name: str = "rate"
) -> str:
    """Return the query of a counter's rate within a window of a few polls."""
    return (
        f'SELECT sum("d") * {1000 * scale:g} / sum("ms") AS "{name}"'
        f" FROM ({moved(metric, window, *conditions)}){where(window)}{group('device_id', 'instance')}"
    )


def joined(
    columns: Sequence[str],
    queries: Sequence[str],
    *calculated: tuple[str, str],
    tags: Sequence[str] = ("device_id", "instance"),
) -> str:
    """Return a query that joins the results of several queries by series; InfluxQL has no other join.

    Each query gives one value of a series, under a name of its own; `calculated` are pairs of an expression
    over `last("column")` and a name.
    """
    chosen = [f'last("{column}") AS "{column}"' for column in columns]
    chosen += [f'{expression} AS "{name}"' for expression, name in calculated]
    sources = ", ".join(f"({query})" for query in queries)
    return f"SELECT {', '.join(chosen)} FROM {sources}{group(*tags)}"


def top(
    count: int,
    query: str,
    *,
    name: str = "value",
    tags: Sequence[str] = ("device_id", "instance"),
    besides: Sequence[str] = (),
) -> str:
    """Return the query of the rows with the highest values of column `name`, with further columns."""
    keys = ", ".join(f'"{each}"' for each in tags)
    columns = [f'top("{name}", {keys}, {count}) AS "{name}"', *(f'"{column}"' for column in besides)]
    return f"SELECT {', '.join(columns)} FROM ({query})"
