"""Jobs onto an SQS queue: full batches, several requests at a time, memory flat."""

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from botocore.exceptions import ClientError

from netvitals.adapters.aws.faults import AWS_FAULTS
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.job import encode_jobs
from netvitals.domain.ports import QueuedJobs

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry
    from mypy_boto3_sqs.type_defs import SendMessageBatchResultTypeDef

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1024 * 1024
TRIES = 5
HOPELESS_BATCHES = 5
"""So many batches in a row of which nothing was taken: the queue is away, the rest is not tried."""
_BACKOFF_INITIAL_SECONDS = 0.1
_BACKOFF_MAXIMUM_SECONDS = 5.0
_FINAL = re.compile(
    r"AccessDenied|NonExistentQueue|QueueDoesNotExist|Token|Signature|Credential|InvalidAddress"
)
_THROTTLED = re.compile(r"Throttl|OverLimit|LimitExceeded|RequestTimeout|SlowDown")
_GROUP_ID = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")


class _Outcome(NamedTuple):
    accepted: int = 0
    refused: int = 0
    """Wrong in themselves: sending them again would change nothing."""
    unsent: int = 0
    cause: str = ""
    is_final: bool = False
    """No other batch can fare better."""


class _Tally:
    """What became of all batches so far."""

    def __init__(self) -> None:
        self.accepted = self.refused = self.unsent = 0
        self._in_vain = 0
        self._is_final = False
        self._cause = ""

    def add(self, outcome: _Outcome) -> None:
        self.accepted += outcome.accepted
        self.refused += outcome.refused
        self.unsent += outcome.unsent
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
    """A standard queue; the site is the message group, which turns on fair queues.

    The client is shared by `workers` threads: its `max_pool_connections` should be as many.
    """

    def __init__(
        self,
        client: "SQSClient",
        queue_url: str,
        workers: int = 8,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._workers = workers
        self._sleep = sleep

    def send(self, messages: Iterable[QueuedJobs]) -> int:
        """See `ports.JobQueue`; messages are taken from the iterable only as fast as they are sent."""
        tally = _Tally()
        batches = _batches(map(_entry, messages))
        with ThreadPoolExecutor(self._workers) as pool:
            for outcome in _in_flight(pool, self._deliver, batches, 2 * self._workers, tally.is_hopeless):
                tally.add(outcome)
        tally.unsent += sum(map(len, batches))
        if tally.refused or tally.unsent:
            raise Unavailable(f"queue {self._queue_url}: {tally}")
        return tally.accepted

    def _deliver(self, entries: "list[Entry]") -> _Outcome:
        """Send a batch, and what is left of it again, with growing pauses."""
        done, cause = _Outcome(), ""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(_backoff_seconds(attempt))
            try:
                response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except ClientError as error:
                cause = str(error)
                if _is_final(error):
                    return _sum([done, _Outcome(unsent=len(entries), cause=cause, is_final=True)])
                if _is_refusal(error):
                    return _sum([done, self._divide(entries, cause)])
            except AWS_FAULTS as error:
                cause = str(error)
            else:
                outcome, entries, cause = _judged(entries, response)
                done = _sum([done, outcome])
                if not entries:
                    return done
        return _sum([done, _Outcome(unsent=len(entries), cause=cause)])

    def _divide(self, entries: "list[Entry]", cause: str) -> _Outcome:
        """Find the message for whose sake the whole request was refused, and send the others."""
        if len(entries) == 1:
            return _Outcome(refused=1, cause=cause)
        middle = len(entries) // 2
        return _sum([self._deliver(entries[:middle]), self._deliver(entries[middle:])])


def _sum(outcomes: Sequence[_Outcome]) -> _Outcome:
    return _Outcome(
        sum(each.accepted for each in outcomes),
        sum(each.refused for each in outcomes),
        sum(each.unsent for each in outcomes),
        next((each.cause for each in outcomes if each.cause), ""),
        any(each.is_final for each in outcomes),
    )


def _judged(
    entries: "list[Entry]", response: "SendMessageBatchResultTypeDef"
) -> "tuple[_Outcome, list[Entry], str]":
    """What became of the entries, those that may be sent again, and why they were not taken."""
    failed = {failure["Id"]: failure for failure in response.get("Failed", ())}
    causes = {key: f"{failure['Code']}: {failure.get('Message', '')}" for key, failure in failed.items()}
    refused = [causes[key] for key, failure in failed.items() if failure["SenderFault"]]
    again = [entry for entry in entries if entry["Id"] in failed and not failed[entry["Id"]]["SenderFault"]]
    outcome = _Outcome(len(entries) - len(failed), len(refused), cause=refused[0] if refused else "")
    return outcome, again, causes[again[0]["Id"]] if again else ""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_final(error: ClientError) -> bool:
    return bool(_FINAL.search(_code(error)))


def _is_refusal(error: ClientError) -> bool:
    """Whether the request itself is at fault, neither the service nor the rate."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return 400 <= status < 500 and status != 429 and not _THROTTLED.search(_code(error))  # noqa: PLR2004, HTTP status codes


def _backoff_seconds(attempt: int) -> float:
    """Anything up to a bound that doubles, so that senders who failed together do not come back together."""
    return random.uniform(0, min(_BACKOFF_INITIAL_SECONDS * 2**attempt, _BACKOFF_MAXIMUM_SECONDS))  # noqa: S311, no secret


def _in_flight[Item, Result](
    pool: ThreadPoolExecutor,
    work: Callable[[Item], Result],
    items: Iterator[Item],
    at_most: int,
    stop: Callable[[], bool],
) -> Iterator[Result]:
    """Results as they come, with a bounded number of items taken and not yet worked off."""
    running: set[Future[Result]] = set()
    while not stop() and (item := next(items, None)) is not None:
        running.add(pool.submit(work, item))
        if len(running) >= at_most:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in running)


def _batches(entries: "Iterator[Entry]") -> "Iterator[list[Entry]]":
    """Entries in requests, numbered within each."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        length = len(entry["MessageBody"].encode())
        if batch and (len(batch) == MAX_ENTRIES or size + length > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        entry["Id"] = str(len(batch))
        batch.append(entry)
        size += length
    if batch:
        yield batch


def _entry(message: QueuedJobs) -> "Entry":
    entry: Entry = {
        "Id": "",
        "MessageBody": encode_jobs(message.jobs),
        "DelaySeconds": message.delay_seconds,
    }
    if message.group:
        entry["MessageGroupId"] = _group_id(message.group)
    return entry


def _group_id(site: str) -> str:
    """The site, or where SQS does not take its name what is left of it and a checksum."""
    if _GROUP_ID.fullmatch(site):
        return site
    kept = re.sub(r"[^A-Za-z0-9-]+", "_", site)[:100]
    return f"{kept}~{crc32(site.encode(errors='surrogatepass')):08x}"
