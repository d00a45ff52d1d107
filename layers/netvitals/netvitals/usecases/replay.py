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
from netvitals.store.spool_batch import Content, InvalidSpoolBatch, SpoolBatch, decode_spool_batch
from netvitals.usecases.store_points import set_aside

BACKOFF_STEP_SECONDS = 30
LONGEST_BACKOFF_SECONDS = 1800
SHORTEST_JITTER = 0.7
LONGEST_PAUSE_SECONDS = 60.0
QUEUE_RESERVE_SECONDS = 15.0
"""Seconds of an invocation to spool the rest and to hide unfinished messages, even if the queue hangs."""
MAX_POISON_CHARACTERS = 65536
"""Length of an unreadable message that is set aside."""


_decoder = msgspec.json.Decoder(Observation)


class ReplayReport(msgspec.Struct):
    """Counts of one batch of spool messages, which become metrics."""

    points_replayed: int = 0
    points_refused: int = 0
    observations_replayed: int = 0
    messages_unreadable: int = 0
    failed_ids: list[str] = []
    """Messages that stay in the spool."""
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
        delivery = _Delivery(report, deadline, _FailFastSpool(self._spool), _FailFastSpool(self._rejects))
        opened = self._opened(sorted(messages, key=lambda message: message.sent_at), delivery)
        self._replay_lines([each for each in opened if each.batch.content == "lines"], delivery)
        self._replay_observations([each for each in opened if each.batch.content != "lines"], delivery)
        report.failed_ids = list(dict.fromkeys(report.failed_ids))
        for message in messages:
            if message.id in report.failed_ids:
                self._queue.postpone(message, backoff_seconds(message.receive_count))
        return report

    def _opened(self, messages: Sequence[SpoolMessage], delivery: "_Delivery") -> list[_Opened]:
        opened = []
        for message in messages:
            try:
                opened.append(_Opened(message, decode_spool_batch(message.body)))
            except InvalidSpoolBatch as error:
                delivery.poisoned(message, [message.body], str(error))
        return opened

    def _replay_lines(self, opened: Sequence[_Opened], delivery: "_Delivery") -> None:
        report = delivery.report
        lines = list(dict.fromkeys(line for each in opened for line in each.batch.records))
        if not lines:
            return
        if self._clock() < self._paused_until:
            report.failed_ids += [each.message.id for each in opened]
            return
        outcome = self._sink.write(lines, delivery.deadline - QUEUE_RESERVE_SECONDS)
        self._note(outcome.obstacle)
        report.points_replayed = outcome.accepted
        report.detail = outcome.detail or report.detail
        unsent = set(outcome.unsent)
        try:
            set_aside(delivery.rejects, outcome.refused)
            report.points_refused = len(outcome.refused)
        except Unavailable as error:
            unsent.update(refusal.line for refusal in outcome.refused)
            report.detail = str(error)
        for each in opened:
            rest = [line for line in each.batch.records if line in unsent]
            if rest and not delivery.respooled(rest, each.batch):
                report.failed_ids.append(each.message.id)

    def _note(self, obstacle: Obstacle | None) -> None:
        if obstacle in (None, Obstacle.NO_TIME):
            self._obstacles_in_a_row = 0
            return
        pause = min(2.0**self._obstacles_in_a_row, LONGEST_PAUSE_SECONDS)
        self._paused_until = self._clock() + pause * random.uniform(0.5, 1)  # noqa: S311, spreads load only
        self._obstacles_in_a_row += 1

    def _replay_observations(self, opened: Sequence[_Opened], delivery: "_Delivery") -> None:
        report = delivery.report
        observed: list[Observation] = []
        delivered: list[_Opened] = []
        for each in opened:
            found, unreadable, reason = _observations(each.batch.records)
            if unreadable:
                delivery.poisoned(each.message, unreadable, reason)
            if found:
                observed += found
                delivered.append(each)
        if not observed:
            return
        try:
            self._observations.record(observed)
            report.observations_replayed = len(observed)
        except Unavailable as error:
            report.detail = str(error)
            report.failed_ids += [each.message.id for each in delivered]


class _Delivery(NamedTuple):
    """One batch of messages under delivery: its report, and the spools for what can't be delivered."""

    report: ReplayReport
    deadline: float
    spool: "_FailFastSpool"
    rejects: "_FailFastSpool"

    def poisoned(self, message: SpoolMessage, records: Sequence[str], reason: str) -> None:
        """Set aside the records of a message that can't be read, so that it does not come again."""
        self.report.messages_unreadable += 1
        self.report.detail = reason
        try:
            set_aside(self.rejects, [Refusal(each[:MAX_POISON_CHARACTERS], reason) for each in records])
        except Unavailable:
            self.report.failed_ids.append(message.id)

    def respooled(self, rest: list[str], batch: SpoolBatch) -> bool:
        """Spool the rest of a batch that was delivered in part; return False where that can't be."""
        if len(rest) == len(batch.records):
            return False
        try:
            self.spool.put("lines", rest, batch.cause)
        except Unavailable:
            return False
        return True


class _FailFastSpool:
    """Puts records into a spool; once that has failed, each further call fails without waiting."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._fault: Unavailable | None = None

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        if self._fault is not None:
            raise self._fault
        try:
            self._spool.put(content, records, cause)
        except Unavailable as error:
            self._fault = error
            raise


def _observations(records: Sequence[str]) -> tuple[list[Observation], list[str], str]:
    """Return the observations in the records, the records that are none, and what is wrong with the last."""
    found, unreadable, reason = [], [], ""
    for record in records:
        try:
            found.append(_decoder.decode(record))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            unreadable.append(record)
            reason = f"a record is no observation: {error}"
    return found, unreadable, reason


def backoff_seconds(receive_count: int) -> int:
    """Return how many seconds a message stays hidden after so many attempts, with jitter.

    Grows by 30 s: an hour's backlog is back within 10 minutes. Even with the shortest jitter each time, the
    1,000 attempts that SQS allows at most last for the 14 days that it keeps a message.
    """
    step = min(BACKOFF_STEP_SECONDS * receive_count, LONGEST_BACKOFF_SECONDS)
    return int(step * random.uniform(SHORTEST_JITTER, 1))  # noqa: S311, spreads load only
