"""Run the real handlers in this process, with its environment; build what Lambda hands to them."""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

FUNCTIONS = Path(__file__).parents[2] / "functions"


class Context:
    """The part of Lambda's context object that our handlers use."""

    def __init__(self, seconds: float = 60, request_id: str = "request-1") -> None:
        self.aws_request_id = request_id
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


def module_of(function: str) -> ModuleType:
    """`functions/<function>/app.py`, imported anew."""
    spec = importlib.util.spec_from_file_location(f"{function}_app", FUNCTIONS / function / "app.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{FUNCTIONS / function} holds no app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def handler_of(function: str) -> Callable[[Any, Any], Any]:
    handler: Callable[[Any, Any], Any] = module_of(function).handler
    return handler


def sqs_event(messages: list[dict[str, Any]], queue: str = "status") -> dict[str, Any]:
    """Return the event that Lambda makes of messages from `receive_message`."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "0",
                    **message.get("Attributes", {}),
                },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}",
                "awsRegion": "eu-west-1",
            }
            for message in messages
        ]
    }
