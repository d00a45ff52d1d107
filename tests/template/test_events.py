"""The events are what Lambda sends, and `sam local invoke` finds what it needs."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from fixtures.lambda_build import ROOT, SAM
from local.aws.cloudformation import GIVEN, TEMPLATE
from local.aws.template import Resolver, load
from local.event import NAMES, event_of, main
from local.invoke import variables_of
from netvitals import settings
from netvitals.domain.polling.job import decode_jobs
from netvitals.domain.polling.tick import tick_from

EVENTS = ROOT / "events"
ENVIRONMENT = EVENTS / "env.json"
ASK_SAM = """
import json, sys
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1], parameter_overrides=json.loads(sys.argv[2]))
print(json.dumps({
    function.name: {
        "code": function.codeuri,
        "handler": function.handler,
        "timeout": int(function.timeout),
        "memory": int(function.memory),
        "architecture": function.architecture,
        "layers": [layer.name for layer in function.layers],
        "variables": {name: str(value) for name, value in function.environment["Variables"].items()},
    }
    for function in SamFunctionProvider(stacks).get_all()
}))
"""


def test_every_function_and_case_has_an_event() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == {
        "env",
        "fanout-status",
        "fanout-metrics",
        "fanout-bad-tick",
        "collector-status",
        "collector-metrics",
        "collector-malformed-and-expired",
        "status-tick",
        "replay-lines",
        "replay-malformed",
    }


@pytest.mark.parametrize("kind", ["status", "metrics"])
def test_the_ticks_are_ones_that_fan_out_takes(kind: str) -> None:
    assert tick_from(json.loads((EVENTS / f"fanout-{kind}.json").read_text()), 0.0).kind == kind


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_record_carries_its_bodys_digest(path: Path) -> None:
    for record in json.loads(path.read_text()).get("Records", []):
        digest = hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        assert record["md5OfBody"] == digest


def test_the_environment_of_local_runs_sets_only_what_the_template_declares() -> None:
    """`sam local invoke` silently ignores any other variable."""
    resources = Resolver(load(TEMPLATE), GIVEN).resources()
    for function in json.loads(ENVIRONMENT.read_text()):
        declared = resources[function]["Properties"]["Environment"]["Variables"]
        assert set(variables_of(ENVIRONMENT, function)) <= set(declared)


def test_the_environment_of_local_runs_has_all_that_the_template_takes_from_its_resources() -> None:
    """What is left out is a resource's logical id in SAM's eyes, and no URL."""
    resources = Resolver(load(TEMPLATE), GIVEN).resources()
    for function, variables in json.loads(ENVIRONMENT.read_text()).items():
        environment = resources[function]["Properties"]["Environment"]["Variables"] | variables
        assert {name for name, value in environment.items() if value in resources} == set()
        for group in settings.FUNCTIONS[Path(resources[function]["Properties"]["CodeUri"]).name]:
            settings.variables(group, environment)


@pytest.mark.parametrize("name", NAMES)
def test_an_event_as_of_now_is_one_and_its_jobs_live_unless_they_are_to_be_expired(name: str) -> None:
    now = 1_900_000_000.0
    event = event_of(name, {"address": "10.0.0.1", "settings": {"snmp": {"port": 1161}}}, now)
    sample = json.loads((EVENTS / f"{name}.json").read_text())
    if "Records" not in event:
        assert event == sample | {"scheduled_time": "2030-03-17T17:46:40Z"}
    for record, before in zip(event.get("Records", []), sample.get("Records", []), strict=True):
        digest = hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        assert record["md5OfBody"] == digest
        assert record["attributes"]["SentTimestamp"] == "1900000000000"
        if '"jobs"' not in before["body"] or name.startswith("replay"):
            assert record["body"] == before["body"]
        elif not name.endswith("expired"):
            (job,) = decode_jobs(record["body"]).jobs
            assert (job.address, job.due_at) == ("10.0.0.1", now)
            assert job.expires_at > now


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_commands_for_an_event_are_printed_for_either_processor(
    architecture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["collector-metrics", "--address", "10.0.0.1", "--architecture", architecture]) == 0
    printed = capsys.readouterr()
    assert "10.0.0.1" in json.loads(printed.out)["Records"][0]["body"]
    build = ".aws-sam/host/build/template.yaml"
    overrides = f"--parameter-overrides Architecture={architecture}"
    given = "-e event.json -n env.json"
    assert f"sam local invoke MetricsCollectorFunction -t {build} {overrides} {given}\n" in printed.err
    assert f"-m local.invoke MetricsCollectorFunction {given}\n" in printed.err


@pytest.mark.integration
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Architecture": "x86_64", "LogLevel": "DEBUG", "StatusConcurrency": "7"},
    ],
)
def test_sam_resolves_every_function_as_the_local_runner_does(more: dict[str, str]) -> None:
    if not SAM.exists():
        pytest.skip("needs SAM: make .venv-sam/bin/sam")
    parameters = GIVEN | more
    command = [str(SAM.parent / "python"), "-c", ASK_SAM, str(TEMPLATE), json.dumps(parameters)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    resources = Resolver(load(TEMPLATE), parameters | {"AWS::StackName": "local"}).resources()
    ours = {
        name: {
            "code": str(ROOT / resource["Properties"]["CodeUri"]),
            "handler": resource["Properties"]["Handler"],
            "timeout": int(resource["Properties"]["Timeout"]),
            "memory": int(resource["Properties"]["MemorySize"]),
            "architecture": resource["Properties"]["Architectures"][0],
            "layers": resource["Properties"]["Layers"],
            "variables": resource["Properties"]["Environment"]["Variables"],
        }
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert json.loads(done.stdout) == ours
