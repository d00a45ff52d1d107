"""Starts LocalStack (community, from PyPI) on this machine, for Lambda containers of an image of ours.

It runs in .venv-localstack, as `python -m local.localstack.host`, under the variables of `cloud.py`. Changed
are only parts of LocalStack that its community edition lacks or would download: none of ours.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Any

from localstack.packages.api import InstallTarget
from localstack.runtime.main import main
from localstack.services.cloudformation.engine import entities, template_utils
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProviderExecutor,
)
from localstack.services.cloudwatch.resource_providers import aws_cloudwatch_alarm as alarms
from localstack.services.events.resource_providers import (
    aws_events_apidestination as destinations,
)
from localstack.services.events.resource_providers import (
    aws_events_connection as connections,
)
from localstack.services.lambda_ import packages
from localstack.services.lambda_.invocation import docker_runtime_executor as executor
from localstack.services.s3 import provider as s3
from localstack.services.scheduler.resource_providers import aws_scheduler_schedule as schedules
from twisted.internet import endpoints

INIT = Path(__file__).with_name("init.py")
IMAGE = os.environ["LOCAL_IMAGE"]
ADDRESSES = iter(pair.partition(":")[0] for pair in os.environ["GATEWAY_LISTEN"].split(","))
TCP4ServerEndpoint = endpoints.TCP4ServerEndpoint
_NUMBERS = {"Threshold": float, "EvaluationPeriods": int, "Period": int, "DatapointsToAlarm": int}
_OF_A_SCHEDULE = (
    *("Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name"),
    *("ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "State", "Target"),
)


def provide_init() -> None:
    """Install our init in the place of one that would be downloaded, and count our image as pulled."""
    installer = packages.lambda_runtime_package.get_installer()
    marker = Path(installer._get_install_marker_path(installer._get_install_dir(InstallTarget.VAR_LIBS)))  # noqa: SLF001, nothing else says where
    marker.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(INIT, marker)
    marker.chmod(0o755)
    for platform in (None, *executor.ARCHITECTURE_PLATFORM_MAPPING.values()):
        executor.PULLED_IMAGES.add((IMAGE, platform))


class References:
    """Finds what Fn::Sub refers to, where LocalStack takes an escaped `${!…}` for a reference too."""

    @staticmethod
    def findall(pattern: str, text: str) -> list[str]:
        return [found for found in re.findall(pattern, text) if not found.startswith("!")]


_mappings = entities.Stack.mappings.fget


def mappings(stack: Any) -> Any:
    """Return a template's mappings with keys that are numbers as such too: parameters of type Number are."""
    for mapping in (found := _mappings(stack)).values():
        mapping.update({int(key): value for key, value in list(mapping.items()) if str(key).isdigit()})
        mapping.update({str(key): value for key, value in list(mapping.items())})
    return found


def named(provider: Any) -> None:
    """Let a resource without a name have one of its logical id, as CloudFormation gives one."""
    create = provider.create

    def create_named(own: Any, request: Any) -> Any:
        request.desired_state.setdefault("Name", f"{request.stack_name}-{request.logical_resource_id}")
        return create(own, request)

    provider.create = create_named


def listen_there(reactor: Any, port: int) -> Any:
    """Listen at the next of the addresses that were asked for; LocalStack would at all there are."""
    return TCP4ServerEndpoint(reactor, port, interface=next(ADDRESSES))


_create_alarm = alarms.CloudWatchAlarmProvider.create


def create_alarm(provider: Any, request: Any) -> Any:
    """Create an alarm whose numbers come from parameters, which LocalStack hands on as text."""
    for name, number in _NUMBERS.items():
        if name in request.desired_state:
            request.desired_state[name] = number(request.desired_state[name])
    return _create_alarm(provider, request)


def update_alarm(provider: Any, request: Any) -> Any:
    """Write an alarm anew under its name, as CloudFormation does."""
    request.desired_state["AlarmName"] = request.previous_state["AlarmName"]
    return create_alarm(provider, request)


_execute = ResourceProviderExecutor.execute_action


def execute_change(executor: Any, provider: Any, payload: Any) -> Any:
    """Leave what an update does not change; LocalStack makes it anew, and disables queues' readers."""
    given = payload["requestData"]
    before = given.get("previousResourceProperties")
    after = given["resourceProperties"]
    if payload["action"] == "Modify" and before and all(before.get(key) == after[key] for key in after):
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=before)
    return _execute(executor, provider, payload)


def update_schedule(_: Any, request: Any) -> Any:
    """Change a schedule in place, as CloudFormation does."""
    model = {**request.desired_state, "Name": request.previous_state["Name"]}
    if retry := model["Target"].get("RetryPolicy"):
        model["Target"]["RetryPolicy"] = {name: int(value) for name, value in retry.items()}
    given = {name: model[name] for name in _OF_A_SCHEDULE if model.get(name) is not None}
    request.aws_client_factory.scheduler.update_schedule(**given)
    return ProgressEvent(
        status=OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context
    )


if __name__ == "__main__":
    provide_init()
    s3.DEFAULT_S3_TMP_DIR = f"{os.environ['FILESYSTEM_ROOT']}/s3"
    endpoints.TCP4ServerEndpoint = listen_there
    named(connections.EventsConnectionProvider)
    named(destinations.EventsApiDestinationProvider)
    template_utils.re = References
    entities.Stack.mappings = property(mappings)
    alarms.CloudWatchAlarmProvider.create = create_alarm
    alarms.CloudWatchAlarmProvider.update = update_alarm
    schedules.SchedulerScheduleProvider.update = update_schedule
    ResourceProviderExecutor.execute_action = execute_change
    main()
