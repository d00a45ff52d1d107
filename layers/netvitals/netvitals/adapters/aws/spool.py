"""Use an SQS queue as the spool or the reject queue: batches of records as messages."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from netvitals.adapters.aws.batches import LONG_POLL_SECONDS, MAX_ENTRIES, BatchSender, batches
from netvitals.adapters.aws.faults import AWS_FAULTS
from netvitals.adapters.aws.silence import Silence
from netvitals.domain.errors import Unavailable
from netvitals.store.ports import SpoolMessage
from netvitals.store.spool_batch import Content, InvalidSpoolBatch, encode_spool_batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

TRIES = 3


class Depth(NamedTuple):
    """Approximate numbers of messages in a queue, as SQS gives them."""

    waiting: int
    hidden: int
    """Messages that are being delivered or wait for their next attempt."""


class SqsSpool:
    """Implements `ports.Spool` and `ports.SpoolQueue`: batches of records as messages of a queue."""

    def __init__(
        self, client: "SQSClient", queue_url: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._queue_url = client, queue_url
        self._silence = Silence(time.monotonic)
        self._sender = BatchSender(client, queue_url, tries=TRIES, repeats_requests=False, sleep=sleep)

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        """Keep the records; see `ports.Spool`."""
        try:
            bodies = encode_spool_batches(content, records, cause)
            for batch in batches(_entry(number, body, content) for number, body in enumerate(bodies)):
                self._send(batch)
        except InvalidSpoolBatch as error:
            raise Unavailable(f"not kept: {error}") from None

    def _send(self, batch: "list[SendMessageBatchRequestEntryTypeDef]") -> None:
        outcome = self._sender.send(batch)
        left = len(outcome.unsent) + len(outcome.refused)
        if outcome.is_final:
            raise Unavailable(f"the queue {self._queue_url} can't be used: {outcome.cause}")
        if left:
            raise Unavailable(f"the queue {self._queue_url} did not take {left} messages: {outcome.cause}")

    def receive(self, at_most: int = MAX_ENTRIES, visibility_seconds: int = 60) -> list[SpoolMessage]:
        """Return messages that are due, hidden from others for `visibility_seconds`; empty where none are.

        Raises:
            Unavailable: the queue can't be reached.
        """
        with self._reached():
            answer = self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=min(at_most, MAX_ENTRIES),
                VisibilityTimeout=visibility_seconds,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
            return [_message(message) for message in answer.get("Messages", [])]

    def delete(self, message: SpoolMessage) -> None:
        """Delete a message that was delivered; if that fails it is delivered again, which is harmless.

        Raises:
            Unavailable: the queue can't be reached.
        """
        with self._reached():
            self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.receipt)

    def postpone(self, message: SpoolMessage, seconds: int) -> None:
        """Hide the message for some seconds; see `ports.SpoolQueue`.

        Where that fails, the queue's own visibility timeout applies. After a call without an answer, messages
        are not postponed for some seconds.
        """
        if self._silence.lasts():
            return
        try:
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )
        except AWS_FAULTS as error:
            self._silence.note(error)

    def depth(self) -> Depth:
        """Return the number of messages in the queue.

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
