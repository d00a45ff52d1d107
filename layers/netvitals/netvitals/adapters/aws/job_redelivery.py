"""Have messages of a job queue delivered again within seconds, before their visibility timeout ends."""

import logging
from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING

from netvitals.adapters.aws.faults import AWS_FAULTS
from netvitals.domain.ports import QueueMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MAX_ENTRIES = 10
_logger = logging.getLogger(__name__)


class SqsRedelivery:
    """Implements `ports.Redelivery`."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def redeliver(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        for batch in batched(messages, _MAX_ENTRIES, strict=False):
            try:
                answer = self._client.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": message.receipt, "VisibilityTimeout": seconds}
                        for number, message in enumerate(batch)
                    ],
                )
            except AWS_FAULTS as error:
                _warn(len(batch), error)
            else:
                if failed := answer.get("Failed"):
                    _warn(len(failed), failed[0].get("Message", failed[0]["Code"]))


def _warn(messages: int, cause: object) -> None:
    _logger.warning(
        "%d messages are delivered again only after their visibility timeout: %s", messages, cause
    )


class LeftToTheQueue:
    """Leaves failed messages to the queue's own visibility timeout, for a run without a queue."""

    def redeliver(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Do nothing."""
