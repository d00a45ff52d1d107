"""Report by exception: write what moved, hold back what stands still, and lose neither a value nor a rate.

InfluxDB bills what it is sent, and most of what a switch answers is what it answered five minutes before. So
a series is written with a poll when it moved, and otherwise only with the full writes, every 50 minutes. The
samples that were held back are remembered, one a series: when a series moves, its last unchanged sample is
written too, at its own time, and the rate between the two is the rate that was. A series that is missing from
a poll, or a device that does not answer, has its held sample written likewise. So the line through the points
written is the line through all points, and a query that reads 70 minutes back gives the same last values.

A metric may have a deadband: within it, a value counts as the one written last, and so do the samples
that are held back.

Samples are held back only against the poll directly before (`due_at` less one interval): a poll that overlaps
with it, or follows one that was never recorded, writes everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.point import Point

FULL_SECONDS = 3000
"""Seconds between two full writes of a device: with an interval of up to 20 minutes less than 70 minutes
pass."""
UPTIME_SLACK_SECONDS = 5.0
"""Seconds by which an uptime may differ from what the one written last makes expect, and count as
unchanged."""
REBOOT_SLACK_SECONDS = 60.0
"""Seconds by which an uptime is behind the expected one after a reboot, which resets counters."""

_EVERY_POLL = frozenset(name for name, spec in METRICS.items() if spec.every_poll)
_DEADBANDS = {
    name: (spec.deadband, spec.deadband_percent)
    for name, spec in METRICS.items()
    if spec.deadband or spec.deadband_percent
}
_UPTIMES = frozenset({"uptime_seconds", "agent_uptime_seconds"})
_GOOD = frozenset({("ping_status", 1), ("ping_loss_percent", 0)})
LOST_KEY = "ping_lost"
"""Key of device memory: true where the newest poll lost echoes."""
BOOTED_KEY = "booted_at"
"""Key of device memory: the device's start, in seconds since the epoch."""

_metric_of = attrgetter("metric_name")


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest value of a series; while that moves within its deadband, the value written last."""

    value: float | int
    time_ns: int
    if_index: int | None
    held: bool
    """True where the sample was held back because its value was unchanged."""
    alias: str = ""


type Series = dict[str, dict[str, Sample]]
"""Samples by metric and instance, for which a poll has at most one point."""


class InterfaceInfo(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Texts about an interface, stored in a measurement of their own."""

    instance: str
    description: str = ""
    """Description that the operator gave it: ifAlias."""
    type: str = ""
    """Type of the interface, by its name in IANAifType-MIB."""
    if_index: int | None = None


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """Samples that the polls of a device up to `due_at` have left for the next one."""

    due_at: int
    full_at: int
    """The due time of the last full write."""
    address: str
    booted_ns: int | None = None
    """Start of the device, by the uptime written last, in nanoseconds since the epoch."""
    series: Series
    """Samples by series, without the metrics that every poll writes."""
    interfaces: dict[str, InterfaceInfo] = {}


class Poll(NamedTuple):
    """The poll whose points are to be reported."""

    device_id: str
    address: str
    due_at: int
    interval: int
    """Seconds between two polls of its kind."""


class Changes(NamedTuple):
    """Points of a poll that are to be written now."""

    points: list[Point]
    """Points that changed, with the samples that were held back before them."""
    held: list[Point]
    """Points to be written nevertheless if `samples` can't be recorded."""
    samples: Samples
    interfaces: list[InterfaceInfo]
    """Interfaces that are new or whose texts changed."""


def changes(
    poll: Poll, points: Sequence[Point], before: Samples | None, interfaces: Iterable[InterfaceInfo] = ()
) -> Changes:
    """Return what to write of a metrics poll, given what is remembered of the polls before it."""
    before = before or Samples(due_at=0, full_at=0, address=poll.address, series={})
    booted_ns = _booted_ns(_of_the_whole_device(points))
    follows = before.due_at == poll.due_at - poll.interval and before.address == poll.address
    full = not follows or _is_full(poll, points, booted_ns, before)
    steady = _is_steady(booted_ns, before)
    comparison = _Comparison(before.series, follows=follows, full=full, steady=steady)
    for metric, of_metric in groupby(points, _metric_of):
        if metric in _EVERY_POLL:
            comparison.written += of_metric
        else:
            comparison.take(metric, of_metric)
    comparison.conclude()
    told = {info.instance: info for info in interfaces}
    known = {} if full else before.interfaces
    samples = Samples(
        due_at=poll.due_at,
        full_at=poll.due_at if full else before.full_at,
        address=poll.address,
        booted_ns=before.booted_ns if steady and not full else booted_ns,
        series=comparison.series,
        interfaces=known | told,
    )
    described = [info for info in told.values() if known.get(info.instance) != info]
    return Changes(comparison.written, comparison.held, samples, described)


