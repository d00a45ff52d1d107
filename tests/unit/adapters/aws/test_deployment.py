"""A deployed stack: its resources, and the answer of a function that is invoked."""

import base64
import io
import json
from typing import Any

import pytest

from netvitals.adapters.aws import deployment
from netvitals.adapters.aws.deployment import Invocation


def test_lambdas_answer_is_read_with_its_log_and_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lambda:
        def invoke(self, **asked: Any) -> dict[str, Any]:
            assert json.loads(asked["Payload"]) == {"a": 1}
            payload = io.BytesIO(b'{"errorType": "Unavailable", "errorMessage": "no way"}')
            tail = base64.b64encode(b"its log").decode()
            return {"FunctionError": "Unhandled", "Payload": payload, "LogResult": tail}

    monkeypatch.setattr(deployment, "clients", lambda *_: Lambda())
    assert deployment.invoke("f", {"a": 1}) == Invocation("Unavailable: no way", b"its log")


def test_resources_that_were_never_made_or_are_deleted_are_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = {
        "StatusQueue": {"PhysicalResourceId": "https://queue", "ResourceStatus": "UPDATE_COMPLETE"},
        "NotificationDeadLetters": {"ResourceStatus": "CREATE_COMPLETE"},
        "SpoolDeadLetters": {"PhysicalResourceId": "https://gone", "ResourceStatus": "DELETE_COMPLETE"},
    }
    page = [
        {"ResourceType": "AWS::SQS::Queue", "LogicalResourceId": name, **each}
        for name, each in listed.items()
    ]

    class CloudFormation:
        def get_paginator(self, _: str) -> "CloudFormation":
            return self

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            return [{"StackResourceSummaries": page}]

    monkeypatch.setattr(deployment, "clients", lambda _: CloudFormation())
    assert deployment.resources_of("lab") == {"AWS::SQS::Queue": {"StatusQueue": "https://queue"}}
