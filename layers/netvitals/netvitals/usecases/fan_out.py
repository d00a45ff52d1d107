"""Turn a schedule's tick into jobs: one for each time a device is due in the tick's window."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from netvitals.domain.errors import AddressDenied, ConfigurationError, InvalidRow
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import is_name
from netvitals.domain.inventory.row import BadRow
from netvitals.domain.polling.job import MAX_LIFE_SECONDS, Kind, encode_job, job_of
from netvitals.domain.polling.observation import OUR_FAULTS
from netvitals.domain.polling.schedule import due_times
from netvitals.domain.polling.tick import Tick
from netvitals.domain.ports import Inventory, JobQueue, QueuedJobs
from netvitals.domain.settings.policy import Policy, PollSettings
from netvitals.usecases.bundles import Bundles, Group
from netvitals.usecases.rate_limited_warnings import RateLimitedWarnings, problem_of

MAX_JOB_BYTES = 64 * 1024
"""Limit of an encoded job; a device with a longer one is refused. SQS bills by 64 KiB."""
MAX_OVERDUE = 500
"""Devices that travel apart because no collector got to them; more of them are an outage of our own."""
SILENT_FAILURES = 3
"""Polls in a row that failed before a device is taken for silent: fewer are bad luck on a line with loss."""
SILENT_SLACK_SECONDS = 30
EXPECTED_POINTS = 250
"""Points assumed for a device whose metrics were never read."""
_TIMES = b'"due_at":0,"expires_at":0'
_logger = logging.getLogger(__name__)


class FanOutReport(msgspec.Struct):
    """The counts of one tick."""

    devices: int = 0
    """Enabled devices that were read, unusable rows included."""
    jobs: int = 0
    messages: int = 0
    skipped: int = 0
    """Devices that are not due in this window."""
    bad_rows: int = 0
    expired: int = 0
    """Jobs not sent because the tick came too late for them."""
    silent: int = 0
    """Devices that have not answered for longer than their timeout."""
    overdue: int = 0
    """Devices that no collector got to for more than three intervals."""
    paused: int = 0
    """Number that is 1 where an operator has paused polling, so that nothing was read or sent; else 0."""


class _Plan(NamedTuple):
    """Poll settings that devices of one type with the same overrides share."""

    policy: Policy
    interval: int
    settings: PollSettings


class _Work(NamedTuple):
    """The jobs of one device in the tick's window."""

    interval: int
    usual: Group
    search: Group | None
    """Group in which it travels where no collector has polled it for long, for an unknown reason; else
    None."""
    points: int
    jobs: list[tuple[int, bytes]]
    """Pairs of due time, in seconds since the epoch, and encoded job."""


