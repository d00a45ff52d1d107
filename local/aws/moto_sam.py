"""moto, able to deploy a SAM template.

It expands the transform as CloudFormation's own macro does, creates schedules, keeps a note of the other
types that moto does not know, and takes a type of which nobody has thought for an error.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

from moto.backends import get_backend
from moto.cloudformation import models, parsing
from moto.core.common_models import CloudFormationModel
from moto.events.models import EventBus

from local.aws import server as aws
from local.aws.cloudformation import transformed

SAM = "AWS::Serverless-2016-10-31"
_plain_parse = models.Stack.parse_template
_known: Any = parsing.resource_class_from_type


def expanded(template: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """Return the template without SAM's types, as moto can read it."""
    if template.get("Transform") != SAM:
        return template
    found = transformed(json.loads(json.dumps(template, default=date.isoformat)), given)
    for mapping in found["Mappings"].values():  # moto makes numbers of numeric parameters, also as keys
        mapping.update({int(key): value for key, value in mapping.items() if key.isdigit()})
    return found


class Noted(CloudFormationModel):
    """A resource of a type that moto does not know; it has an id and does nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def physical_resource_id(self) -> str:
        return self.name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    def get_cfn_attribute(self, attribute: str) -> str:
        return f"arn:aws:{attribute.lower()}:{self.name}"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name: str, *_: Any, **__: Any) -> "Noted":
        return cls(resource_name)


class Schedule(Noted):
    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> "Schedule":
        given = cloudformation_json["Properties"]
        backend: Any = get_backend("scheduler")[account_id][region_name]
        absent = ("end_date", "group_name", "kms_key_arn", "schedule_expression_timezone", "start_date")
        backend.create_schedule(
            name=resource_name,
            description=given.get("Description"),
            flexible_time_window=given["FlexibleTimeWindow"],
            schedule_expression=given["ScheduleExpression"],
            state=given["State"],
            target=given["Target"],
            action_after_completion=None,
            **dict.fromkeys(absent),
        )
        return cls(resource_name)


UNKNOWN_TO_MOTO = {
    "AWS::Scheduler::Schedule": Schedule,
    "AWS::CloudWatch::Alarm": Noted,
    "AWS::S3::BucketPolicy": Noted,
    "AWS::Lambda::EventInvokeConfig": Noted,
    "AWS::Events::ApiDestination": Noted,
    "AWS::Events::Connection": Noted,
    "AWS::Events::Rule": Noted,
    "AWS::SQS::QueuePolicy": Noted,
    "AWS::SNS::TopicPolicy": Noted,
}


def class_of(kind: str) -> Any:
    """Return moto's class of a type of resource, or ours.

    Raises:
        RuntimeError: nobody has thought of this type.
    """
    found = UNKNOWN_TO_MOTO.get(kind) or _known(kind)
    if found is None and kind not in parsing.NULL_MODELS:
        raise RuntimeError(f"neither moto nor this simulator knows {kind}")
    return found


def parse(stack: Any) -> None:
    """Read the template of a stack or change set."""
    template = _plain_parse(stack.template)
    stack.template_dict = expanded(template, dict(getattr(stack, "parameters", None) or {}))


@contextmanager
def running() -> Iterator[aws.Aws]:
    """Serve AWS by moto, which takes SAM templates for as long."""
    changes = (
        (models.Stack, "_parse_template", parse),
        (models.ChangeSet, "_parse_template", parse),
        (parsing, "resource_class_from_type", class_of),
        # Without it a variable that refers to a bus is the bus itself, and functions can not be listed.
        (EventBus, "physical_resource_id", property(lambda bus: bus.name)),
    )
    with ExitStack() as stack:
        for place, name, changed in changes:
            stack.enter_context(patch.object(place, name, changed, create=place is EventBus))
        yield stack.enter_context(aws.running())
