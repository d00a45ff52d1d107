"""Run one invocation of the collector: poll the devices of a bundle, then store their results.

In order: read what is known of the devices (one statement); poll those whose poll is not done yet; write
points; when these are safe, record observations and samples, which mark the polls as done. What was not done
for a reason of our own is delivered again within seconds; only jobs that are not marked are polled again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from time import time
from typing import Any

import msgspec

from netvitals.domain.errors import InvalidJob, NetvitalsError
from netvitals.domain.polling.job import Job, Kind, decode_jobs
from netvitals.domain.polling.observation import KnownState, PollResult
from netvitals.domain.polling.protocol import Protocol
from netvitals.domain.ports import Poller, QueueMessage, Redelivery, StateReader
from netvitals.domain.protocols import PROTOCOLS
from netvitals.domain.text import printable
from netvitals.usecases.faults import log_fault
from netvitals.usecases.protocol_runner import CANCEL_GRACE_SECONDS, seconds_left, stop
from netvitals.usecases.slots import Slots
from netvitals.usecases.store_results import StoreResults

REDELIVERY_RESERVE_SECONDS = 0.5
"""Seconds of an invocation that are reserved to report on its messages."""
READ_SECONDS = 3.0
"""Seconds for reading what is known of the devices, for which polls wait."""
REDELIVERY_SECONDS = 5
"""Seconds until an unfinished message is delivered again."""
_logger = logging.getLogger(__name__)


class CollectReport(msgspec.Struct):
    """The counts of one invocation, which become metrics."""

    devices_polled: int = 0
    devices_unreachable: int = 0
    points_written: int = 0
    points_held: int = 0
    """Points that are not written because they have not changed."""
    points_spooled: int = 0
    points_refused: int = 0
    points_invalid: int = 0
    instances_refused: int = 0
    """Interfaces, sensors and disks that are left out because their devices have given too many new names."""
    observations_spooled: int = 0
    jobs_expired: int = 0
    jobs_repeated: int = 0
    """Jobs whose poll was made already, or that a newer job of the same device has overtaken."""
    jobs_rejected: int = 0
    jobs_failed: int = 0
    """Jobs that failed for a reason of ours: no time was left, or a store did not accept the result."""
    poll_seconds: list[float] = []
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    failed_ids: list[str] = []
    """Messages to be delivered again."""


class _PendingJob(msgspec.Struct):
    """A job with the messages that ask for it, as a queue may deliver one job twice."""

    job: Job
    message_ids: list[str]
    settled: bool = False
    """True after it was polled, has expired, or is found to be done before."""
    result: PollResult | None = None


class Collect:
    """Polls the jobs of a bundle and stores their results."""

    def __init__(
        self,
        poller: Poller,
        state: StateReader,
        store: StoreResults,
        queue: Redelivery,
        *,
        at_once: Mapping[Kind, int],
        per_site: int,
        clock: Callable[[], float] = time,
    ) -> None:
        """Take `at_once` and `per_site`, which limit the devices that are polled at the same time."""
        self._poller = poller
        self._state = state
        self._store = store
        self._queue = queue
        self._at_once = at_once
        self._per_site = per_site
        self._clock = clock

    async def run(self, messages: Sequence[QueueMessage], deadline: float) -> CollectReport:
        """Poll and store until the deadline (on the event loop's clock); return what was done by then."""
        report = CollectReport()
        pending = self._pending_jobs(messages, report)
        known = await self._known([each.job for each in pending if not each.settled])
        for each in pending:
            _prepare(each, known, report)
        await self._poll(pending, deadline - self._store.reserve_seconds, report)
        results = [each.result for each in pending if each.result is not None]
        _count(results, report)
        stored = await self._store.store(results, known or {}, deadline, report)
        unfinished = [
            each for each in pending if not each.settled or (each.result is not None and not stored)
        ]
        report.jobs_failed = len(unfinished)
        await self._redeliver(messages, unfinished, deadline, report)
        return report

    def _pending_jobs(self, messages: Sequence[QueueMessage], report: CollectReport) -> list[_PendingJob]:
        pending: dict[str, _PendingJob] = {}
        for message in messages:
            for job in self._jobs(message, report):
                pending.setdefault(job.key, _PendingJob(job, [])).message_ids.append(message.id)
        _settle_overtaken(pending.values(), report)
        return list(pending.values())

    def _jobs(self, message: QueueMessage, report: CollectReport) -> list[Job]:
        try:
            jobs, faults = decode_jobs(message.body)
        except InvalidJob as error:
            jobs, faults = [], [error]
        if faults:
            # They can never succeed, but only a failed message ends up in the dead-letter queue, where a
            # person sees it.
            report.jobs_rejected += len(faults)
            report.failed_ids.append(message.id)
            log_fault(_logger, f"reading message {message.id}", faults[0])
        return jobs

    async def _known(self, jobs: Sequence[Job]) -> Mapping[str, KnownState] | None:
        """Return what is known of the devices; None where it can't be read."""
        device_ids = sorted({job.device_id for job in jobs})
        samples = self._store.holds_back and any(job.kind == "metrics" for job in jobs)
        if not device_ids:
            return {}
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await asyncio.to_thread(lambda: self._state.known(device_ids, samples=samples))
        except (NetvitalsError, TimeoutError) as error:
            _logger.warning(
                "what is known of %d devices can't be read, so all points are written and no host key is "
                "trusted on first use: %s",
                len(device_ids),
                str(error) or f"no answer within {READ_SECONDS:g} s",
            )
            return None

    async def _poll(self, pending: list[_PendingJob], end: float, report: CollectReport) -> None:
        todo = [each for each in pending if not each.settled]
        slots = {kind: Slots(limit, self._per_site) for kind, limit in self._at_once.items()}
        # Polls of silent devices take no processor time, so they have slots of their own.
        slots_of_silent = Slots(self._at_once["status"], self._per_site)
        tasks = {
            asyncio.create_task(
                self._poll_one(
                    each, slots_of_silent if each.job.silent else slots[each.job.kind], end, report
                )
            )
            for each in todo
        }
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
        except Exception as error:  # noqa: BLE001, one device's trouble is not the others'
            log_fault(_logger, f"polling device {job.device_id}", error)
            return
        _log_incomplete(result)
        if result.reachable or seconds_left(end):
            # Otherwise it was our time that ran out, and silence proves nothing about the device.
            pending.settled, pending.result = True, result

    async def _redeliver(
        self,
        messages: Sequence[QueueMessage],
        unfinished: Sequence[_PendingJob],
        deadline: float,
        report: CollectReport,
    ) -> None:
        """Have messages with unfinished jobs delivered again while the jobs live.

        A queue that does not answer is not waited for: which messages failed has to be said in time.
        """
        left = {message_id for each in unfinished for message_id in each.message_ids}
        report.failed_ids = sorted(left.union(report.failed_ids))
        soon = [message for message in messages if message.id in left]
        if soon:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline - REDELIVERY_RESERVE_SECONDS):
                    await asyncio.to_thread(self._queue.redeliver, soon, REDELIVERY_SECONDS)