class FanOut:
    """Sends the jobs of a tick.

    `policy` says how a device of a type, with its overrides, is polled; `guard` vets an address.
    """

    def __init__(
        self,
        *,
        inventory: Inventory,
        queues: Mapping[Kind, JobQueue],
        policy: Callable[[str, Mapping[str, Any]], Policy],
        guard: Callable[[str], str],
        clock: Callable[[], float],
        afterwards: Callable[[], None] = lambda: None,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take `afterwards`, called once all jobs of a tick were sent, or could not be; it must not raise.

        `paused` is asked at each tick whether to do nothing; it must not raise either.
        """
        self._paused = paused
        self._afterwards = afterwards
        self._inventory = inventory
        self._queues = queues
        self._policy = policy
        self._guard = guard
        self._clock = clock

    def run(self, tick: Tick) -> FanOutReport:
        """Send the jobs of the tick's window; the same tick gives the same jobs, whenever it runs.

        Raises:
            Unavailable: the inventory can't be read, or some jobs could not be sent; the others were.
        """
        if self._paused():
            return FanOutReport(paused=1)
        report = FanOutReport()
        warnings = RateLimitedWarnings(_logger)
        try:
            report.messages = self._queues[tick.kind].send(self._messages(tick, report, warnings))
        finally:
            warnings.close()
            self._afterwards()
        return report

    def _messages(
        self, tick: Tick, report: FanOutReport, warnings: RateLimitedWarnings
    ) -> Iterator[QueuedJobs]:
        bundles = Bundles(tick.kind)
        overdue: list[_Work] = []
        for work in self._work(tick, report, warnings):
            if work.search is not None and report.overdue <= MAX_OVERDUE:
                overdue.append(work)
                continue
            yield from _bundled(bundles, work, work.usual)
        # More of them are an outage of our own, not one device that ends its invocations.
        apart = report.overdue <= MAX_OVERDUE
        for work in overdue:
            yield from _bundled(bundles, work, work.search if apart and work.search else work.usual)
        yield from bundles.rest()

    def _work(self, tick: Tick, report: FanOutReport, warnings: RateLimitedWarnings) -> Iterator[_Work]:
        now = self._clock()
        planned = lru_cache(maxsize=4096)(lambda *key: self._planned(tick.kind, *key))
        unreadable: set[str] = set()

        def report_row(bad: BadRow) -> None:
            unreadable.add(bad.where)
            warnings.add(str(bad), f"{bad.field}: {bad.cause}")

        for chunk in self._inventory.devices(report_row):
            for device in chunk:
                report.devices += 1
                try:
                    plan = planned(device.device_type, _key(device.settings))
                    work = self._device_work(device, tick, now, plan, report)
                except (AddressDenied, ConfigurationError, InvalidRow) as error:
                    report.bad_rows += 1
                    warnings.add(f"device {device.id!r}: {error}", problem_of(str(error)))
                else:
                    if work is not None:
                        yield work
            report.devices += len(unreadable)
            report.bad_rows += len(unreadable)
            unreadable.clear()

    def _device_work(
        self, device: Device, tick: Tick, now: float, plan: _Plan, report: FanOutReport
    ) -> _Work | None:
        interval, life = plan.interval, min(plan.interval, MAX_LIFE_SECONDS)
        due = due_times(device.id, tick.kind, interval, tick.start, tick.period)
        in_time = [due_at for due_at in due if due_at + life > now]
        report.skipped += not due
        report.expired += len(due) - len(in_time)
        if not in_time:
            return None
        silent = is_silent(device, plan.policy, now)
        search = _search(device.attempted_at(tick.kind), interval, now)
        template = self._encoded(device, tick.kind, plan, silent=silent)
        report.jobs += len(in_time)
        report.silent += silent
        report.overdue += search is not None
        jobs = [
            (due_at, template.replace(_TIMES, b'"due_at":%d,"expires_at":%d' % (due_at, due_at + life), 1))
            for due_at in in_time
        ]
        points = (device.points or EXPECTED_POINTS) if tick.kind == "metrics" else 0
        return _Work(interval, Group.SILENT if silent else Group.LIVE, search, points, jobs)

    def _planned(self, kind: Kind, device_type: str, settings: bytes) -> _Plan:
        policy = self._policy(device_type, msgspec.json.decode(settings))
        interval = policy.status_interval_seconds if kind == "status" else policy.metrics_interval_seconds
        return _Plan(policy, interval, policy.poll_settings())

    def _encoded(self, device: Device, kind: Kind, plan: _Plan, *, silent: bool) -> bytes:
        """Return the device's job as JSON, still without its times.

        Raises:
            AddressDenied: the guard does not let its address be dialled.
            InvalidRow: it has no address, or its settings are too long for a message.
        """
        address = device.address
        if address and not is_name(address):
            address = self._guard(address)
        job = job_of(device, kind, plan.settings, address=address, interval=plan.interval, silent=silent)
        try:
            encoded = encode_job(job)
        except (OverflowError, RecursionError, TypeError, ValueError):
            encoded = encode_job(msgspec.structs.replace(job, memory={}))
        if len(encoded) > MAX_JOB_BYTES:
            raise InvalidRow(f"its job has more than {MAX_JOB_BYTES} bytes: shorten its settings")
        return encoded


def is_silent(device: Device, policy: Policy, now: float) -> bool:
    """Return whether the device has not answered for longer than its timeout, for reasons of its own."""
    if device.failures < max(SILENT_FAILURES, policy.offline_after_failures) or device.reason in OUR_FAULTS:
        return False
    unseen = now - (device.last_seen_at or 0.0)
    return unseen > policy.offline_timeout_seconds + SILENT_SLACK_SECONDS


def _search(attempted_at: float | None, interval: int, now: float) -> Group | None:
    """Return the group of a device that should have been polled long ago; None for another device."""
    missed = (now - (attempted_at or 0.0) - 60) / interval
    if missed <= 3:  # noqa: PLR2004, intervals
        return None
    return Group.OVERDUE if missed <= 6 else Group.ALONE  # noqa: PLR2004, intervals


def _bundled(bundles: Bundles, work: _Work, group: Group) -> Iterator[QueuedJobs]:
    for due_at, job in work.jobs:
        yield from bundles.add(job, due_at, work.interval, group, work.points)


def _key(settings: dict[str, Any]) -> bytes:
    """Return settings as JSON, which is the key of the cache of plans.

    Raises:
        InvalidRow: they hold a value that was decoded and can't be encoded.
    """
    if not settings:
        return b"{}"
    try:
        return msgspec.json.encode(settings)
    except (OverflowError, RecursionError, ValueError) as error:
        raise InvalidRow(f"its settings can't be written as JSON: {error}") from None
