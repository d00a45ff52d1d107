"""Move the messages of a dead-letter queue back to their source queue, or delete them."""

from typing import TYPE_CHECKING

from netvitals.adapters.aws.batches import LONG_POLL_SECONDS, MAX_ENTRIES, BatchSender, batches
from netvitals.adapters.aws.faults import AWS_FAULTS
from netvitals.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry

VISIBILITY_SECONDS = 120


def queue_url(client: "SQSClient", name: str) -> str:
    """Return the URL of a queue that is named by its URL or its name.

    Raises:
        Unavailable: there is none.
    """
    if name.startswith(("http://", "https://")):
        return name
    try:
        return client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        raise Unavailable(f"there is no queue {name} in {client.meta.region_name}") from None
    except AWS_FAULTS as error:
        raise Unavailable(f"the queue {name} is not found: {error}") from None


def source_of(client: "SQSClient", dead_letters: str) -> str:
    """Return the URL of the queue whose dead letters these are.

    Raises:
        Unavailable: there is none, or there are several.
    """
    try:
        urls = client.list_dead_letter_source_queues(QueueUrl=dead_letters).get("queueUrls", [])
    except AWS_FAULTS as error:
        raise Unavailable(f"the source of {dead_letters} is not known: {error}") from None
    if not urls:
        raise Unavailable(
            f"no queue sends its dead letters to {dead_letters}: name with --to where they are to go, "
            "or take them out with: netvitals spool discard"
        )
    if len(urls) > 1:
        raise Unavailable(
            f"{dead_letters} holds the dead letters of {len(urls)} queues; name one with --to, "
            "or take them out with: netvitals spool discard"
        )
    return urls[0]


def move(client: "SQSClient", dead_letters: str, target: str, at_most: int) -> int:
    """Move messages, each sent before it is deleted, so that none is lost; return how many.

    This is a loop of our own because emulators lack SQS's move task, which also returns no final count.

    Raises:
        Unavailable: a queue can't be used; messages that were not moved stay where they were.
    """
    sender = BatchSender(client, target, repeats_requests=False)
    moved = 0
    try:
        while moved < at_most and (messages := _received(client, dead_letters, at_most - moved)):
            for batch in batches(_entry(number, message) for number, message in enumerate(messages)):
                outcome = sender.send(batch)
                _delete(client, dead_letters, [messages[int(entry["Id"])] for entry in outcome.accepted])
                moved += len(outcome.accepted)
                if outcome.refused or outcome.unsent:
                    raise Unavailable(f"{moved} messages were moved, then: {outcome.cause}")
    except AWS_FAULTS as error:
        raise Unavailable(f"{moved} messages were moved, then: {error}") from None
    return moved


def discard(client: "SQSClient", dead_letters: str, at_most: int) -> "Iterator[Sequence[MessageTypeDef]]":
    """Yield messages in batches; each batch is deleted when the next one is requested, so none goes unseen.

    Raises:
        Unavailable: the queue can't be used; messages that were not yielded stay where they were.
    """
    try:
        while at_most > 0 and (messages := _received(client, dead_letters, at_most)):
            yield messages
            _delete(client, dead_letters, messages)
            at_most -= len(messages)
    except AWS_FAULTS as error:
        raise Unavailable(f"{dead_letters} can't be used: {error}") from None


def _received(client: "SQSClient", queue: str, at_most: int) -> "list[MessageTypeDef]":
    answer = client.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=min(MAX_ENTRIES, at_most),
        VisibilityTimeout=VISIBILITY_SECONDS,
        WaitTimeSeconds=LONG_POLL_SECONDS,
        MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


def _entry(number: int, message: "MessageTypeDef") -> "Entry":
    entry: Entry = {
        "Id": str(number),
        "MessageBody": message["Body"],
        "MessageAttributes": message.get("MessageAttributes", {}),
    }
    if group := message.get("Attributes", {}).get("MessageGroupId"):
        entry["MessageGroupId"] = group
    return entry


def _delete(client: "SQSClient", queue: str, messages: "Sequence[MessageTypeDef]") -> None:
    if not messages:
        return
    answer = client.delete_message_batch(
        QueueUrl=queue,
        Entries=[{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)],
    )
    if failed := answer.get("Failed", []):
        raise Unavailable(
            f"{len(failed)} messages were not deleted, so they may come again: "
            f"{failed[0].get('Message', failed[0]['Code'])}"
        )
