"""Read the state of a stack's resources from AWS."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import batched
from typing import Any, NamedTuple

import msgspec

from netvitals.adapters.aws.clients import Patience, client
from netvitals.adapters.aws.faults import AWS_FAULTS, code_of
from netvitals.domain.errors import Unavailable

type Resources = Mapping[str, Mapping[str, str]]
"""Physical ids by type, such as `AWS::SQS::Queue`, and logical id."""

clients = cache(client)
"""Returns the client of a service, made once: making one takes longer than a call."""
INVOCATION = Patience(3, 150, 1, 8 * 1024 * 1024)
"""Limits of an invocation: a collector may run for minutes, and must not be invoked twice."""
_USAGE_DAYS = 1
_USAGE_PERIOD_SECONDS = 300
_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


class QueueState(NamedTuple):
    arn: str
    visibility_seconds: int
    dead_letters_arn: str
    """ARN of its dead-letter queue; empty where it has none."""
    attempts: int
    waiting: int


class FunctionState(NamedTuple):
    timeout_seconds: int
    layers: frozenset[str]
    update: str
    """`Successful`, `Failed` or `InProgress`."""
    sources: Mapping[str, str]
    """State of each event source mapping, such as `Enabled`, by the ARN of its queue."""


class Alarm(NamedTuple):
    name: str
    state: str
    reason: str
    has_actions: bool


class Concurrency(NamedTuple):
    limit: int
    used: int
    """Maximum of concurrent invocations in the last day."""


class Invocation(NamedTuple):
    error: str
    """The function's error; empty where it returned."""
    log: bytes
    """The last 4 KB of its log."""


def resources_of(name: str) -> dict[str, dict[str, str]]:
    """Return the resources of a stack that exist.

    Raises:
        Unavailable: CloudFormation can't be asked.
    """
    found: dict[str, dict[str, str]] = {}
    with _asking(f"resources of stack {name}"):
        for page in clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name):
            for each in page["StackResourceSummaries"]:
                if each.get("PhysicalResourceId") and each.get("ResourceStatus") != "DELETE_COMPLETE":
                    kind = found.setdefault(each["ResourceType"], {})
                    kind[each["LogicalResourceId"]] = each["PhysicalResourceId"]
    return found


def queue_state(url: str) -> QueueState:
    """Return a queue's state; raise Unavailable where SQS can't be asked."""
    with _asking(f"queue {url}"):
        given = clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = msgspec.json.decode(given.get("RedrivePolicy") or "{}", type=dict[str, Any])
        return QueueState(
            given["QueueArn"],
            int(given["VisibilityTimeout"]),
            str(redrive.get("deadLetterTargetArn", "")),
            int(redrive.get("maxReceiveCount", 0)),
            int(given["ApproximateNumberOfMessages"]),
        )


def function_state(name: str) -> FunctionState:
    """Return a function's state; raise Unavailable where Lambda can't be asked."""
    functions = clients("lambda")
    with _asking(f"function {name}"):
        made = functions.get_function_configuration(FunctionName=name)
        sources = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        return FunctionState(
            made["Timeout"],
            frozenset(each["Arn"] for each in made.get("Layers", [])),
            made.get("LastUpdateStatus", "Successful"),
            {each["EventSourceArn"]: each["State"] for each in sources},
        )


def schedule_states(names: Iterable[str]) -> dict[str, str]:
    """Return ENABLED or DISABLED for each schedule; raise Unavailable where Scheduler can't be asked."""
    scheduler = clients("scheduler")
    found = {}
    for name in names:
        with _asking(f"schedule {name}"):
            found[name] = scheduler.get_schedule(Name=name.rpartition("/")[2])["State"]
    return found


def alarms(names: Sequence[str]) -> list[Alarm]:
    """Return the alarms' states; raise Unavailable where CloudWatch can't be asked."""
    cloudwatch = clients("cloudwatch")
    found: list[Alarm] = []
    for some in batched(names, 100, strict=False):
        with _asking("alarms"):
            answer = cloudwatch.describe_alarms(AlarmNames=list(some), MaxRecords=100)
            found += [
                Alarm(
                    each["AlarmName"],
                    each["StateValue"],
                    each.get("StateReason", ""),
                    bool(each.get("ActionsEnabled") and each.get("AlarmActions")),
                )
                for each in answer["MetricAlarms"]
            ]
    return found


def concurrency() -> Concurrency:
    """Return the region's quota of concurrent invocations and their maximum; raise Unavailable as above."""
    with _asking("the account's Lambda concurrency"):
        limit = clients("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
        now = datetime.now(UTC)
        points = clients("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="ConcurrentExecutions",
            StartTime=now - timedelta(days=_USAGE_DAYS),
            EndTime=now,
            Period=_USAGE_PERIOD_SECONDS,
            Statistics=["Maximum"],
        )["Datapoints"]
        return Concurrency(int(limit), int(max((each["Maximum"] for each in points), default=0)))


def invoke(name: str, event: Mapping[str, Any]) -> Invocation:
    """Invoke a function and wait for it; raise Unavailable where Lambda does not run it."""
    with _asking(f"function {name}", "invoked"):
        answer = clients("lambda", INVOCATION).invoke(
            FunctionName=name, LogType="Tail", Payload=msgspec.json.encode(event)
        )
        payload = answer["Payload"].read()
        log = msgspec.convert(answer.get("LogResult", ""), bytes, strict=False)
        said = msgspec.json.decode(payload) if answer.get("FunctionError") else {}
        error = f"{said.get('errorType', 'error')}: {said.get('errorMessage', '')}" if said else ""
        return Invocation(error, log)


def sqs_event(body: str, queue_arn: str) -> dict[str, Any]:
    """Return the event that Lambda makes of one message; the message is in no queue."""
    stamp = str(int(time.time() * 1000))
    return {
        "Records": [
            {
                "messageId": "netvitals-doctor",
                "receiptHandle": "netvitals-doctor",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": stamp},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
            }
        ]
    }


@contextmanager
def _asking(what: str, done: str = "read") -> Iterator[None]:
    try:
        yield
    except AWS_FAULTS as error:
        code = code_of(error)
        remedy = "; your AWS user may not" if code in _REFUSED else ""
        raise Unavailable(f"{what} can't be {done} ({code}){remedy}") from None
