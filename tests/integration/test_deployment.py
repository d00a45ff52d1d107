"""`sam deploy` takes what `sam build` makes, all the way to a stack."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from fixtures.lambda_build import ROOT, SAM, built
from local.aws.cloudformation import EVERYTHING, GIVEN, Deployed
from local.aws.template import REGION

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

BUCKET = "artifacts"
ACCESS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": REGION}


@contextmanager
def cloud() -> Iterator[str]:
    """A moto that deploys SAM templates, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from local.aws.moto_sam import main; main()"],
        cwd=ROOT,
        env={**os.environ, **ACCESS, "PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), "moto did not start"
        yield url.replace("127.0.0.1", "localhost")  # moto finds a template by its URL under this name only
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with cloud() as url:
        client(url, "s3").create_bucket(Bucket=BUCKET)
        yield url


def deploy(endpoint: str, build: Path, stack: str, parameters: dict[str, str]) -> None:
    done = subprocess.run(
        [
            *(str(SAM), "deploy", "--template-file", str(build / "template.yaml"), "--stack-name", stack),
            *(
                "--s3-bucket",
                BUCKET,
                "--capabilities",
                "CAPABILITY_IAM",
                "--no-confirm-changeset",
                "--no-progressbar",
            ),
            *("--parameter-overrides", *(f'{name}="{value}"' for name, value in parameters.items())),
        ],
        cwd=build,
        env={**os.environ, **ACCESS, "AWS_ENDPOINT_URL": endpoint, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Successfully created/updated stack" in done.stdout


def client(endpoint: str, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )


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
