"""The published schemas are those of the types, and say of real documents what netvitals says of them."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from local import schemas
from netvitals.adapters.files.configuration_document import decode_document
from netvitals.adapters.files.inventory import read_devices
from netvitals.cli.config import reference as config_reference
from netvitals.cli.main import cli
from netvitals.cli.poll.output import json_line
from netvitals.cli.schema.command import NAMES
from netvitals.cli.schema.documents import document, text
from netvitals.cli.schema.shapes import SHAPES
from netvitals.cli.schema.typescript import typescript
from netvitals.domain.decision.announcement import device_event, site_event
from netvitals.domain.decision.status import Cause, Change, Monitored, Polls, SiteState, Status, StatusRecord
from netvitals.domain.errors import ConfigurationError, CredentialMissing
from netvitals.domain.polling.job import Job, decode_jobs, encode_jobs
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.observation import PollResult, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.settings.configuration import configuration_from
from netvitals.domain.settings.credential import credential_from
from netvitals.domain.settings.policy import PingSettings, PollSettings

ROOT = Path(__file__).parents[4]


_validator = cache(lambda name: Draft202012Validator(document(name)))


def is_valid(name: str, value: Any) -> bool:
    return bool(_validator(name).is_valid(value))


@pytest.mark.parametrize("name", NAMES)
def test_the_published_schema_is_that_of_the_type(name: str) -> None:
    published = schemas.published(name)
    assert not schemas.fault(name, published)
    assert schemas.file_of(name).read_text() == text(document(name)), "run: make schemas"


def test_the_published_typescript_is_that_of_the_types() -> None:
    assert (schemas.FOLDER / "netvitals.d.ts").read_text() == typescript(), "run: make schemas"


def test_a_shape_that_changes_is_not_published_without_a_new_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schemas.main(tmp_path) == 0
    before = json.loads((tmp_path / "event.json").read_text())
    del before["properties"]["cause"]
    (tmp_path / "event.json").write_text(json.dumps(before))
    assert schemas.main(tmp_path) == 1
    assert "'event' has changed and its version is still 1.0" in capsys.readouterr().err
    assert json.loads((tmp_path / "event.json").read_text()) == before
    (tmp_path / "event.json").write_text(json.dumps(before | {"version": "0.9"}))
    assert schemas.main(tmp_path) == 0
    assert json.loads((tmp_path / "event.json").read_text()) == document("event")


def test_other_words_need_no_new_version() -> None:
    published = document("event")
    published["properties"]["cause"]["description"] = "Otherwise."
    assert schemas.fault("event", published) is None


def test_a_property_that_is_called_like_a_keyword_is_a_part_of_the_shape() -> None:
    published = document("event")
    del published["properties"]["version"]
    assert schemas.fault("event", published)


@pytest.mark.parametrize("name", NAMES)
def test_the_command_prints_a_schema_of_the_dialect_that_it_names(name: str) -> None:
    printed = json.loads(CliRunner().invoke(cli, ["schema", name]).output)
    Draft202012Validator.check_schema(printed)
    assert printed["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert printed["$id"] == f"urn:netvitals:schema:{name}:{printed['version']}"


def test_the_command_prints_typescript() -> None:
    assert CliRunner().invoke(cli, ["schema", "--typescript"]).output == typescript()


@pytest.mark.parametrize("words", [[], ["event", "--typescript"]])
def test_the_command_wants_one_of_both(words: list[str]) -> None:
    run = CliRunner().invoke(cli, ["schema", *words])
    assert run.exit_code == 2
    assert "name one of inventory, " in run.output


def _properties(name: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    schema = document(name)
    for title, node in {**schema["$defs"], "": schema}.items():
        for key, inner in node.get("properties", {}).items():
            yield f"{title}.{key}", inner, schema["$defs"]


@pytest.mark.parametrize("name", NAMES)
def test_every_key_says_what_it_means(name: str) -> None:
    for where, node, definitions in _properties(name):
        references = [node, *node.get("anyOf", [])]
        titles = [each["$ref"].rpartition("/")[2] for each in references if "$ref" in each]
        texts = [node.get("description"), *(definitions[title].get("description") for title in titles)]
        assert any(texts), where


def test_every_metric_has_its_unit() -> None:
    listed = document("poll")["$defs"]["MetricName"]["oneOf"]
    assert {each["const"] for each in listed} == METRICS.keys()
    assert all(METRICS[each["const"]].unit in each["description"] for each in listed)


DOCUMENTS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"$schema": "docs/schema/configuration.json", "log_level": "DEBUG"}, True),
    ({"device_types": {"ups": {"extends": "network", "snmp": {"version": "1", "retries": 4}}}}, True),
    ({"defaults": {"status_interval_seconds": 60, "snmp": {"timeout_seconds": 5}}}, True),
    ({"collector": {"max_concurrent_devices": 5}, "fanout": {"jobs_per_message": 3}}, True),
    ({"influxdb": {"bucket": None}}, True),
    ({"log_level": "LOUD"}, False),
    ({"loglevel": "INFO"}, False),
    ({"defaults": {"status_interval_seconds": 1}}, False),
    ({"defaults": {"status_interval_seconds": "30s"}}, False),
    ({"defaults": {"extends": "network"}}, False),
    ({"device_types": {"ups": {"snmp": {"version": 1}}}}, False),
    ({"device_types": {"UPS!": {}}}, False),
    ({"device_types": {"ups": {"snmp": {"community": "x"}}}}, False),
    ({"collector": {"max_concurrent_per_site": 0}}, False),
    ({"fanout": {"jobs": 3}}, False),
    ({"$schema": 5}, False),
]


@pytest.mark.parametrize(("value", "valid"), DOCUMENTS)
def test_a_configuration_is_right_for_the_schema_and_for_the_loader_or_for_neither(
    value: dict[str, Any], *, valid: bool
) -> None:
    assert is_valid("configuration", value) == valid
    try:
        configuration_from(decode_document(json.dumps(value), "document"), "document")
    except ConfigurationError:
        assert not valid
    else:
        assert valid


def test_a_yaml_document_may_name_the_schema_that_editors_check_it_by() -> None:
    lines = "# yaml-language-server: $schema=netvitals.schema.json\nlog_level: DEBUG\n"
    for named in (lines, "$schema: netvitals.schema.json\nlog_level: DEBUG\n"):
        assert decode_document(named, "document") == {"log_level": "DEBUG"}


def test_the_default_document_is_right_for_the_schema() -> None:
    assert is_valid("configuration", decode_document(config_reference.default_document(), "defaults"))


CREDENTIALS: list[tuple[dict[str, Any], bool]] = [
    ({"snmp": {"community": "x"}}, True),
    ({"snmp": {"version": "3", "user": "x", "auth": "SHA", "auth_key": "12345678"}, "ssh": None}, True),
    ({"ssh": {"user": "x", "password": "x"}, "winrm": {"user": "x", "password": "x"}}, True),
    ({"snmp": {"comunity": "x"}}, False),
    ({"snmp": {"version": "3", "user": "x", "auth": "SHA3", "auth_key": "12345678"}}, False),
    ({"ssh": {"password": "x"}}, False),
    ({"telnet": {}}, False),
]


@pytest.mark.parametrize(("value", "valid"), CREDENTIALS)
def test_a_credential_is_right_for_the_schema_and_for_the_map_or_for_neither(
    value: dict[str, Any], *, valid: bool
) -> None:
    assert is_valid("credentials", {"core": value}) == valid
    try:
        credential_from("core", value)
    except CredentialMissing:
        assert not valid
    else:
        assert valid


ROWS: list[tuple[dict[str, Any], bool]] = [
    ({"id": "sw-1", "ip_address": "192.0.2.1"}, True),
    ({"id": 7, "hostname": "sw-1", "parent_id": 8, "enabled": False, "rack": "A"}, True),
    ({"id": "a", "hostname": "a", "maintenance_until": "2026-11-23T16:00:00Z", "settings": None}, True),
    ({"id": "a", "hostname": "a", "maintenance_until": "", "settings": {"snmp": {"port": 1161}}}, True),
    ({"hostname": "a"}, False),
    ({"id": "", "hostname": "a"}, False),
    ({"id": "a", "hostname": "a", "maintenance_until": "tomorrow"}, False),
    ({"id": "a", "hostname": "a" * 257}, False),
    ({"id": "a", "hostname": "a", "settings": [1]}, False),
]


@pytest.mark.parametrize(("row", "valid"), ROWS)
def test_a_device_is_right_for_the_schema_and_for_the_import_or_for_neither(
    row: dict[str, Any], *, valid: bool, tmp_path: Path
) -> None:
    assert is_valid("inventory", row) == valid
    path = tmp_path / "devices.jsonl"
    path.write_text(json.dumps(row))
    assert bool(read_devices(path)[0]) == valid


def _job(**more: Any) -> Job:
    return Job(kind="status", device_id="sw-1", address="192.0.2.1", due_at=60, expires_at=90, **more)


def test_what_fan_out_sends_is_right_for_the_schema() -> None:
    settings = PollSettings(protocols=(), ping=PingSettings(count=2))
    body = encode_jobs([_job(), _job(settings=settings, memory={"ssh_host_keys": ["x"]}, silent=True)])
    assert is_valid("job", json.loads(body))


@pytest.mark.parametrize("wrong", [{"kind": "all"}, {"address": ""}, {"due_at": "noon"}])
def test_a_job_that_can_not_be_used_is_wrong_for_the_schema(wrong: dict[str, Any]) -> None:
    body = {"version": 1, "jobs": [msgspec.to_builtins(_job()) | wrong]}
    assert not is_valid("job", body)
    assert decode_jobs(json.dumps(body)).faults


def _change(*, says_flapping: bool = False) -> Change:
    device = Monitored(id="sw-1", polls=Polls(), record=StatusRecord(announced=Status.ONLINE), site="hq")
    after = StatusRecord(status=Status.OFFLINE, cause=Cause.NO_ANSWER, since=100.0)
    return Change(device, after, "silent", is_transition=True, is_announced=True, says_flapping=says_flapping)


@pytest.mark.parametrize(
    "message",
    [
        device_event(_change(), 130.0),
        device_event(_change(says_flapping=True), 130.0),
        *(site_event(SiteState(name, lost, 100.0), 130.0) for name in ("hq", "") for lost in (True, False)),
    ],
    ids=["device", "flapping", "site lost", "site back", "fleet silent", "fleet polled"],
)
def test_every_event_is_right_for_the_schema(message: Any) -> None:
    detail = json.loads(message.body)
    assert is_valid("event", detail)
    assert set(detail) - document("event")["properties"].keys() == set()
    assert not is_valid("event", detail | {"after": "broken"})


def test_the_documented_event_is_right_for_the_schema() -> None:
    page = (ROOT / "docs" / "status.md").read_text()
    (example,) = re.findall(r"```json\n(\{\n.*?)```", page, re.DOTALL)
    assert is_valid("event", json.loads(example))


@pytest.mark.parametrize("rated", [False, True])
def test_a_line_of_a_poll_is_right_for_the_schema(*, rated: bool) -> None:
    points = [Point("cpu_percent", 17.4, 1), Point("net_bytes_in", 2**40, 1, "Gi1/0/1", 1)]
    result = PollResult(
        job=_job(), reachable=True, method="snmp", reason=Reason.OK,
        attempted_at_ns=1, duration_ms=12.3456, points=points,
    )  # fmt: skip
    line = json.loads(json_line(result, rated=rated))
    assert is_valid("poll", line)
    assert [("per_second" in point, "value" in point) for point in line["points"]] == [
        (False, True),
        (rated, not rated),
    ]
    line["points"][0]["metric_name"] = "cpu"
    assert not is_valid("poll", line)


def test_every_type_that_typescript_names_is_declared_once() -> None:
    module = typescript()
    declared = [line.split()[2] for line in module.splitlines() if line.startswith("export ")]
    assert len(declared) == len(set(declared))
    assert {SHAPES[name].title for name in NAMES} | {"MetricName", "Policy"} <= set(declared)
    assert "/**\n * One value of one metric.\n */\nexport interface PointLine {\n" in module
    assert "  device: EventDevice | null;\n" in module
    assert '  protocols?: ("snmp" | "ssh" | "winrm")[];\n' in module
