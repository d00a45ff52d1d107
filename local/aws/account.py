"""The queues and secrets of a deployment, made in whatever stands in for AWS."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

QUEUES = ("status", "metrics", "spool", "reject")
VISIBILITY_SECONDS = 60


class Account:
    """Made through `client`, which gives boto3's client of a service."""

    def __init__(
        self, client: Callable[[str], Any], secrets: Mapping[str, Any], queues: Iterable[str] = QUEUES
    ) -> None:
        self.sqs = client("sqs")
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        self.queues: dict[str, str] = {
            name: self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] for name in queues
        }
        self._secretsmanager = client("secretsmanager")
        self.secrets: dict[str, str] = {
            name: self._secretsmanager.create_secret(Name=name, SecretString=json.dumps(content))["ARN"]
            for name, content in secrets.items()
        }

    def environment(self) -> dict[str, str]:
        """Return the variables by which functions know them."""
        return {
            **{f"NETVITALS_{name.upper()}_QUEUE_URL": url for name, url in self.queues.items()},
            **{f"NETVITALS_{name.upper()}_SECRET_ARN": arn for name, arn in self.secrets.items()},
        }

    def put_secret(self, name: str, content: Any) -> None:
        self._secretsmanager.put_secret_value(SecretId=self.secrets[name], SecretString=json.dumps(content))

    def receive(self, queue: str) -> list[dict[str, Any]]:
        """Return messages that are due, at most ten."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queues[queue], MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def delete(self, queue: str, messages: Sequence[Mapping[str, Any]]) -> None:
        entries = [
            {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)
        ]
        if entries:
            self.sqs.delete_message_batch(QueueUrl=self.queues[queue], Entries=entries)

    def depth(self, queue: str) -> int:
        """Return how many messages a queue holds, those that are hidden or delayed included."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.queues[queue], AttributeNames=names)
        return sum(int(number) for number in answer["Attributes"].values())