def _settle_overtaken(pending: Iterable[_PendingJob], report: CollectReport) -> None:
    """Settle all jobs of a device but the newest: two polls at the same time say no more than one."""
    newest: dict[tuple[str, str], _PendingJob] = {}
    for each in sorted(pending, key=lambda each: each.job.due_at):
        key = each.job.kind, each.job.device_id
        if key in newest:
            newest[key].settled = True
            report.jobs_repeated += 1
        newest[key] = each


def _prepare(pending: _PendingJob, known: Mapping[str, KnownState] | None, report: CollectReport) -> None:
    """Give a job the memory that earlier polls have left; settle it where its poll is recorded already."""
    job = pending.job
    if pending.settled:
        return
    if known is None:
        pending.job = _changed(job, lambda protocol: protocol.without_memory)
        return
    state = known.get(job.device_id, KnownState())
    if state.has_polled(job.kind, job.due_at):
        pending.settled = True
        report.jobs_repeated += 1
    else:
        pending.job = msgspec.structs.replace(job, memory=state.memory)
        if state.failures and job.kind == "status" and not job.silent:
            pending.job = _changed(pending.job, lambda protocol: protocol.insisting)


def _changed(job: Job, change_of: Callable[[Protocol[Any, Any]], Callable[[Any], Any] | None]) -> Job:
    """Return the job with each protocol's settings as `change_of(protocol)` changes them."""
    settings = {
        protocol.name: change(protocol.settings_of(job.settings))
        for protocol in PROTOCOLS.values()
        if (change := change_of(protocol)) is not None
    }
    return msgspec.structs.replace(job, settings=msgspec.structs.replace(job.settings, **settings))


def _log_incomplete(result: PollResult) -> None:
    """Log what a poll did not give, with what to do about it, and values that were unfit to be stored.

    A status poll is logged at DEBUG only: the status function reports each change once.
    """
    job, reason = result.job, result.reason.value
    if result.complete and not result.point_faults:
        return
    text = result.detail or "; ".join(result.point_faults)
    _logger.log(
        logging.WARNING if job.kind == "metrics" else logging.DEBUG,
        "%s: %s: %s",
        *(job.device_id, reason, printable(text, 500)),
        extra={"device_id": job.device_id, "kind": job.kind, "reason": reason},
    )


def _count(results: Sequence[PollResult], report: CollectReport) -> None:
    report.devices_polled = len(results)
    report.devices_unreachable = sum(not result.reachable for result in results)
    report.points_invalid = sum(result.points_unfit for result in results)
    report.instances_refused = sum(result.instances_refused for result in results)
    report.poll_seconds = [result.duration_ms / 1e3 for result in results]
    report.reasons = Counter(result.reason.value for result in results)
