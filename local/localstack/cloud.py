"""LocalStack with one stack in it: started, deployed to by `sam deploy`, and ended."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3

from local.aws.clients import client
from local.aws.template import REGION
from local.event import HOST
from local.invoke import BUILD_DIR
from local.lambda_ import docker
from local.lambda_.surroundings import Surroundings
from local.servers.process import running

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-localstack/bin/python"
SAM = ROOT / ".venv-sam/bin/sam"
IMAGE = f"netvitals-local/layers:3.13-{HOST}"
PORT = 4566
STACK = "netvitals-local"
_DEPLOY_SECONDS = 300


class Cloud:
    """LocalStack, by its URL."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._folder = url, folder

    @cached_property
    def environment(self) -> dict[str, str]:
        """The variables by which AWS's clients talk to it and to nothing else."""
        own = {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/dev/null")
        return {**os.environ, **own, **keys, **files, "SAM_CLI_TELEMETRY": "0"}

    def client(self, service: str) -> Any:
        return client(self.url, service)

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Deploy the built template, as a person does; parameters that are not named keep their values.

        Raises:
            RuntimeError: SAM or CloudFormation refuses; says the end of what SAM said.
        """
        (self._folder / "samconfig.toml").write_text("version = 0.1\n")
        given = [f'{name}="{value}"' for name, value in parameters.items()]
        self._sam(
            *("deploy", "--template-file", str(ROOT / BUILD_DIR / "template.yaml"), "--resolve-s3"),
            *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            *("--parameter-overrides", f'Architecture="{HOST}"', *given),
        )

    def count(self) -> int:
        """Return how many resources the stack has."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
        found = [each for page in pages for each in page["StackResourceSummaries"]]
        return sum(bool(each.get("PhysicalResourceId")) for each in found)

    def remove(self) -> list[str]:
        """Delete the stack as a person does; return what is left of it."""
        self._sam("delete", "--no-prompts")
        lambda_, events = self.client("lambda"), self.client("events")
        left = [
            *(each["FunctionName"] for each in lambda_.list_functions()["Functions"]),
            *(each["UUID"] for each in lambda_.list_event_source_mappings()["EventSourceMappings"]),
            *(each["Name"] for each in self.client("scheduler").list_schedules()["Schedules"]),
            *(each["Name"] for each in events.list_connections()["Connections"]),
            *(each["Name"] for each in events.list_api_destinations()["ApiDestinations"]),
            *(each["Name"] for each in events.list_event_buses()["EventBuses"]),
            *self.client("sqs").list_queues().get("QueueUrls", []),
            *(each["AlarmName"] for each in self.client("cloudwatch").describe_alarms()["MetricAlarms"]),
            *(each["logGroupName"] for each in self.client("logs").describe_log_groups()["logGroups"]),
            *(each["RoleName"] for each in self.client("iam").list_roles()["Roles"]),
        ]
        # LocalStack logs under names of its own.
        return [name for name in left if STACK in name and not name.startswith("/aws/lambda/")]

    def _sam(self, *words: str) -> None:
        given = ["--stack-name", STACK, "--config-file", str(self._folder / "samconfig.toml")]
        done = subprocess.run(
            [str(SAM), *words, *given],
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_DEPLOY_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"sam {words[0]} failed: {(done.stdout + done.stderr)[-3000:]}")


@contextmanager
def localstack(around: Surroundings, folder: Path) -> Iterator[Cloud]:
    """Start LocalStack, with our image in the place of AWS's, and end it with its containers.

    Raises:
        RuntimeError: it does not start; says the end of its log.
    """
    if not PYTHON.exists():
        raise RuntimeError("LocalStack is not installed; it comes with: make localstack")
    build = ROOT / BUILD_DIR
    layers = [(build / name / "python", "opt/python") for name in ("DependenciesLayer", "NetvitalsLayer")]
    api = folder / "runtime-api"
    api.mkdir()
    (api / "runtime_api.py").write_text((ROOT / "local/lambda_/runtime_api.py").read_text())
    url = f"http://{around.gateway}:{PORT}"
    docker.make_image(around.docker, IMAGE, {"AWS_ENDPOINT_URL": url}, [*layers, (api, "var/runtime-api")])
    docker.check(around.docker, IMAGE, around.secrets["influxdb"]["url"])
    cloud = Cloud(url, folder)
    variables = {
        **around.docker,
        "LOCAL_IMAGE": IMAGE,
        "LAMBDA_RUNTIME_IMAGE_MAPPING": json.dumps({"python3.13": IMAGE}),
        "LAMBDA_DOCKER_NETWORK": "bridge",
        "LAMBDA_KEEPALIVE_MS": "600000",
        "DOCKER_BRIDGE_IP": around.gateway,
        "GATEWAY_LISTEN": f"{around.gateway}:{PORT},127.0.0.1:{PORT}",
        "LOCALSTACK_HOST": f"{around.gateway}:{PORT}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "PROVIDER_OVERRIDE_CLOUDFORMATION": "engine-legacy",  # the other can't update this template
        "FILESYSTEM_ROOT": str(folder / "files"),
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "OVERRIDE_IN_DOCKER": "0",  # a machine may be a container, and look like theirs
        "PYTHONPATH": str(ROOT),
    }
    command: list[str | Path] = [PYTHON, "-m", "local.localstack.host"]
    with running(command, folder, lambda: _answers(url), environment=variables, stop=signal.SIGKILL):
        try:
            yield cloud
        finally:
            _remove_containers(around)


def _answers(url: str) -> bool:
    try:
        health = urllib3.request("GET", f"{url}/_localstack/health", timeout=2, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return health.status == 200


def _remove_containers(around: Surroundings) -> None:
    named = docker.run(
        around.docker, "ps", "--all", "--quiet", "--filter", f"ancestor={IMAGE}"
    ).stdout.split()
    if named:
        docker.run(around.docker, "rm", "--force", *named, check=False)
