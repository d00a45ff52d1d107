"""Store the results of polls: points first, then what marks the polls as done.

Points are safe when InfluxDB, the spool or the reject queue has them. Only then are observations and samples
recorded, so that a poll whose points were lost is made again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from netvitals.domain.polling.changes import LOST_KEY, Changes, Poll, changes, status_changes, status_memory
from netvitals.domain.polling.observation import KnownState, Observation, PollResult
from netvitals.domain.ports import SampleRecord, SampleStore
from netvitals.store.line_protocol import encode, encode_interfaces
from netvitals.store.ports import PointKeeper
from netvitals.usecases.faults import log_fault

WRITING_SECONDS = 10.0
"""Seconds for points: half for InfluxDB, half for the spool."""
RECORDING_SECONDS = 13.0
"""Seconds for observations and samples: the time limits of the database, and of the spool after it."""
REPORT_SECONDS = 1.0
_NO_TIME = "no time was left in the invocation; jobs that are not safe are delivered again"
_logger = logging.getLogger(__name__)


class ObservationKeeper(Protocol):
    """Makes observations safe: in the database, or where a replay finds them."""

    def keep(self, observations: Sequence[Observation]) -> int:
        """Record the observations, or spool them; return how many were spooled.

        Raises:
            Unavailable: neither worked.
        """
        ...


class Counts(Protocol):
    """Names the counts of a report that storing adds to."""

    points_written: int
    points_held: int
    points_spooled: int
    points_refused: int
    observations_spooled: int


class _Reported(NamedTuple):
    """A metrics poll, and the points of it that are written."""

    device_id: str
    read_at: int | None
    """Due time of the samples that it was compared with; None where there were none."""
    found: Changes


class StoreResults:
    """Writes the points of a bundle with one request, then observations and samples with a statement each."""

    reserve_seconds = WRITING_SECONDS + RECORDING_SECONDS + REPORT_SECONDS
    """Seconds to reserve at the end of an invocation."""

    def __init__(
        self, points: PointKeeper, observations: ObservationKeeper, samples: SampleStore | None
    ) -> None:
        """Take the stores; without `samples` every point is written."""
        self._points = points
        self._observations = observations
        self._samples = samples

    @property
    def holds_back(self) -> bool:
        """Return whether samples of the polls before are needed."""
        return self._samples is not None

    async def store(
        self,
        results: Sequence[PollResult],
        known: Mapping[str, KnownState],
        deadline: float,
        counts: Counts,
    ) -> bool:
        """Return whether everything is safe; both stores are tried, whatever becomes of the other."""
        if not results:
            return True
        lines, reported = self._lines(results, known)
        end = deadline - REPORT_SECONDS
        safe = await self._write(lines, end - RECORDING_SECONDS, counts)
        observed = [_observation(result) for result in results]
        if not safe:  # not marked as done, so the poll is made again while its job lives
            observed = [msgspec.structs.replace(each, due_at=0) for each in observed]
        spooled = await self._attempt(
            "recording observations", end, lambda: self._observations.keep(observed)
        )
        unremembered = await self._remember(reported if safe else [], end)
        counts.observations_spooled += spooled or 0
        counts.points_held += sum(len(each.found.held) for each in reported)
        held = [line for each in unremembered for line in encode(each.device_id, each.found.held)]
        if held:
            counts.points_held -= len(held)
            safe = await self._write(held, end, counts)
        return safe and spooled is not None

    def _lines(
        self, results: Sequence[PollResult], known: Mapping[str, KnownState]
    ) -> tuple[list[str], list[_Reported]]:
        """Return the lines to write now, and the metrics polls whose samples are to be remembered."""
        lines: list[str] = []
        reported: list[_Reported] = []
        for result in results:
            device_id, points = result.job.device_id, result.points
            state = known.get(device_id)
            interfaces = result.interfaces
            if self._samples is not None:
                if result.job.kind == "status":
                    memory = {} if state is None else state.memory
                    points = status_changes(points, memory, steady=_is_steady(result, state))
                else:
                    each = _compared(result, state)
                    reported.append(each)
                    points, interfaces = each.found.points, each.found.interfaces
            lines += encode(device_id, points)
            lines += encode_interfaces(device_id, interfaces, result.attempted_at_ns)
        return lines, reported

    async def _write(self, lines: Sequence[str], end: float, counts: Counts) -> bool:
        """Return whether every line is safe."""
        if not lines:
            return True
        report = await self._attempt("writing points", end, lambda: self._points.keep(lines, end))
        if report is None:
            return False
        counts.points_written += report.written
        counts.points_spooled += report.spooled
        counts.points_refused += report.refused
        if report.spooled:
            _logger.warning(
                "%d lines are safe in the spool and will be written later: %s", report.spooled, report.detail
            )
        elif report.detail:
            _logger.error("writing points: %s", report.detail)
        return True

    async def _remember(self, reported: Sequence[_Reported], end: float) -> Sequence[_Reported]:
        """Record samples; return the polls whose held points nothing remembers now."""
        if self._samples is None or not reported:
            return []
        samples = self._samples
        records = [SampleRecord(each.device_id, each.read_at, each.found.samples) for each in reported]
        recorded = await self._attempt("recording samples", end, lambda: samples.record(records)) or ()
        return [each for each in reported if each.device_id not in recorded]

    async def _attempt[Result](self, what: str, end: float, work: Callable[[], Result]) -> Result | None:
        """Return the result of blocking work, or None where it failed, which is logged."""
        limit = asyncio.timeout_at(end)
        try:
            async with limit:
                return await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001, the report says which messages come again
            if isinstance(error, TimeoutError) and limit.expired():
                _logger.error("%s: %s", what, _NO_TIME)  # noqa: TRY400, the traceback says nothing more
            else:
                log_fault(_logger, what, error)
            return None


def _observation(result: PollResult) -> Observation:
    """Return the observation of a poll, with the memory for the status polls after it."""
    observation = result.observation()
    patch = status_memory(result.points, result.job.memory)
    return msgspec.structs.replace(observation, memory=observation.memory | patch) if patch else observation


def _compared(result: PollResult, state: KnownState | None) -> _Reported:
    """Return what of a metrics poll is to be written, given the samples of the polls before."""
    job = result.job
    before = None if state is None else state.samples
    interval = job.interval or job.expires_at - job.due_at
    poll = Poll(job.device_id, job.address, job.due_at, interval)
    found = changes(poll, result.points, before, result.interfaces)
    return _Reported(job.device_id, None if before is None else before.due_at, found)


def _is_steady(result: PollResult, state: KnownState | None) -> bool:
    """Return whether the status poll directly before was answered, without loss, and recorded."""
    if state is None or state.failures or state.memory.get(LOST_KEY):
        return False
    job = result.job
    return state.status_due_at == job.due_at - (job.interval or job.expires_at - job.due_at)
