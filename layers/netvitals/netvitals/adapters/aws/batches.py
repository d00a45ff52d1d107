"""Send messages to an SQS queue in batches of ten, and retry those that the queue did not accept."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from netvitals.adapters.aws.faults import AWS_FAULTS, code_of
from netvitals.domain.backoff import pauses

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef as Failure
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry
    from mypy_boto3_sqs.type_defs import SendMessageBatchResultTypeDef as Response

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1024 * 1024
"""SQS's limit for all messages of a request together, attributes included."""
LONG_POLL_SECONDS = 1
"""Seconds for which a request for messages waits; a request that does not wait asks only some of SQS's
servers, and may find none although there are some."""
TRIES = 5
_BACKOFF_INITIAL_SECONDS = 0.2
_BACKOFF_MAXIMUM_SECONDS = 5.0
_FINAL = re.compile(
    r"AccessDenied|NonExistentQueue|QueueDoesNotExist|Token|Signature|Credential|InvalidAddress"
)
_THROTTLED = re.compile(r"Throttl|OverLimit|LimitExceeded|RequestTimeout|SlowDown")


class BatchOutcome(NamedTuple):
    """The outcome of a batch's entries: each is in one of the lists."""

    accepted: "list[Entry]"
    refused: "list[Entry]"
    """Invalid entries: sending them again would change nothing."""
    unsent: "list[Entry]"
    cause: str = ""
    is_final: bool = False
    """True where no other batch can succeed either: the queue does not exist, or access is denied."""


class BatchSender:
    """Sends batches to one queue; may be shared by threads, as boto3's clients may.

    Entries that SQS did not accept for a fault of its own are sent again, `tries` times in all. So is a
    whole request that failed, if `repeats_requests`; botocore has retried it by then, which is all there is
    time for near the end of an invocation.
    """

    def __init__(
        self,
        client: "SQSClient",
        queue_url: str,
        *,
        tries: int = TRIES,
        repeats_requests: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._tries = tries
        self._repeats_requests = repeats_requests
        self._sleep = sleep

    def send(self, entries: "list[Entry]") -> BatchOutcome:
        """Send entries that fit in one request, see `batches`; never raises for the queue's faults."""
        parts: list[BatchOutcome] = []
        cause = ""
        for pause in (*pauses(self._tries, _BACKOFF_INITIAL_SECONDS, _BACKOFF_MAXIMUM_SECONDS), None):
            try:
                response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
                outcome, left, cause = _judged(entries, response)
            except AWS_FAULTS as error:
                cause = str(error)
                if _is_final(error) or not self._repeats_requests:
                    return _sum([*parts, BatchOutcome([], [], entries, cause, is_final=True)])
                if _is_refusal(error):
                    return _sum([*parts, self._divide(entries, cause)])
            else:
                entries = left
                parts.append(outcome)
                if not entries:
                    return _sum(parts)
            if pause is not None:
                self._sleep(pause)
        return _sum([*parts, BatchOutcome([], [], entries, cause)])

    def _divide(self, entries: "list[Entry]", cause: str) -> BatchOutcome:
        """Bisect a refused request: find the message that SQS refuses, and send the others."""
        if len(entries) == 1:
            return BatchOutcome([], entries, [], cause)
        middle = len(entries) // 2
        return _sum([self.send(entries[:middle]), self.send(entries[middle:])])


def batches(entries: "Iterable[Entry]") -> "Iterator[list[Entry]]":
    """Yield the entries in batches that fit in one request each; any ten successive `Id` are different."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        length = _bytes_of(entry)
        if batch and (len(batch) == MAX_ENTRIES or size + length > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += length
    if batch:
        yield batch


def _bytes_of(entry: "Entry") -> int:
    """Return a message's size as SQS counts it: its body, and each attribute's name, type and value."""
    size = len(entry["MessageBody"].encode())
    for name, attribute in entry.get("MessageAttributes", {}).items():
        text = attribute.get("StringValue", "").encode()
        binary = attribute.get("BinaryValue", b"")  # bytes, where a message is moved as it was received
        size += len(name.encode()) + len(attribute["DataType"]) + len(text)
        size += len(binary) if isinstance(binary, bytes) else 0
    return size


def _judged(entries: "list[Entry]", response: "Response") -> "tuple[BatchOutcome, list[Entry], str]":
    """Return the outcome, the entries that may be sent again, and why they were not accepted.

    An entry counts as accepted only if the answer says so: a proxy's answer says nothing about any entry.
    """
    taken = {success["Id"] for success in response.get("Successful", ())}
    failed = {failure["Id"]: failure for failure in response.get("Failed", ())}
    refusals = {key for key, failure in failed.items() if failure.get("SenderFault")}
    accepted = [entry for entry in entries if entry["Id"] in taken - failed.keys()]
    refused = [entry for entry in entries if entry["Id"] in refusals]
    again = [entry for entry in entries if entry["Id"] not in taken - failed.keys() | refusals]
    outcome = BatchOutcome(accepted, refused, [], _cause(failed.get(refused[0]["Id"])) if refused else "")
    return outcome, again, _cause(failed.get(again[0]["Id"])) if again else ""


def _cause(failure: "Failure | None") -> str:
    if failure is None:
        return "the answer says neither that they were taken nor that they were not; is it SQS that answers?"
    return f"{failure.get('Code', '')}: {failure.get('Message', '')}"


def _sum(outcomes: list[BatchOutcome]) -> BatchOutcome:
    return BatchOutcome(
        [entry for each in outcomes for entry in each.accepted],
        [entry for each in outcomes for entry in each.refused],
        [entry for each in outcomes for entry in each.unsent],
        next((each.cause for each in outcomes if each.cause), ""),
        any(each.is_final for each in outcomes),
    )


def _is_final(error: Exception) -> bool:
    return isinstance(error, ClientError) and bool(_FINAL.search(code_of(error)))


def _is_refusal(error: Exception) -> bool:
    """Return whether the request itself is at fault, and not the service or the rate of requests."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return 400 <= status < 500 and status != 429 and not _THROTTLED.search(code_of(error))  # noqa: PLR2004, HTTP status codes
