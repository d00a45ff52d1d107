"""Run one invocation of the collector: poll the devices of a batch of messages, store what they gave."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from time import time

import msgspec

from netvitals.domain.errors import InvalidJob
from netvitals.domain.polling.job import Job, decode_jobs
from netvitals.domain.polling.observation import Observation, PollResult
from netvitals.domain.ports import ObservationStore, Poller
from netvitals.domain.settings.configuration import CollectorSettings
from netvitals.domain.text import printable
from netvitals.store.line_protocol import encode
from netvitals.store.ports import PointKeeper
from netvitals.usecases.faults import log_fault
from netvitals.usecases.protocol_runner import CANCEL_GRACE_SECONDS, seconds_left, stop
from netvitals.usecases.slots import Slots

REPORT_SECONDS = 1.0
"""Of the flush reserve, for the report itself."""
_logger = logging.getLogger(__name__)


class QueueMessage(msgspec.Struct, frozen=True):
    """Holds a queue message as it was received."""

    id: str
    body: str


class CollectReport(msgspec.Struct):
    """Counts what one invocation did; the counts become metrics."""

    devices_polled: int = 0
    devices_unreachable: int = 0
    points_written: int = 0
    points_spooled: int = 0
    points_refused: int = 0
    points_invalid: int = 0
    jobs_expired: int = 0
    jobs_rejected: int = 0
    jobs_failed: int = 0
    """Not done for a reason of our own: no time was left, or a store did not take the result."""
    poll_seconds: list[float] = []
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    failed_ids: list[str] = []
    """Messages to be delivered again."""


class _PendingJob(msgspec.Struct):
    """Holds a job with the messages that ask for it, as a queue may deliver one job twice."""

    job: Job
    message_ids: list[str]
    settled: bool = False
    """Polled, or expired: nothing is left to be done for it."""
    result: PollResult | None = None


class Collect:
    """Polls a batch and stores its points with one write and its observations with one statement."""

    def __init__(
        self,
        poller: Poller,
        points: PointKeeper,
        observations: ObservationStore,
        *,
        limits: CollectorSettings,
        clock: Callable[[], float] = time,
    ) -> None:
        self._poller = poller
        self._points = points
        self._observations = observations
        self._limits = limits
        self._clock = clock

    async def run(self, messages: Sequence[QueueMessage], deadline: float) -> CollectReport:
        """Poll and store until the deadline (on the event loop's clock) and report what was done by then."""
        report = CollectReport()
        pending = self._pending_jobs(messages, report)
        await self._poll(pending, deadline - self._limits.flush_reserve_seconds, report)
        results = [each.result for each in pending if each.result is not None]
        _count(results, report)
        stored = await self._store(results, deadline, report)
        for each in pending:
            if not (each.settled and stored):
                report.jobs_failed += 1
                report.failed_ids += each.message_ids
        report.failed_ids = sorted(set(report.failed_ids))
        return report

    def _pending_jobs(self, messages: Sequence[QueueMessage], report: CollectReport) -> list[_PendingJob]:
        pending: dict[str, _PendingJob] = {}
        for message in messages:
            try:
                jobs = decode_jobs(message.body)
            except InvalidJob as error:
                # It can never succeed, but only a failed message ends up in the dead-letter queue, where
                # a person sees it: somebody sends what we do not understand.
                report.jobs_rejected += 1
                report.failed_ids.append(message.id)
                log_fault(_logger, f"reading message {message.id}", error)
                continue
            for job in jobs:
                pending.setdefault(job.key, _PendingJob(job, [])).message_ids.append(message.id)
        return list(pending.values())

    async def _poll(self, pending: list[_PendingJob], end: float, report: CollectReport) -> None:
        slots = Slots(self._limits.max_concurrent_devices, self._limits.max_concurrent_per_site)
        tasks = {asyncio.create_task(self._poll_one(each, slots, end, report)) for each in pending}
        if not tasks:
            return
        try:
            # Each poll ends by itself; what still waits for its turn, or hangs, is left for next time.
            _, unfinished = await asyncio.wait(tasks, timeout=seconds_left(end) + 2 * CANCEL_GRACE_SECONDS)
        except asyncio.CancelledError:
            await stop(*tasks)
            raise
        await stop(*unfinished)

    async def _poll_one(self, pending: _PendingJob, slots: Slots, end: float, report: CollectReport) -> None:
        job = pending.job
        try:
            async with slots.taken(job):
                if self._clock() > job.expires_at:
                    # The device's next poll is due already: a late one would tell nothing more.
                    report.jobs_expired += 1
                    pending.settled = True
                    return
                if not seconds_left(end):
                    return
                result = await self._poller.poll(job, end)
                _log_incomplete(result)
        except Exception as error:  # noqa: BLE001, one device's trouble is not the others'
            log_fault(_logger, f"polling device {job.device_id}", error)
            return
        if result.reachable or seconds_left(end):
            # Otherwise it was our time that ran out, and silence proves nothing about the device.
            pending.settled, pending.result = True, result

    async def _store(self, results: list[PollResult], deadline: float, report: CollectReport) -> bool:
        """Store points and observations at the same time, and return whether all are safe."""
        if not results:
            return True
        lines = [line for result in results for line in encode(result.job.device_id, result.points)]
        observed = [result.observation() for result in results]
        end = deadline - REPORT_SECONDS
        points, recorded = await asyncio.gather(
            self._kept("writing points", end, lambda: self._points.keep(lines, end)),
            self._kept("recording observations", end, lambda: self._record(observed)),
        )
        if points is not None:
            report.points_written, report.points_spooled = points.written, points.spooled
            report.points_refused = points.refused
            if points.detail:
                _logger.error("writing points: %s", points.detail)
        return points is not None and bool(recorded)

    def _record(self, observed: Sequence[Observation]) -> bool:
        self._observations.record(observed)
        return True

    async def _kept[Kept](self, what: str, end: float, keep: Callable[[], Kept]) -> Kept | None:
        try:
            async with asyncio.timeout_at(end):
                return await asyncio.to_thread(keep)
        except Exception as error:  # noqa: BLE001, the report says which messages come again
            log_fault(_logger, what, error)
            return None


def _log_incomplete(result: PollResult) -> None:
    """Log what a metrics poll did not give, with what to do about it.

    Of a status poll only at DEBUG: what comes of it is said once, by the status function.
    """
    if result.complete:
        return
    job, reason = result.job, result.reason.value
    _logger.log(
        logging.WARNING if job.kind == "metrics" else logging.DEBUG,
        "%s: %s: %s",
        *(job.device_id, reason, printable(result.detail, 500)),
        extra={"device_id": job.device_id, "kind": job.kind, "reason": reason},
    )


def _count(results: Sequence[PollResult], report: CollectReport) -> None:
    report.devices_polled = len(results)
    report.devices_unreachable = sum(not result.reachable for result in results)
    report.points_invalid = sum(len(result.point_faults) for result in results)
    report.poll_seconds = [result.duration_ms / 1e3 for result in results]
    report.reasons = Counter(result.reason.value for result in results)
