"""Starts LocalStack (community, from PyPI) with functions that run as processes of this machine.

It runs in .venv-localstack, as `python -m local.localstack.host`, under the variables of `cloud.py`. Changed
are only parts of LocalStack that its community edition lacks: none of ours.
"""

import json
import os
import re
from functools import partial
from typing import Any

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
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import DockerRuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.services.s3 import provider as s3
from localstack.services.scheduler.resource_providers import aws_scheduler_schedule as schedules
from twisted.internet import endpoints

from local.lambda_.sandbox import Function, Sandbox

_NUMBERS = {"Threshold": float, "EvaluationPeriods": int, "Period": int, "DatapointsToAlarm": int}
_OF_A_SCHEDULE = (
    *("Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name"),
    *("ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "State", "Target"),
)


class SandboxExecutor(RuntimeExecutor):  # type: ignore[misc]  # LocalStack is not installed where types are checked
    """Runs a function with its layers, which the community edition leaves out, in a sandbox of ours."""

    def start(self, env_vars: dict[str, Any]) -> None:
        config = self.function_version.config
        self._sandbox = Sandbox(
            Function(
                name=self.function_version.id.function_name,
                code=config.code.get_unzipped_code_location(),
                path=[layer.code.get_unzipped_code_location() / "python" for layer in config.layers],
                handler=config.handler,
                # The devices are simulated on loopback.
                environment={key: str(value) for key, value in env_vars.items()}
                | {"NETVITALS_ALLOW_LOCAL": "on"},
                timeout_seconds=config.timeout,
                memory_mb=config.memory_size,
            )
        )
        self._sandbox.wait_until_ready()

    def stop(self) -> None:
        self._sandbox.close()

    def get_address(self) -> str:
        return "127.0.0.1"

    get_endpoint_from_executor = get_runtime_endpoint = get_address

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        outcome = self._sandbox.invoke(payload["payload"].encode())
        answer = json.dumps(outcome.error or outcome.payload).encode()
        log = f"{outcome.log}{outcome.report}\n"
        return InvocationResult(payload["invoke-id"], answer, outcome.error is not None, log)

    def get_logs(self) -> str:
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        for unpacked in (function_version.config, *function_version.config.layers):
            unpacked.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        function_version.config.code.destroy_cached()


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
    s3.DEFAULT_S3_TMP_DIR = f"{os.environ['FILESYSTEM_ROOT']}/s3"
    # LocalStack would listen at all addresses of this machine.
    endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
    DockerRuntimeExecutorPlugin.load = lambda *_: SandboxExecutor
    named(connections.EventsConnectionProvider)
    named(destinations.EventsApiDestinationProvider)
    template_utils.re = References
    entities.Stack.mappings = property(mappings)
    alarms.CloudWatchAlarmProvider.create = create_alarm
    alarms.CloudWatchAlarmProvider.update = update_alarm
    schedules.SchedulerScheduleProvider.update = update_schedule
    ResourceProviderExecutor.execute_action = execute_change
    main()
