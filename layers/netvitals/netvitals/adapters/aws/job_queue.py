"""Put jobs onto an SQS queue: full batches, several requests at a time, constant memory."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from math import ceil
from typing import TYPE_CHECKING

from netvitals.adapters.aws.batches import BatchOutcome, BatchSender, batches
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.job import deflated_body
from netvitals.domain.ports import QueuedJobs

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry

HOPELESS_BATCHES = 5
"""Batches in a row without an accepted entry after which the queue is taken to be away."""
MAX_DELAY_SECONDS = 900


class _Tally:
    """Counts the outcomes of all batches so far."""

    def __init__(self) -> None:
        self.accepted = self.refused = self.unsent = 0
        self._in_vain = 0
        self._is_final = False
        self._cause = ""

    def add(self, outcome: BatchOutcome) -> None:
        self.accepted += len(outcome.accepted)
        self.refused += len(outcome.refused)
        self.unsent += len(outcome.unsent)
        self._cause = self._cause or outcome.cause
        self._in_vain = self._in_vain + 1 if outcome.unsent and not outcome.accepted else 0
        self._is_final = self._is_final or outcome.is_final

    def is_hopeless(self) -> bool:
        return self._is_final or self._in_vain >= HOPELESS_BATCHES

    def __str__(self) -> str:
        total = self.accepted + self.refused + self.unsent
        return (
            f"of {total} messages {self.unsent} were not sent and {self.refused} were refused: {self._cause}"
        )


class SqsJobQueue:
    """Sends jobs to a standard queue, whose messages are delayed until they are due.

    The client is shared by `workers` threads: its `max_pool_connections` should be as many.
    """

    def __init__(
        self,
        client: "SQSClient",
        queue_url: str,
        workers: int = 8,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._queue_url = queue_url
        self._workers = workers
        self._sender = BatchSender(client, queue_url, sleep=sleep)
        self._clock = clock

    def send(self, messages: Iterable[QueuedJobs]) -> int:
        """Send the messages, read from the iterable only as fast as they are sent; see `ports.JobQueue`."""
        tally = _Tally()
        waiting = batches(_entry(number, message) for number, message in enumerate(messages))
        with ThreadPoolExecutor(self._workers) as pool:
            for outcome in _in_flight(pool, self._deliver, waiting, 2 * self._workers, tally.is_hopeless):
                tally.add(outcome)
        tally.unsent += sum(map(len, waiting))
        if tally.refused or tally.unsent:
            raise Unavailable(f"queue {self._queue_url}: {tally}")
        return tally.accepted

    def _deliver(self, entries: "list[Entry]") -> BatchOutcome:
        now = self._clock()
        return self._sender.send([_delayed(entry, now) for entry in entries])


def _in_flight[Item, Result](
    pool: ThreadPoolExecutor,
    work: Callable[[Item], Result],
    items: Iterator[Item],
    at_most: int,
    stop: Callable[[], bool],
) -> Iterator[Result]:
    """Yield results as they come, with a bounded number of items in progress."""
    running: set[Future[Result]] = set()
    while not stop() and (item := next(items, None)) is not None:
        running.add(pool.submit(work, item))
        if len(running) >= at_most:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in running)


def _entry(number: int, message: QueuedJobs) -> "Entry":
    """Return the entry of a request; its delay is computed when it is sent."""
    return {"Id": str(number), "MessageBody": deflated_body(message.jobs), "DelaySeconds": message.due_at}


def _delayed(entry: "Entry", now: float) -> "Entry":
    return {**entry, "DelaySeconds": min(max(0, ceil(entry["DelaySeconds"] - now)), MAX_DELAY_SECONDS)}
