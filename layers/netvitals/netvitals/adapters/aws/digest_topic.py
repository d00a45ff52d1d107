"""Publish a digest of each run to an SNS topic: one mail, however many devices changed."""

import logging
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from netvitals.adapters.aws.faults import AWS_FAULTS
from netvitals.domain.decision.status import OutboxMessage

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_logger = logging.getLogger(__name__)


class _Mail(msgspec.Struct):
    subject: str
    message: str


class DigestTopic:
    """Publishes digests; botocore retries by itself, and a digest that fails waits for the next run."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, messages: Sequence[OutboxMessage]) -> Collection[str]:
        """Publish each digest and return the ids of those that were taken; see `ports.Publisher`."""
        taken: set[str] = set()
        for message in messages:
            digest = msgspec.json.decode(message.body, type=_Mail)
            try:
                answer = self._client.publish(
                    TopicArn=self._topic_arn, Subject=_subject(digest.subject), Message=digest.message
                )
                answer["MessageId"]  # an answer without one is not SNS's
            except AWS_FAULTS as error:
                left, cause = len(messages) - len(taken), f"{type(error).__name__}: {error}"
                _logger.warning(
                    "topic %s: %d digests were not taken and are kept: %s", self._topic_arn, left, cause
                )
                break
            taken.add(message.id)
        return taken


def _subject(text: str) -> str:
    """Return the text as a subject of SNS: ASCII without control characters, less than 100 characters."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:99]
