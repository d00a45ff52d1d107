"""Turn a schedule's tick into jobs: one for each time a device is due in the tick's window."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import ceil
from typing import Any, NamedTuple

import msgspec

from netvitals.domain.errors import AddressDenied, ConfigurationError, InvalidRow
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import is_name
from netvitals.domain.inventory.row import BadRow
from netvitals.domain.polling.job import Job, Kind, encode_jobs, job_of
from netvitals.domain.polling.schedule import due_times
from netvitals.domain.polling.tick import Tick
from netvitals.domain.ports import Inventory, JobQueue
from netvitals.domain.protocols import STATUS_MEMORY, VITAL_MEMORY
from netvitals.domain.settings.policy import Policy, PollSettings
from netvitals.usecases.messages import grouped
from netvitals.usecases.rate_limited_warnings import RateLimitedWarnings, problem_of

MAX_DELAY_SECONDS = 900
"""The longest that SQS delays a message."""
MAX_JOB_BYTES = 64 * 1024
"""A job that says more is cut: its message must fit SQS's 256 KiB, and SQS bills by 64 KiB."""
_logger = logging.getLogger(__name__)


class FanOutReport(msgspec.Struct):
    """Counts what a tick came to."""

    devices: int = 0
    """Enabled devices that were read, unusable rows included."""
    jobs: int = 0
    messages: int = 0
    skipped: int = 0
    """Devices that are not due in this window."""
    bad_rows: int = 0
    expired: int = 0
    """Jobs not sent because the tick came too late for them."""
    early: int = 0
    """Jobs due later than a queue can delay them; only schedules longer than 15 minutes have any."""


class _Plan(NamedTuple):
    interval: int
    settings: PollSettings


class FanOut:
    """Sends the jobs of a tick to the queue of its kind.

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
        jobs_per_message: int = 1,
        afterwards: Callable[[], None] = lambda: None,
    ) -> None:
        """`afterwards` is called once all jobs of a tick were sent, or could not be; it must not raise."""
        self._afterwards = afterwards
        self._inventory = inventory
        self._queues = queues
        self._policy = policy
        self._guard = guard
        self._clock = clock
        self._jobs_per_message = jobs_per_message

    def run(self, tick: Tick) -> FanOutReport:
        """Send the jobs of the tick's window; the same tick gives the same jobs, whenever it runs.

        Raises:
            Unavailable: the inventory can't be read, or some jobs could not be sent; the others were.
        """
        now = self._clock()
        report = FanOutReport()
        warnings = RateLimitedWarnings(_logger)
        try:
            jobs = self._jobs(tick, now, report, warnings)
            messages = grouped(_delayed(jobs, now, report), self._jobs_per_message)
            report.messages = self._queues[tick.kind].send(messages)
        finally:
            warnings.close()
            self._afterwards()
        return report

    def _jobs(
        self, tick: Tick, now: float, report: FanOutReport, warnings: RateLimitedWarnings
    ) -> Iterator[Job]:
        planned = lru_cache(maxsize=4096)(lambda *key: self._planned(tick.kind, *key))
        unreadable: set[str] = set()

        def report_row(bad: BadRow) -> None:
            unreadable.add(bad.where)
            warnings.add(str(bad), f"{bad.field}: {bad.cause}")

        for chunk in self._inventory.devices(report_row):
            for device in chunk:
                report.devices += 1
                try:
                    yield from self._device_jobs(device, tick, now, report, planned)
                except (AddressDenied, ConfigurationError, InvalidRow) as error:
                    report.bad_rows += 1
                    warnings.add(f"device {device.id!r}: {error}", problem_of(str(error)))
            report.devices += len(unreadable)
            report.bad_rows += len(unreadable)
            unreadable.clear()

    def _device_jobs(
        self, device: Device, tick: Tick, now: float, report: FanOutReport, planned: Callable[..., _Plan]
    ) -> Iterator[Job]:
        plan = planned(device.device_type, _key(device.settings))
        due = list(due_times(device.id, tick.kind, plan.interval, tick.start, tick.period))
        in_time = [due_at for due_at in due if due_at + plan.interval > now]
        report.skipped += not due
        report.expired += len(due) - len(in_time)
        if not in_time:
            return
        template = self._job(device, tick.kind, plan)
        for due_at in in_time:
            yield msgspec.structs.replace(template, due_at=due_at, expires_at=due_at + plan.interval)

    def _planned(self, kind: Kind, device_type: str, settings: bytes) -> _Plan:
        policy = self._policy(device_type, msgspec.json.decode(settings))
        interval = policy.status_interval_seconds if kind == "status" else policy.metrics_interval_seconds
        return _Plan(interval, policy.poll_settings())

    def _job(self, device: Device, kind: Kind, plan: _Plan) -> Job:
        """Return the device's job, still without its times.

        Raises:
            AddressDenied: the guard does not let its address be dialled.
            InvalidRow: it has no address, or its settings are too long for a message.
        """
        bare = job_of(device, kind, plan.settings)
        address = bare.address if is_name(bare.address) else self._guard(bare.address)
        job = msgspec.structs.replace(bare, address=address, memory=_needed(device.memory, kind))
        return job if _fits(job) else _without_memory(job)


def _needed(memory: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """Return what this kind of poll can use of what earlier ones left."""
    if kind == "metrics":
        return memory
    return {key: memory[key] for key in STATUS_MEMORY & memory.keys()}


def _key(settings: dict[str, Any]) -> bytes:
    """Encode settings as the key of a cached plan.

    Raises:
        InvalidRow: a value that was decoded can't be encoded again, such as a number out of range.
    """
    try:
        return msgspec.json.encode(settings)
    except (OverflowError, RecursionError, ValueError) as error:
        raise InvalidRow(f"its settings can't be written as JSON: {error}") from None


def _fits(job: Job) -> bool:
    try:
        return len(encode_jobs([job])) <= MAX_JOB_BYTES
    except (OverflowError, RecursionError, ValueError):
        return False


def _without_memory(job: Job) -> Job:
    """Return the job with only the memory that a poll can't do without."""
    vital = {key: job.memory[key] for key in VITAL_MEMORY & job.memory.keys()}
    bare = msgspec.structs.replace(job, memory=vital)
    if not _fits(bare):
        raise InvalidRow(f"its job can't be written in {MAX_JOB_BYTES} bytes: shorten its settings")
    return bare


def _delayed(jobs: Iterator[Job], now: float, report: FanOutReport) -> Iterator[tuple[Job, int]]:
    """Yield each job with the seconds by which its message is delayed."""
    for job in jobs:
        delay = max(0, ceil(job.due_at - now))
        report.early += delay > MAX_DELAY_SECONDS
        report.jobs += 1
        yield job, min(delay, MAX_DELAY_SECONDS)
