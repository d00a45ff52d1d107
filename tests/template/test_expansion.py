"""The template, with SAM's types expanded, is one that CloudFormation takes."""

import json
import subprocess
from pathlib import Path

import pytest
from cfnlint import ManualArgs, lint  # type: ignore[import-untyped]  # it has no annotations

from local.aws.cloudformation import EVERYTHING, GIVEN, TEMPLATE, Deployed, expanded
from local.aws.template import load


def test_cfn_lint_finds_nothing_in_the_expanded_template() -> None:
    found = lint(json.dumps(expanded()), config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
    assert [str(match) for match in found] == []


@pytest.mark.integration
def test_sam_finds_nothing_in_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAM_CLI_TELEMETRY", "0")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    sam = Path(".venv-sam/bin/sam").absolute()
    if not sam.exists():
        pytest.skip("needs SAM: make .venv-sam/bin/sam")
    done = subprocess.run(
        [sam, "validate", "--lint", "--template-file", TEMPLATE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("parameters", [GIVEN, EVERYTHING])
def test_every_condition_leaves_references_to_resources_that_exist(parameters: dict[str, str]) -> None:
    deployed = Deployed(parameters)
    conditional = {name for name, resource in expanded()["Resources"].items() if "Condition" in resource}
    missing = conditional - set(deployed.resources)
    referred = json.dumps(list(deployed.resources.values()))
    assert [name for name in missing if f'"{name}"' in referred or f':{name}"' in referred] == []


def test_functions_share_one_processor_and_layers_are_built_for_it() -> None:
    for architecture in ("arm64", "x86_64"):
        deployed = Deployed({"Architecture": architecture})
        assert {tuple(each.properties["Architectures"]) for each in deployed.all("Lambda::Function")} == {
            (architecture,)
        }
        for layer in deployed.all("Lambda::LayerVersion"):
            assert layer.properties["CompatibleArchitectures"] == [architecture]
    layers = [
        resource
        for resource in load(TEMPLATE)["Resources"].values()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    ]
    assert [layer["Metadata"]["BuildArchitecture"] for layer in layers] == [{"Ref": "Architecture"}] * 2


def test_functions_are_in_a_vpc_exactly_where_one_is_given() -> None:
    assert all("VpcConfig" not in each.properties for each in Deployed().all("Lambda::Function"))
    for function in Deployed(EVERYTHING).all("Lambda::Function"):
        assert len(function.properties["VpcConfig"]["SubnetIds"]) == 2
        assert function.properties["VpcConfig"]["SecurityGroupIds"] == ["sg-0123456789abcdef0"]


def test_two_stacks_share_no_name() -> None:
    def names(stack: str) -> set[str]:
        deployed = Deployed(EVERYTHING | {"AWS::StackName": stack})
        return {
            f"{resource['Type']} {key} {value}"
            for resource in deployed.resources.values()
            for key, value in resource["Properties"].items()
            if (key == "Name" or key.endswith("Name"))
            and key not in ("FunctionName", "MetricName", "DisplayName", "EventBusName")
        }

    one, other = names("one"), names("other")
    assert any("LogGroupName" in name for name in one)
    assert one & other == set()


def test_only_names_that_hold_the_stacks_are_given() -> None:
    """CloudFormation invents the others, which are then never in each other's way."""
    given = {
        (resource["Type"], key)
        for resource in Deployed(EVERYTHING).resources.values()
        for key in resource["Properties"]
        if key in ("Name", "QueueName", "TopicName", "RoleName", "ManagedPolicyName", "AlarmName")
        or (key == "FunctionName" and resource["Type"] == "AWS::Lambda::Function")
    }
    assert given == {("AWS::Events::EventBus", "Name")}


def test_logs_are_json_kept_for_the_retention_and_never_filtered_above_info() -> None:
    for level, applied in (("DEBUG", "DEBUG"), ("INFO", "INFO"), ("ERROR", "INFO")):
        deployed = Deployed({"LogLevel": level, "LogRetentionDays": "90"})
        for function in deployed.all("Lambda::Function"):
            logging = function.properties["LoggingConfig"]
            assert (logging["LogFormat"], logging["ApplicationLogLevel"]) == ("JSON", applied)
            assert deployed[logging["LogGroup"]]["RetentionInDays"] == "90"
