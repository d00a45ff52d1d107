"""Deliver what is in the spool, oldest first, without making a struggling InfluxDB or database worse."""

import random
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

import msgspec

from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import Observation
from netvitals.domain.ports import ObservationStore
from netvitals.store.outcome import Obstacle, Refusal
from netvitals.store.ports import PointSink, Spool, SpoolMessage, SpoolQueue
from netvitals.store.spool_batch import InvalidSpoolBatch, SpoolBatch, decode_spool_batch
from netvitals.usecases.store_points import SPOOL_RESERVE_SECONDS, set_aside

BACKOFF_STEP_SECONDS = 30
LONGEST_BACKOFF_SECONDS = 1800
SHORTEST_JITTER = 0.7
LONGEST_PAUSE_SECONDS = 60.0
MAX_POISON_CHARACTERS = 65536
"""Of an unreadable message, so much is set aside."""


class ReplayReport(msgspec.Struct):
    """Counts what became of one batch of spool messages; the counts become metrics."""

    points_replayed: int = 0
    points_refused: int = 0
    observations_replayed: int = 0
    messages_unreadable: int = 0
    failed_ids: list[str] = []
    """Messages that stay in the spool."""
    obstacle: Obstacle | None = None
    detail: str = ""


class _Opened(NamedTuple):
    message: SpoolMessage
    batch: SpoolBatch


class Replay:
    """Handles a batch of spool messages; lives as long as its process.

    After an obstacle it tries nothing for a while that doubles up to a minute, so that the number of
    attempts depends on the number of processes, never on the length of the backlog.
    """

    def __init__(
        self,
        sink: PointSink,
        observations: ObservationStore,
        spool: Spool,
        rejects: Spool,
        queue: SpoolQueue,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._sink, self._observations, self._spool, self._rejects = sink, observations, spool, rejects
        self._queue, self._clock = queue, clock
        self._obstacles_in_a_row = 0
        self._paused_until = 0.0

    def run(self, messages: Sequence[SpoolMessage], deadline: float) -> ReplayReport:
        """Deliver the messages; those in `failed_ids` are hidden for a while, the others may be deleted."""
        report = ReplayReport()
        opened = self._opened(sorted(messages, key=lambda message: message.sent_at), report)
        lines = [each for each in opened if each.batch.content == "lines"]
        self._replay_lines(lines, deadline, report)
        self._replay_observations([each for each in opened if each.batch.content != "lines"], report)
        for message in messages:
            if message.id in report.failed_ids:
                self._queue.postpone(message, backoff_seconds(message.receive_count))
        return report

    def _opened(self, messages: Sequence[SpoolMessage], report: ReplayReport) -> list[_Opened]:
        opened = []
        for message in messages:
            try:
                opened.append(_Opened(message, decode_spool_batch(message.body)))
            except InvalidSpoolBatch as error:
                self._poisoned(message, str(error), report)
        return opened

    def _poisoned(self, message: SpoolMessage, reason: str, report: ReplayReport) -> None:
        report.messages_unreadable += 1
        report.detail = reason
        try:
            set_aside(self._rejects, [Refusal(message.body[:MAX_POISON_CHARACTERS], reason)])
        except Unavailable:
            report.failed_ids.append(message.id)

    def _replay_lines(self, opened: Sequence[_Opened], deadline: float, report: ReplayReport) -> None:
        lines = list(dict.fromkeys(line for each in opened for line in each.batch.records))
        if not lines:
            return
        if self._clock() < self._paused_until:
            report.failed_ids += [each.message.id for each in opened]
            return
        outcome = self._sink.write(lines, deadline - SPOOL_RESERVE_SECONDS)
        self._note(outcome.obstacle)
        report.points_replayed = outcome.accepted
        report.obstacle, report.detail = outcome.obstacle, outcome.detail or report.detail
        unsent = set(outcome.unsent)
        try:
            set_aside(self._rejects, outcome.refused)
            report.points_refused = len(outcome.refused)
        except Unavailable as error:
            unsent.update(refusal.line for refusal in outcome.refused)
            report.detail = str(error)
        for each in opened:
            rest = [line for line in each.batch.records if line in unsent]
            if rest and not self._respooled(rest, each.batch):
                report.failed_ids.append(each.message.id)

    def _note(self, obstacle: Obstacle | None) -> None:
        if obstacle in (None, Obstacle.NO_TIME):
            self._obstacles_in_a_row = 0
            return
        pause = min(2.0**self._obstacles_in_a_row, LONGEST_PAUSE_SECONDS)
        self._paused_until = self._clock() + pause * random.uniform(0.5, 1)  # noqa: S311, spreads load only
        self._obstacles_in_a_row += 1

    def _respooled(self, rest: list[str], batch: SpoolBatch) -> bool:
        """Spool what is left of a batch, if some of it was delivered, as one of its own; return whether."""
        if len(rest) == len(batch.records):
            return False
        try:
            self._spool.put("lines", rest, batch.cause)
        except Unavailable:
            return False
        return True

    def _replay_observations(self, opened: Sequence[_Opened], report: ReplayReport) -> None:
        observed: list[Observation] = []
        delivered: list[_Opened] = []
        for each in opened:
            try:
                observed += [msgspec.json.decode(record, type=Observation) for record in each.batch.records]
                delivered.append(each)
            except msgspec.DecodeError as error:
                self._poisoned(each.message, f"a record is no observation: {error}", report)
        if not observed:
            return
        try:
            self._observations.record(observed)
            report.observations_replayed = len(observed)
        except Unavailable as error:
            report.detail = str(error)
            report.failed_ids += [each.message.id for each in delivered]


def backoff_seconds(receive_count: int) -> int:
    """Return how many seconds a message stays hidden after so many attempts, with jitter.

    Grows by 30 s: an hour's backlog is back within 10 minutes. Even with the shortest jitter each time, the
    1,000 attempts that SQS allows at most last for the 14 days that it keeps a message.
    """
    step = min(BACKOFF_STEP_SECONDS * receive_count, LONGEST_BACKOFF_SECONDS)
    return int(step * random.uniform(SHORTEST_JITTER, 1))  # noqa: S311, spreads load only
