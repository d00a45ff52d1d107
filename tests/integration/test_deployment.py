"""`sam deploy` takes what `sam build` makes, all the way to a stack."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.lambda_build import ROOT, SAM, built
from local.aws.clients import client, environment
from local.aws.cloudformation import EVERYTHING, GIVEN, Deployed
from local.aws.moto_sam import running
from netvitals.adapters.aws.pause import PauseParameter, parameter_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

BUCKET = "artifacts"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running() as services:
        services.client("s3").create_bucket(Bucket=BUCKET)
        yield services.url.replace("127.0.0.1", "localhost")  # moto finds a template only under this name


def configured(folder: Path, stack: str, parameters: dict[str, str]) -> Path:
    """The samconfig.toml that there is, filled in as a person does."""
    text = (ROOT / "samconfig.toml").read_text()
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in parameters.items())
    for name in ("LogLevel", *parameters):
        text = re.sub(rf'^{name} = "[^"]*"\n', "", text, count=1, flags=re.MULTILINE)
    path = folder / f"samconfig-{stack}.toml"
    path.write_text(text.replace('Architecture = "arm64"', f'Architecture = "arm64"\n{lines}', 1))
    return path


def deploy(endpoint: str, build: Path, stack: str, parameters: dict[str, str]) -> None:
    done = subprocess.run(
        [
            *(str(SAM), "deploy", "--template-file", str(build / "template.yaml"), "--stack-name", stack),
            *("--config-file", str(configured(build, stack, parameters)), "--no-progressbar"),
            *("--no-resolve-s3", "--s3-bucket", BUCKET, "--no-confirm-changeset"),
        ],
        cwd=build,
        env={**os.environ, **environment(endpoint)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Successfully created/updated stack" in done.stdout


def made(endpoint: str, stack: str) -> set[str]:
    """The resources of a stack; layers' names change with their content."""
    found = client(endpoint, "cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    assert sum(each.get("ResourceType") == "AWS::Lambda::LayerVersion" for each in found) == 2
    names = {each["LogicalResourceId"] for each in found if "LogicalResourceId" in each}
    return {name for name in names if "Layer" not in name}


def expected(parameters: dict[str, str]) -> set[str]:
    return {name for name in Deployed(parameters).resources if "Layer" not in name}


def test_a_stack_with_every_option_is_deployed(endpoint: str, build_folder: Path) -> None:
    deploy(endpoint, built("arm64", build_folder), "everything", EVERYTHING)
    assert made(endpoint, "everything") == expected(EVERYTHING)


def test_two_stacks_are_deployed_beside_each_other(endpoint: str, build_folder: Path) -> None:
    parameters = GIVEN | {"StatusSchedule": "rate(2 minutes)"}
    for stack in ("one", "two"):
        deploy(endpoint, built("arm64", build_folder), stack, parameters)
        assert made(endpoint, stack) == expected(parameters)
    scheduler = client(endpoint, "scheduler")
    names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
    mine = [scheduler.get_schedule(Name=name) for name in names if name.startswith(("one-", "two-"))]
    assert len(mine) == 6
    ticks = [json.loads(schedule["Target"]["Input"]) for schedule in mine]
    assert [tick["schedule"] for tick in ticks if tick.get("kind") == "status"] == ["rate(2 minutes)"] * 2


def netvitals(endpoint: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "netvitals", *arguments],
        env={**os.environ, **environment(endpoint), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


DOCUMENT = "log_level: WARNING\nallowed_networks: [10.0.0.0/8]\ndefaults: {metrics_interval_seconds: 600}\n"


def test_a_deployed_stack_says_what_set_each_value_and_stays_paused_if_it_was(
    endpoint: str, build_folder: Path
) -> None:
    build = built("arm64", build_folder)
    client(endpoint, "ssm").put_parameter(Name="/netvitals/seen", Value=DOCUMENT, Type="String")
    given = {"AllowedNetworks": "10.1.0.0/16", "StatusIntervalSeconds": "60", "LogLevel": "DEBUG"}
    others = {"ConfigParameterName": "/netvitals/seen", "FanoutMemoryMb": "1024"}
    parameters = GIVEN | given | others
    parameter = PauseParameter(client(endpoint, "ssm"), parameter_of("seen"))
    parameter.pause("moving", 0.0)
    deploy(endpoint, build, "seen", parameters)
    assert parameter.read() == "since 1970-01-01 00:00:00 UTC: moving"
    says(netvitals(endpoint, "config", "check", "--stack", "seen"))

    env = json.loads(netvitals(endpoint, "config", "env", "--stack", "seen"))
    assert set(env) == {name for name in expected(parameters) if name.endswith("Function")}
    assert env["FanoutFunction"]["NETVITALS_STATUS_INTERVAL_SECONDS"] == "60"
    assert env["FanoutFunction"]["NETVITALS_PAUSE_PARAMETER"] == ""

    resources = client(endpoint, "cloudformation").describe_stack_resources(StackName="seen")
    (name,) = (
        each["PhysicalResourceId"]
        for each in resources["StackResources"]
        if each.get("LogicalResourceId") == "FanoutFunction"
    )
    fan_out = client(endpoint, "lambda").get_function_configuration(FunctionName=name)
    assert fan_out["Environment"]["Variables"]["NETVITALS_PAUSE_PARAMETER"] == parameter_of("seen")
    netvitals(endpoint, "resume", "--stack", "seen")
    assert parameter.read() is None
    netvitals(endpoint, "pause", "--stack", "seen")
    assert parameter.read() is not None


def says(output: str) -> None:
    """Of each value whether a parameter, the document or nobody set it."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    both = "what is in both: SSM parameter /netvitals/seen, parameter AllowedNetworks of stack seen"
    beaten = "log_level: 'DEBUG' of NETVITALS_LOG_LEVEL is used, and not the document's 'WARNING'"
    for line in (
        'log_level "DEBUG" parameter LogLevel of stack seen',
        f'allowed_networks ["10.1.0.0/16"] {both}',
        "status_interval_seconds 60 parameter StatusIntervalSeconds of stack seen",
        "metrics_interval_seconds 600 defaults",
        "influxdb.retries 3 default",
        "FanoutMemoryMb 1024 deployment",
        f"SSM parameter /netvitals/seen: {beaten}",
    ):
        assert line in lines, output
    assert not [line for line in lines if line.startswith("StatusMemoryMb")]
