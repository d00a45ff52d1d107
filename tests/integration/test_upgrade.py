"""Version 0.1.0 is upgraded: its tables, jobs on its queues, its document, what its deployment had saved."""

import json
import logging
import re
import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from moto import mock_aws

from fixtures import version_0_1 as old
from fixtures.influxdb import Influx
from fixtures.pipeline import COMMUNITY, REGION, Pipeline
from local.aws.cloudformation import TEMPLATE
from local.aws.template import load
from local.demo.snmp_devices import switch
from local.devices.snmp_agent import Agent
from local.devices.snmp_host import AgentThread
from local.lambda_.handlers import Context, handler_of, sqs_event
from netvitals.cli.main import cli
from netvitals.wiring.parts import forget, process

pytestmark = pytest.mark.integration

TABLES = ("devices", "device_state", "device_status_history", "status_outbox", "site_state", "status_watch")


class Upgraded(Pipeline):
    """A pipeline on the database that version 0.1.0 left, with an agent for its device sw-1."""

    port: int


@pytest.fixture
def old_database(empty_database_url: str) -> str:
    folder = files("netvitals.adapters.postgres") / "migrations"
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "CREATE TABLE netvitals_migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
        )
        for name, digest in old.MIGRATIONS.items():
            text = (folder / f"{name}.sql").read_text()
            assert sha256(text.encode()).hexdigest() == digest, f"{name} was released: it may not change"
            connection.execute(text.encode())
            connection.execute("INSERT INTO netvitals_migrations (name) VALUES (%s)", [name])
    return empty_database_url


@pytest.fixture
def upgraded(old_database: str, memory_influx: Influx, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upgraded]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    agent = Agent(switch("sw-1", 4, 1e6).objects, community=COMMUNITY)
    with mock_aws(), AgentThread({"127.23.0.1": agent}) as host:
        rows = {"settings": json.dumps(old.settings(host.port)), "memory": json.dumps(old.MEMORY)}
        with psycopg.ClientCursor(psycopg.connect(old_database, autocommit=True)) as cursor:
            cursor.execute(old.ROWS, rows)
        before = contents(old_database)
        run = CliRunner().invoke(cli, ["inventory", "init"], env={"DATABASE_URL": old_database})
        assert run.exit_code == 0, run.output
        kept(before, contents(old_database))
        pipeline = Upgraded(old_database, memory_influx)
        pipeline.port = host.port
        for name, value in pipeline.environment().items():
            monkeypatch.setenv(name, value)
        forget()
        yield pipeline
        process().database.close()
        forget()


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    with psycopg.connect(url) as connection:
        return {
            table: [row for (row,) in connection.execute(f"SELECT to_jsonb({table}) FROM {table} ORDER BY 1")]  # noqa: S608, tables of ours
            for table in TABLES
        }


def kept(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> None:
    """Every row is there with every value that it had; columns may have come."""
    for table in TABLES:
        assert len(before[table]) == len(after[table])
        for was, row in zip(before[table], after[table], strict=True):
            assert was == {name: row[name] for name in was}


def messages(*bodies: str) -> dict[str, Any]:
    return sqs_event(
        [{"MessageId": str(n), "ReceiptHandle": "r", "Body": body} for n, body in enumerate(bodies)]
    )


def test_its_jobs_are_polled_once_each_and_its_tables_serve_on(upgraded: Upgraded) -> None:
    due_at = int(time.time()) - 5
    status = [
        old.body("status", name, address, upgraded.port, due_at)
        for name, address in (("sw-1", "127.23.0.1"), ("sw-dead", "127.23.0.2"))
    ]
    metrics = old.body("metrics", "sw-1", "127.23.0.1", upgraded.port, due_at)
    for event in (messages(*status), messages(metrics), messages(*status)):
        assert handler_of("collector")(event, Context()) == {"batchItemFailures": []}
    rows = upgraded.influx.query("SELECT device_id, metric_name, value FROM device_metrics")
    up = [(row["device_id"], row["value"]) for row in rows if row["metric_name"] == "ping_status"]
    assert sorted(up) == [("sw-1", 1), ("sw-1", 1), ("sw-dead", 0)]  # by status and by metrics; not twice
    assert {"cpu_percent", "net_bytes_in"} <= {row["metric_name"] for row in rows}
    states = {row["device_id"]: row for row in contents(upgraded.database_url)["device_state"]}
    assert states["sw-1"]["memory"]["snmp"]["profile"] == "cisco"  # looked at anew, whatever was remembered
    assert states["sw-dead"]["failures"] == 91

    assert handler_of("status")({}, Context())["transitions"] == 0
    assert states["sw-1"]["status"] == "online"
    statuses = upgraded.influx.query("SELECT * FROM device_status")  # with heartbeats that fell due now
    (published,) = (row for row in statuses if row["time"] == old.WAITING_NS)
    assert (published["device_id"], published["status"]) == ("sw-dead", "offline")
    assert upgraded.tick("status")["jobs"] > 0


def test_a_body_of_another_version_is_returned_and_the_others_are_polled(upgraded: Upgraded) -> None:
    due_at = int(time.time()) - 5
    good = old.body("status", "sw-1", "127.23.0.1", upgraded.port, due_at)
    answer = handler_of("collector")(messages(good, good.replace('"version":1', '"version":0')), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert (
        len(upgraded.influx.query("SELECT value FROM device_metrics WHERE metric_name = 'ping_status'")) == 1
    )


@pytest.mark.usefixtures("upgraded")
def test_its_document_is_taken_and_what_has_no_effect_any_more_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "netvitals.yaml"
    path.write_text(old.DOCUMENT)
    monkeypatch.setenv("NETVITALS_CONFIG_FILE", str(path))
    monkeypatch.setenv("NETVITALS_ALLOWED_NETWORKS", "")
    with caplog.at_level(logging.WARNING):
        configuration = process().configuration
    assert configuration.collector.max_concurrent_per_site == 25
    assert configuration.policy("ups", {}).status_interval_seconds == 60
    checked = CliRunner().invoke(cli, ["config", "check", str(path)])
    assert checked.exit_code == 0
    for key in (
        "fanout.jobs_per_message",
        "collector.max_concurrent_devices",
        "collector.flush_reserve_seconds",
    ):
        assert f"{key} has no effect any more" in caplog.text
        assert f"{key} has no effect any more" in checked.output


def test_every_value_that_its_deployment_saved_is_one_that_the_template_takes() -> None:
    """SAM passes on only parameters that the template has, so those that are gone do no harm."""
    declared = load(TEMPLATE)["Parameters"]
    gone = set()
    for name, value in re.findall(r'(\w+)="([^"]*)"', old.SAVED):
        if name not in declared:
            gone.add(name)
            continue
        rules = declared[name]
        assert re.match(rules.get("AllowedPattern", ""), value), name
        assert value in map(str, rules.get("AllowedValues", [value])), name
        assert float(rules.get("MinValue", "-inf")) <= float(value if "MinValue" in rules else 0), name
        assert float(value if "MaxValue" in rules else 0) <= float(rules.get("MaxValue", "inf")), name
    assert "StatusBatchSize" in gone
