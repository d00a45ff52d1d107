"""AWS on this machine, by moto: queues, secrets, the configuration's parameter, an event bus with a rule."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import msgspec
from moto.server import ThreadedMotoServer

from local.lambda_.handlers import sqs_event

REGION = "eu-west-1"
QUEUES = ("status", "metrics", "spool", "reject")
PARAMETER = "/netvitals/demo/configuration"
BUS = "netvitals-demo"
VISIBILITY_SECONDS = "60"


class Cloud:
    """The account: `environment` is what the functions get of it."""

    def __init__(self, url: str, secrets: Mapping[str, Any], configuration: Mapping[str, Any]) -> None:
        self.url = url
        self._sqs = self._client("sqs")
        self._queues = {
            name: self._sqs.create_queue(
                QueueName=f"netvitals-{name}", Attributes={"VisibilityTimeout": VISIBILITY_SECONDS}
            )["QueueUrl"]
            for name in (*QUEUES, "events")
        }
        manager = self._client("secretsmanager")
        self._secrets = {
            name: manager.create_secret(Name=f"netvitals-{name}", SecretString=json.dumps(value))["ARN"]
            for name, value in secrets.items()
        }
        self._client("ssm").put_parameter(
            Name=PARAMETER, Value=msgspec.yaml.encode(configuration).decode(), Type="String"
        )
        self._make_bus()

    def _client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="demo",
            aws_secret_access_key="demo",
        )

    def _make_bus(self) -> None:
        """Events end in a queue, as in anybody's application that wants to hear of them."""
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._queues["events"], AttributeNames=["QueueArn"]
        )
        events = self._client("events")
        events.create_event_bus(Name=BUS)
        pattern = json.dumps({"source": ["netvitals"]})
        events.put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule="all", EventBusName=BUS, Targets=[target])

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            **{f"NETVITALS_{name.upper()}_QUEUE_URL": self._queues[name] for name in QUEUES},
            **{f"NETVITALS_{name.upper()}_SECRET_ARN": arn for name, arn in self._secrets.items()},
            "NETVITALS_CONFIG_PARAMETER": PARAMETER,
            "NETVITALS_EVENT_BUS_NAME": BUS,
            "NETVITALS_ALLOW_LOCAL": "on",
        }

    def receive(self, queue: str) -> list[dict[str, Any]]:
        """Messages that are due, at most ten."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queues[queue], MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def event_of(self, queue: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
        return sqs_event(messages, f"netvitals-{queue}")

    def delete(self, queue: str, messages: list[dict[str, Any]]) -> None:
        if messages:
            entries = [
                {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                for n, message in enumerate(messages)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._queues[queue], Entries=entries)

    def depth(self, queue: str) -> int:
        """How many messages a queue holds, those that are hidden or delayed included."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queues[queue], AttributeNames=names)
        return sum(int(number) for number in answer["Attributes"].values())


@contextmanager
def cloud(secrets: Mapping[str, Any], configuration: Mapping[str, Any]) -> Iterator[Cloud]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Cloud(f"http://{host}:{port}", secrets, configuration)
    finally:
        server.stop()