class _Comparison:
    """Sorts the points of a poll into those to write and those to hold back, against the samples before."""

    def __init__(self, before: Series, *, follows: bool, full: bool, steady: bool) -> None:
        """Take whether the samples are of the poll before, all is written, uptimes are as expected."""
        self.written: list[Point] = []
        self.held: list[Point] = []
        self.series: Series = {}
        self._left = {metric: samples.copy() for metric, samples in before.items()}
        """Earlier samples for which no point has come yet."""
        self._follows, self._full, self._steady = follows, full, steady

    def take(self, metric: str, points: Iterable[Point]) -> None:
        """Compare points of one metric; the loop is hot, as a switch has hundreds of them."""
        before, now = self._left.get(metric, {}), self.series.setdefault(metric, {})
        write, hold_back = self.written.append, self.held.append
        follows, full, deadband = self._follows, self._full, _DEADBANDS.get(metric)
        expected = self._steady if metric in _UPTIMES else None
        for point in points:
            instance, value, if_index, alias = point.instance, point.value, point.if_index, point.alias
            sample, hold = before.pop(instance, None), False
            if sample is not None:
                same = (
                    sample.if_index == if_index
                    and sample.alias == alias
                    and (
                        sample.value == value
                        or (deadband is not None and _is_within(deadband, sample.value, value))
                    )
                    if expected is None
                    else expected
                )
                if sample.held and not (same and follows):
                    write(_point(metric, instance, sample))
                hold = same and not full
                if hold and deadband is not None:
                    value = sample.value
            if hold:
                hold_back(point)
            else:
                write(point)
            now[instance] = Sample(value, point.time_ns, if_index, hold, alias)

    def conclude(self) -> None:
        """Write the held samples of series that the poll did not bring; they are known until a full write."""
        for metric, left in self._left.items():
            if not left:
                continue
            self.written += [_point(metric, name, sample) for name, sample in left.items() if sample.held]
            if not self._full:
                now = self.series.setdefault(metric, {})
                now |= {name: msgspec.structs.replace(sample, held=False) for name, sample in left.items()}


def _is_within(deadband: tuple[float, float], before: float, value: float) -> bool:
    absolute, percent = deadband
    return abs(value - before) <= max(absolute, abs(before) * percent / 100)


def status_changes(points: Sequence[Point], memory: Mapping[str, Any], *, steady: bool) -> list[Point]:
    """Return what to write of a status poll; `steady`: the one before was answered without loss.

    Then neither an answer without loss nor the uptime that the device's memory makes expect is written:
    every metrics poll writes them.
    """
    if not steady:
        return list(points)
    same_uptime = _is_expected(_booted_ns(points), memory)
    return [
        point
        for point in points
        if (point.metric_name, point.value) not in _GOOD
        and not (same_uptime and point.metric_name in _UPTIMES)
    ]


def status_memory(points: Sequence[Point], memory: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a poll changes in the device's memory for the status polls after it."""
    patch: dict[str, Any] = {}
    points = _of_the_whole_device(points)
    losses = [point.value for point in points if point.metric_name == "ping_loss_percent"]
    lost = any(losses)
    if lost != bool(memory.get(LOST_KEY)):
        patch[LOST_KEY] = lost or None
    booted_ns = _booted_ns(points)
    if booted_ns is not None and not _is_expected(booted_ns, memory):
        patch[BOOTED_KEY] = booted_ns // 10**9
    return patch


def _is_expected(booted_ns: int | None, memory: Mapping[str, Any]) -> bool:
    known = memory.get(BOOTED_KEY)
    if booted_ns is None or not isinstance(known, int):
        return False
    return abs(booted_ns / 1e9 - known) <= UPTIME_SLACK_SECONDS


def _of_the_whole_device(points: Sequence[Point]) -> list[Point]:
    """Return the points without an instance: few, and its uptime and its loss of echoes are among them."""
    return [point for point in points if not point.instance]


def _booted_ns(points: Sequence[Point]) -> int | None:
    """Return when the device started, or its agent where that was later, in nanoseconds since the epoch."""
    starts = [point.time_ns - int(point.value * 1e9) for point in points if point.metric_name in _UPTIMES]
    return max(starts, default=None)


def _is_steady(booted_ns: int | None, before: Samples) -> bool:
    """Return whether the uptime is what the one written last made expect."""
    if booted_ns is None or before.booted_ns is None:
        return False
    return abs(booted_ns - before.booted_ns) <= UPTIME_SLACK_SECONDS * 1e9


def _is_full(poll: Poll, points: Sequence[Point], booted_ns: int | None, before: Samples) -> bool:
    """Return whether it is time to write everything, or the device or its counters were reset."""
    phase = crc32(poll.device_id.encode()) % FULL_SECONDS
    if (poll.due_at + phase) // FULL_SECONDS != (before.full_at + phase) // FULL_SECONDS:
        return True
    if _has_rebooted(booted_ns, before.booted_ns):
        return True
    begun = [point for point in points if point.metric_name == "net_discontinuity_seconds"]
    return any(_is_reset(point, before) for point in begun)


def _has_rebooted(booted_ns: int | None, before_ns: int | None) -> bool:
    if booted_ns is None or before_ns is None:
        return False
    return booted_ns - before_ns > REBOOT_SLACK_SECONDS * 1e9


def _is_reset(point: Point, before: Samples) -> bool:
    """Return whether a `net_discontinuity_seconds` says that the interface's counters were reset since."""
    sample = before.series.get(point.metric_name, {}).get(point.instance)
    return sample is not None and sample.value != point.value


def _point(metric: str, instance: str, sample: Sample) -> Point:
    return Point(
        metric, sample.value, sample.time_ns, instance=instance, if_index=sample.if_index, alias=sample.alias
    )
