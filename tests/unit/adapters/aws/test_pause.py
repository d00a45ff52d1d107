"""Polling is paused by a parameter that no deployment knows, and what can't be known stops nothing."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from netvitals.adapters.aws.pause import RETRY_SECONDS, PauseParameter, PauseSwitch, parameter_of
from netvitals.cli.main import cli
from netvitals.domain.errors import Unavailable

TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        boto3.client("cloudformation").create_stack(StackName="lab", TemplateBody=TEMPLATE)
        yield boto3.client("ssm")


def netvitals(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


class Flaky:
    """A parameter whose service answers, or does not."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.away = False
        self.reads = 0

    def read(self) -> str | None:
        self.reads += 1
        if self.away:
            raise Unavailable("SSM parameter /x can't be read (ConnectTimeoutError)")
        return self.value


class Scene:
    def __init__(self) -> None:
        self.now, self.parameter = 1000.0, Flaky()
        parameter: Any = self.parameter
        self.switch = PauseSwitch(parameter, lambda: self.now)


def test_a_stack_is_paused_from_the_command_that_says_so_to_the_one_that_resumes_it(ssm: Any) -> None:
    switch = PauseSwitch(PauseParameter(ssm, parameter_of("lab")), lambda: 0.0)
    assert not switch.paused()
    assert netvitals("pause", "--stack", "lab", "--reason", "core is being replaced").exit_code == 0
    assert switch.paused()
    assert ssm.get_parameter(Name="/netvitals/lab/paused")["Parameter"]["Value"].endswith(
        "UTC: core is being replaced"
    )
    assert "resumes with the next tick" in netvitals("resume", "--stack", "lab").output
    assert not switch.paused()


@pytest.mark.usefixtures("ssm")
def test_resuming_what_was_not_paused_is_no_error() -> None:
    run = netvitals("resume", "--stack", "lab")
    assert (run.exit_code, run.output) == (0, "polling of stack lab was not paused\n")


class LosesAnAnswer:
    """Systems Manager behind a network that loses the answer to a deletion: boto3 asks again."""

    def __init__(self, ssm: Any) -> None:
        self.get_parameter = ssm.get_parameter
        self._ssm = ssm

    def delete_parameter(self, **given: Any) -> Any:
        self._ssm.delete_parameter(**given)
        return self._ssm.delete_parameter(**given)


def test_a_resumption_that_was_asked_for_twice_because_its_answer_was_lost_is_one(ssm: Any) -> None:
    assert netvitals("pause", "--stack", "lab").exit_code == 0
    parameter = PauseParameter(LosesAnAnswer(ssm), parameter_of("lab"))  # type: ignore[arg-type]  # all that is used
    assert parameter.resume()
    assert parameter.read() is None
    assert not parameter.resume()


def test_pausing_twice_keeps_the_later_reason(ssm: Any) -> None:
    for reason in ("one", "two"):
        assert netvitals("pause", "--stack", "lab", "--reason", reason).exit_code == 0
    assert str(PauseParameter(ssm, parameter_of("lab")).read()).endswith("two")


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_stack_that_is_not_there_is_told_and_nothing_is_written(ssm: Any, command: str) -> None:
    run = netvitals(command, "--stack", "labb")
    assert run.exit_code == 2
    assert "there is no stack 'labb' in this account and region" in run.stderr
    assert ssm.describe_parameters()["Parameters"] == []


def test_a_service_that_does_not_answer_pauses_nothing_and_is_not_asked_at_each_tick() -> None:
    scene = Scene()
    scene.parameter.away = True
    assert [scene.switch.paused() for _ in range(3)] == [False] * 3
    assert scene.parameter.reads == 1
    scene.now += RETRY_SECONDS
    scene.parameter.away, scene.parameter.value = False, "since today"
    assert scene.switch.paused()


def test_what_was_paused_stays_so_while_nobody_knows_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.parameter.value = "since today"
    assert scene.switch.paused()
    scene.parameter.away = True
    assert scene.switch.paused()
    assert "can't be read (ConnectTimeoutError); polling stays paused" in caplog.text
    assert "polling is paused since today; `netvitals resume --stack NAME`" in caplog.text
