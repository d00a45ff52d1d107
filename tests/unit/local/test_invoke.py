"""`python -m local.invoke` finds a built function, its layers and its environment in the template."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.bare import ROOT
from local.aws.template import Resolver, load
from local.invoke import function_from, main, variables_of

TEMPLATE = """
Parameters:
  Minutes: {Type: Number, Default: 2}
  Network: {Type: String, Default: ""}
Mappings:
  Seconds:
    "1": {Of: 60}
    "2": {Of: 120}
Conditions:
  Networked: !Not [!Equals [!Ref Network, ""]]
  Both: !And [!Condition Networked, !Equals [!Ref Minutes, 1]]
Globals:
  Function:
    Handler: app.handler
    MemorySize: 128
    Layers: [!Ref Shared]
    Environment:
      Variables: {WHERE: !Sub "${AWS::Region}/${Jobs.Arn}", EVERYWHERE: "yes"}
Resources:
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Shared}}
  Own: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Own}}
  Jobs: {Type: AWS::SQS::Queue, Condition: Networked, Properties: {}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: Fn
      Timeout: !FindInMap [Seconds, !Ref Minutes, Of]
      MemorySize: 256
      Layers: [!Ref Own]
      Environment:
        Variables:
          EVERYWHERE: "no"
          NETWORKS: !If [Networked, !Join ["+", !Split [",", !Ref Network]], !Ref AWS::NoValue]
          BOTH: !If [Both, "yes", "no"]
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "Fn").mkdir()
    (tmp_path / "Fn" / "app.py").write_text("def handler(event, context):\n    return event['x'] + 1\n")
    return tmp_path


def test_globals_are_merged_and_the_functions_own_values_win(build: Path) -> None:
    function = function_from(build, "Fn")
    assert (function.timeout_seconds, function.memory_mb, function.handler) == (120, 256, "app.handler")
    assert [folder.parent.name for folder in function.path] == ["Shared", "Own"]
    assert function.environment == {
        "WHERE": "us-east-1/arn:aws:sqs:us-east-1:123456789012:Jobs",
        "EVERYWHERE": "no",
        "BOTH": "no",
    }


def test_parameters_decide_what_there_is(build: Path) -> None:
    function = function_from(build, "Fn", {"Network": "a,b", "Minutes": "1"}, {"BOTH": "given"})
    assert function.timeout_seconds == 60
    assert (function.environment["NETWORKS"], function.environment["BOTH"]) == ("a+b", "given")
    template = load(build / "template.yaml")
    assert "Jobs" not in Resolver(template).resources()
    assert "Jobs" in Resolver(template, {"Network": "a"}).resources()


def test_variables_for_all_functions_come_before_a_functions_own(tmp_path: Path) -> None:
    path = tmp_path / "env.json"
    path.write_text(json.dumps({"Parameters": {"A": 1, "B": 2}, "Fn": {"B": 3}, "Other": {"C": 4}}))
    assert variables_of(path, "Fn") == {"A": "1", "B": "3"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Nobody"], "the template has no function Nobody; it has Fn"),
        (["Fn", "--parameter", "Hours=1"], "the template has no parameter Hours"),
        (
            ["Fn", "--build-dir", "/nowhere"],
            "/nowhere/template.yaml does not exist: run `make build-host` first",
        ),
        (["Fn", "--parameter", "Hours"], "--parameter Hours: write it as NAME=VALUE"),
        (["Fn", "--parameter", "=1"], "--parameter =1: write it as NAME=VALUE"),
        (["Fn", "--env", "/nowhere/env.json"], "/nowhere/env.json: No such file or directory"),
        (["Fn", "--event", "/nowhere/event.json"], "/nowhere/event.json: No such file or directory"),
    ],
)
def test_what_is_not_there_is_named(
    build: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit):
        main(["--build-dir", str(build), *arguments])
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff", '{"Fn": 3}', '{"Fn": ["A"]}'])
def test_a_file_that_holds_no_variables_is_named_with_what_it_has_to_hold(
    build: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = build / "env.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SystemExit) as ended:
        main(["Fn", "--build-dir", str(build), "--env", str(path)])
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert f"error: {path}: " in complaint
    assert 'write {"FanoutFunction": {"NAME": "value"}}' in complaint


def test_the_answer_is_printed_and_the_report_stands_apart(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = build / "event.json"
    event.write_text('{"x": 41}')
    assert main(["Fn", "--build-dir", str(build), "--event", str(event)]) == 0
    printed = capsys.readouterr()
    assert printed.out == "42\n"
    assert "Duration" in printed.err
    assert main(["Fn", "--build-dir", str(build)]) == 1
    assert "KeyError" in capsys.readouterr().out


def test_it_runs_with_what_the_demo_installs(build: Path, bare: dict[str, str]) -> None:
    (build / "event.json").write_text('{"x": 1}')
    arguments = ["Fn", "--build-dir", str(build), "--event", str(build / "event.json")]
    done = subprocess.run(
        [sys.executable, "-m", "local.invoke", *arguments],
        cwd=ROOT, env=bare, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
