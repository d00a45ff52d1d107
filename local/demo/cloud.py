"""AWS on this machine, by moto: queues, secrets, the configuration's parameter, an event bus with a rule."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from local.aws.account import QUEUES, Account
from local.aws.server import Aws

PARAMETER = "/netvitals/demo/configuration"
BUS = "netvitals-demo"


class Cloud(Account):
    """The queues, secrets, parameter and event bus; `environment` names them for the functions."""

    def __init__(self, aws: Aws, secrets: Mapping[str, Any], configuration: Mapping[str, Any]) -> None:
        super().__init__(aws.client, secrets, (*QUEUES, "events"))
        self.aws, self.url = aws, aws.url
        document = msgspec.yaml.encode(configuration).decode()
        aws.client("ssm").put_parameter(Name=PARAMETER, Value=document, Type="String")
        self._make_bus(aws.client("events"))

    def _make_bus(self, events: Any) -> None:
        """Let events end in a queue, as in anybody's application that wants to hear of them."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.queues["events"], AttributeNames=["QueueArn"])
        events.create_event_bus(Name=BUS)
        pattern = json.dumps({"source": ["netvitals"]})
        events.put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
        target = {"Id": "queue", "Arn": answer["Attributes"]["QueueArn"]}
        events.put_targets(Rule="all", EventBusName=BUS, Targets=[target])

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "AWS_ENDPOINT_URL": self.url,
            "NETVITALS_CONFIG_PARAMETER": PARAMETER,
            "NETVITALS_EVENT_BUS_NAME": BUS,
            "NETVITALS_ALLOW_LOCAL": "on",
        }
