"""`netvitals config`: what it prints, and how it ends."""

import json
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from netvitals.adapters.files.configuration_document import decode_document
from netvitals.cli.config.command import config
from netvitals.domain.settings.configuration import configuration_from

CANARY = "canary-8f3a"
DOCUMENT = """
log_level: DEBUG
defaults: {metrics_interval_seconds: 600}
device_types:
  linux: {ssh: {port: 2222}}
  ups: {extends: network, status_interval_seconds: 120}
"""


@pytest.fixture
def document(tmp_path: Path) -> str:
    path = tmp_path / "netvitals.yaml"
    path.write_text(DOCUMENT)
    return str(path)


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(config, arguments, env=environ)


def find(output: Result | str, name: str) -> str:
    """The rest of the first line of this name."""
    text = output if isinstance(output, str) else output.output
    line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
    return " ".join(line.split()[1:])


def test_each_effective_value_is_shown_with_where_it_comes_from(document: str) -> None:
    result = run("check", document, INFLUXDB_BUCKET="lab", NETVITALS_STATUS_INTERVAL_SECONDS="60")
    assert result.exit_code == 0, result.output
    assert find(result, "log_level") == f'"DEBUG" {document}'
    assert find(result, "influxdb.bucket") == '"lab" INFLUXDB_BUCKET'
    assert find(result, "influxdb.retries") == "3 default"
    ups, linux = result.output.split("Device type ups")[1], result.output.split("Device type linux")[1]
    assert find(ups, "status_interval_seconds") == "120 device_types.ups"
    assert find(ups, "metrics_interval_seconds") == "600 defaults"
    assert find(ups, "protocols") == '["snmp"] built-in type network'
    assert find(linux, "ssh.port") == "2222 device_types.linux"
    assert find(linux, "status_interval_seconds") == "60 NETVITALS_STATUS_INTERVAL_SECONDS"


def test_programs_read_a_line_a_setting_and_nothing_else_on_standard_output(document: str) -> None:
    result = run("check", document, "--format", "jsonl", INFLUXDB_BUCKET="lab", NETVITALS_LOG_LEVEL="WARNING")
    settings = [json.loads(line) for line in result.stdout.splitlines()]
    assert {
        "section": "Settings",
        "name": "influxdb.bucket",
        "value": '"lab"',
        "origin": "INFLUXDB_BUCKET",
    } in settings
    assert {each["section"] for each in settings} >= {"Settings", "Device type ups", "Environment"}
    assert "log_level" in result.stderr


def test_every_key_of_a_type_is_shown_when_asked_for(document: str) -> None:
    assert "snmp.interfaces.alias_tag" not in run("check", document).output
    assert "snmp.interfaces.alias_tag" in run("check", document, "--all").output


def test_every_fault_is_told_on_its_own_line_and_the_command_fails(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("log_levl: INFO\ninfluxdb: {retries: -1}\n")
    result = run("check", str(path))
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.startswith(f"netvitals: in {path}, log_levl: unknown key; did you mean 'log_level'?")
    assert second.startswith(f"netvitals: in {path}, influxdb.retries: expected a whole number")


def test_a_file_that_is_not_there_is_an_error_and_no_traceback() -> None:
    result = run("check", "nowhere.yaml")
    assert (result.exit_code, result.stderr) == (
        1,
        "netvitals: nowhere.yaml: can't be read: No such file or directory\n",
    )


def test_what_a_function_needs_is_required_when_it_is_named() -> None:
    assert run("check").exit_code == 0
    result = run("check", "--function", "fanout")
    assert result.exit_code == 1
    assert "set NETVITALS_DATABASE_SECRET_ARN, or DATABASE_URL for a local run" in result.stderr
    assert "NETVITALS_STATUS_QUEUE_URL: not set; expected the URL of an SQS queue" in result.stderr
    assert "INFLUXDB" not in result.stderr
    assert find(result, "DATABASE_URL") == "not set read by fanout, collector, status, replay"


def test_a_secret_is_shown_as_set(document: str) -> None:
    url = f"postgresql://u:{CANARY}@127.0.0.1:1/d"
    result = run(
        "check",
        document,
        "--connect",
        DATABASE_URL=url,
        INFLUXDB_TOKEN=CANARY,
        INFLUXDB_URL="http://127.0.0.1:1",
        INFLUXDB_ORG="o",
    )
    assert find(result, "DATABASE_URL") == "set read by fanout, collector, status, replay"
    assert find(result, "INFLUXDB_TOKEN") == "set read by collector, status, replay"
    assert CANARY not in result.output + result.stderr


def test_connecting_says_of_each_thing_what_came_of_it(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"good": {"snmp": {"community": CANARY}}}))
    credentials.chmod(0o600)
    result = run("check", "--connect", NETVITALS_CREDENTIALS_FILE=str(credentials))
    assert result.exit_code == 0, result.output
    assert find(result, "credentials") == "1 credential: good NETVITALS_CREDENTIALS_FILE"
    assert find(result, "database") == "not configured"
    credentials.write_text(json.dumps({"good": {}, "bad": {"snmp": {"comunity": CANARY}}}))
    result = run("check", "--connect", NETVITALS_CREDENTIALS_FILE=str(credentials))
    assert result.exit_code == 1
    assert (
        "credential 'bad' is malformed: snmp: key 'comunity' is not known; did you mean 'community'?"
        in result.stderr
    )
    assert CANARY not in result.output + result.stderr


@mock_aws
def test_a_document_in_a_parameter_is_checked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    boto3.client("ssm").put_parameter(Name="/netvitals", Value="log_level: loud", Type="String")
    result = run("check", NETVITALS_CONFIG_PARAMETER="/netvitals")
    assert result.exit_code == 1
    assert "in SSM parameter /netvitals, log_level: expected one of" in result.stderr


def test_the_defaults_are_shown_as_a_document_that_can_be_used() -> None:
    result = run("show-defaults")
    assert result.exit_code == 0
    configuration_from(decode_document(result.output, "defaults"), "defaults")
