"""LocalStack with one stack in it: started, deployed to by `sam deploy`, its schedules fired, and ended."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3

from local.aws.clients import client, environment
from local.event import HOST
from local.invoke import BUILD_DIR
from local.servers.process import free_port, running

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-localstack/bin/python"
SAM = ROOT / ".venv-sam/bin/sam"
STACK = "netvitals-local"
LATE_SECONDS = 60
"""How late every tick comes: as late as it may, so that polls are due from now on and not in a minute."""
_COMMAND_SECONDS = 300


class Cloud:
    """LocalStack, by its URL."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._folder = url, folder

    def client(self, service: str) -> Any:
        return client(self.url, service)

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Deploy the built template, as a person does; parameters that are not named keep their values.

        Raises:
            RuntimeError: SAM or CloudFormation refuses; says the end of what SAM said.
        """
        self._sam(
            *("deploy", "--template-file", str(ROOT / BUILD_DIR / "template.yaml"), "--resolve-s3"),
            *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--parameter-overrides"),
            *(f'{name}="{value}"' for name, value in {"Architecture": HOST, **parameters}.items()),
        )

    def count(self) -> int:
        """Return how many resources the stack has."""
        found = self._all("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=STACK)
        return sum(bool(each.get("PhysicalResourceId")) for each in found)

    def remove(self) -> list[str]:
        """Delete the stack as a person does; return what is left of it."""
        self._sam("delete", "--no-prompts")
        listed = [
            ("lambda", "list_functions", "Functions", "FunctionName"),
            ("lambda", "list_event_source_mappings", "EventSourceMappings", "FunctionArn"),
            ("scheduler", "list_schedules", "Schedules", "Name"),
            ("sqs", "list_queues", "QueueUrls", None),
            ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
            ("logs", "describe_log_groups", "logGroups", "logGroupName"),
            ("iam", "list_roles", "Roles", "RoleName"),
        ]
        left = [
            each[name] if name else each
            for service, operation, key, name in listed
            for each in self._all(service, operation, key)
        ]
        events = self.client("events")  # its lists have no pages
        left += [each["Name"] for each in events.list_connections()["Connections"]]
        left += [each["Name"] for each in events.list_api_destinations()["ApiDestinations"]]
        left += [each["Name"] for each in events.list_event_buses()["EventBuses"]]
        # LocalStack logs under names of its own.
        return [name for name in left if STACK in name and not name.startswith("/aws/lambda/")]

    def schedules(self) -> dict[str, Any]:
        """Return the stack's schedules as they are now, by the beginning of their logical ids.

        LocalStack keeps no more of an id than `FanoutFunctionStatusTick`.
        """
        scheduler, found = self.client("scheduler"), {}
        for each in self._all("scheduler", "list_schedules", "Schedules"):
            made = scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
            name = made["Name"].removeprefix(f"{STACK}-").rpartition("-")[0]
            found[name] = {key: made[key] for key in ("ScheduleExpression", "State", "Target")}
        return found

    def fire(self, beginning: str, late_seconds: float = LATE_SECONDS) -> Any:
        """Fire the schedule whose name begins so, with its own input, as EventBridge Scheduler does.

        Returns what its function answers.

        Raises:
            RuntimeError: it is disabled, or its function failed.
        """
        ((name, schedule),) = (pair for pair in self.schedules().items() if pair[0].startswith(beginning))
        if schedule["State"] != "ENABLED":
            raise RuntimeError(f"schedule {name} is disabled")
        scheduled = datetime.fromtimestamp(time.time() - late_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", scheduled)
        answer = self.client("lambda").invoke(
            FunctionName=schedule["Target"]["Arn"], Payload=payload.encode()
        )
        said = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise RuntimeError(f"{name}: {said}")
        return said

    def netvitals(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `netvitals … --stack` as a person does."""
        return self._run(ROOT / ".venv/bin/netvitals", *words, "--stack", STACK)

    def _all(self, service: str, operation: str, key: str, **given: str) -> list[Any]:
        pages = self.client(service).get_paginator(operation).paginate(**given)
        return [each for page in pages for each in page.get(key, ())]

    def _sam(self, *words: str) -> None:
        settings = self._folder / "samconfig.toml"
        settings.write_text("version = 0.1\n")
        done = self._run(SAM, *words, "--stack-name", STACK, "--config-file", str(settings))
        if done.returncode:
            raise RuntimeError(f"sam {words[0]} failed: {(done.stdout + done.stderr)[-3000:]}")

    def _run(self, program: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(program), *words],
            cwd=self._folder,
            env={**os.environ, **environment(self.url)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )


@contextmanager
def localstack(folder: Path) -> Iterator[Cloud]:
    """Start LocalStack, whose functions run as processes of this machine, and end it with them.

    Raises:
        RuntimeError: it does not start; says the end of its log.
    """
    if not PYTHON.exists():
        raise RuntimeError("LocalStack is not installed; it comes with: make localstack")
    address = f"127.0.0.1:{free_port()}"
    variables = {
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "LAMBDA_KEEPALIVE_MS": "600000",
        "SQS_ENDPOINT_STRATEGY": "path",
        "PROVIDER_OVERRIDE_CLOUDFORMATION": "engine-legacy",  # the other can't update this template
        "FILESYSTEM_ROOT": str(folder / "files"),
        "TMPDIR": str(folder),
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "OVERRIDE_IN_DOCKER": "0",  # a machine may be a container, and look like theirs
        "PYTHONPATH": str(ROOT),
    }
    url = f"http://{address}"
    command: list[str | Path] = [PYTHON, "-m", "local.localstack.host"]
    with running(command, folder, lambda: _answers(url), environment=variables, stop=signal.SIGKILL):
        yield Cloud(url, folder)


def _answers(url: str) -> bool:
    try:
        health = urllib3.request("GET", f"{url}/_localstack/health", timeout=2, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return health.status == 200
