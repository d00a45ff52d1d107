"""The spool and the reject queue: batches of records as messages of an SQS queue."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from netvitals.adapters.aws.faults import AWS_FAULTS
from netvitals.domain.errors import Unavailable
from netvitals.store.ports import SpoolMessage
from netvitals.store.spool_batch import Content, InvalidSpoolBatch, encode_spool_batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1024 * 1024
"""SQS's limit for all messages of a request together."""
TRIES = 3


class Depth(NamedTuple):
    """How many messages a queue holds, as far as SQS knows."""

    waiting: int
    hidden: int
    """Being delivered, or waiting for their next attempt."""


class SqsSpool:
    """Puts batches of records on a queue and takes messages off; see `ports.Spool` and `ports.SpoolQueue`."""

    def __init__(
        self, client: "SQSClient", queue_url: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._queue_url, self._sleep = client, queue_url, sleep

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        try:
            for batch in _batches(encode_spool_batches(content, records, cause)):
                self._send([_entry(n, body, content) for n, body in enumerate(batch)])
        except InvalidSpoolBatch as error:
            raise Unavailable(f"not kept: {error}") from None

    def _send(self, entries: "list[SendMessageBatchRequestEntryTypeDef]") -> None:
        for attempt in range(TRIES):
            with self._reached():
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            failed = {failure["Id"]: failure for failure in answer.get("Failed", [])}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if not entries:
                return
            self._sleep(0.1 * 2**attempt)
        cause = failed[entries[0]["Id"]].get("Message", "no reason given")
        raise Unavailable(f"the queue {self._queue_url} did not take {len(entries)} messages: {cause}")

    def receive(self, at_most: int = MAX_ENTRIES, visibility_seconds: int = 60) -> list[SpoolMessage]:
        """Messages that are due, hidden from others for so long; empty where none are.

        Raises:
            Unavailable: the queue can't be reached.
        """
        with self._reached():
            answer = self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=min(at_most, MAX_ENTRIES),
                VisibilityTimeout=visibility_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return [_message(message) for message in answer.get("Messages", [])]

    def delete(self, message: SpoolMessage) -> None:
        """Forget a message that was delivered; where that fails it is delivered again, which is harmless.

        Raises:
            Unavailable: the queue can't be reached.
        """
        with self._reached():
            self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.receipt)

    def postpone(self, message: SpoolMessage, seconds: int) -> None:
        with suppress(Unavailable), self._reached():  # else the queue's own visibility timeout ends first
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )

    def depth(self) -> Depth:
        """How full the queue is.

        Raises:
            Unavailable: the queue can't be reached.
        """
        with self._reached():
            answer = self._client.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["All"])
        attributes = answer["Attributes"]
        return Depth(
            waiting=int(attributes["ApproximateNumberOfMessages"]),
            hidden=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except AWS_FAULTS as error:
            raise Unavailable(f"the queue {self._queue_url} can't be used: {error}") from None


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == MAX_ENTRIES or size + len(body) + 100 > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body) + 100  # its attribute
    if batch:
        yield batch


def _entry(number: int, body: str, content: Content) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        "Id": str(number),
        "MessageBody": body,
        "MessageAttributes": {"content": {"DataType": "String", "StringValue": content}},
    }


def _message(received: "MessageTypeDef") -> SpoolMessage:
    attributes = received.get("Attributes", {})
    return SpoolMessage(
        id=received["MessageId"],
        body=received["Body"],
        receipt=received["ReceiptHandle"],
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_at=int(attributes.get("SentTimestamp", 0)) / 1000,
    )
