"""From a schedule's event to points in InfluxDB and a status, on real servers: nothing here is a stand-in
for what netvitals itself does."""

import subprocess
import time
from itertools import groupby
from typing import Any

import psycopg
import pytest

from fixtures.influxdb import TOKEN
from fixtures.pipeline import COMMUNITY, SILENT_PORT, Pipeline
from fixtures.snmpd import StartSnmpd
from local.lambda_.handlers import Context, handler_of, sqs_event
from local.servers.snmpd import HOST, Snmpd
from netvitals.wiring.parts import forget

pytestmark = pytest.mark.integration

SNMPD_CONF = f"""
rocommunity {COMMUNITY}
sysLocation here
includeAllDisks 10%
"""
NAMES = "1.3.6.1.2.1.31.1.1.1.1"
COUNTERS = {
    "net_bytes_in": "1.3.6.1.2.1.31.1.1.1.6",
    "net_bytes_out": "1.3.6.1.2.1.31.1.1.1.10",
    "net_discards_in": "1.3.6.1.2.1.2.2.1.13",
    "net_discards_out": "1.3.6.1.2.1.2.2.1.19",
    "net_errors_in": "1.3.6.1.2.1.2.2.1.14",
    "net_errors_out": "1.3.6.1.2.1.2.2.1.20",
}


@pytest.fixture(scope="module")
def snmpd(start_snmpd: StartSnmpd) -> Snmpd:
    return start_snmpd(SNMPD_CONF)


def snmpget(snmpd: Snmpd, *oids: str) -> list[str]:
    command = ["snmpget", "-v2c", "-c", COMMUNITY, "-Oqvet", f"{HOST}:{snmpd.port}", *oids]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={"MIBS": ""}).stdout.split(
        "\n"
    )[:-1]


def snmpwalk(snmpd: Snmpd, column: str) -> dict[str, str]:
    command = ["snmpwalk", "-v2c", "-c", COMMUNITY, "-Oqnet", f"{HOST}:{snmpd.port}", column]
    lines = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"MIBS": ""}
    ).stdout.splitlines()
    return {
        name.removeprefix(f".{column}."): value.strip('"')
        for name, value in (line.split(" ", 1) for line in lines)
    }


def interfaces(snmpd: Snmpd) -> set[tuple[str, str]]:
    """Indexes and names, but for those of containers, which come and go, and which netvitals leaves out."""
    names = snmpwalk(snmpd, NAMES).items()
    return {(index, name) for index, name in names if not name.startswith(("veth", "br-"))}


def points_of(pipeline: Pipeline, device_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The points of a device by metric and instance."""
    rows = pipeline.influx.query("SELECT * FROM device_metrics")
    return {(row["metric_name"], row["instance"] or ""): row for row in rows if row["device_id"] == device_id}


def test_every_interface_counter_in_influxdb_lies_between_what_snmpget_said_before_and_after(
    pipeline: Pipeline, snmpd: Snmpd
) -> None:
    pipeline.add_device("sw-1", snmpd.port)
    assert pipeline.tick("metrics")["jobs"] == 1
    time.sleep(1)  # snmpd reads its interfaces once a second: what it says now is from before the poll
    there = interfaces(snmpd)
    before = {metric: snmpwalk(snmpd, column) for metric, column in COUNTERS.items()}
    assert pipeline.collect("metrics") == {"batchItemFailures": []}
    time.sleep(1)
    after = {metric: snmpwalk(snmpd, column) for metric, column in COUNTERS.items()}
    names = there & interfaces(snmpd)
    points = points_of(pipeline, "sw-1")
    assert names
    for metric in COUNTERS:
        for index, name in names:
            point = points[metric, name]
            assert int(before[metric][index]) <= point["value"] <= int(after[metric][index]), (metric, name)


def states_and_speeds(snmpd: Snmpd) -> dict[str, tuple[int, int]]:
    """Return ifOperStatus and ifHighSpeed by ifIndex, of the interfaces that have both."""
    states, speeds = snmpwalk(snmpd, "1.3.6.1.2.1.2.2.1.8"), snmpwalk(snmpd, "1.3.6.1.2.1.31.1.1.1.15")
    return {index: (int(states[index]), int(speeds[index])) for index in states.keys() & speeds.keys()}


def test_what_does_not_change_is_in_influxdb_exactly_as_snmpget_says(
    pipeline: Pipeline, snmpd: Snmpd
) -> None:
    pipeline.add_device("sw-1", snmpd.port)
    there = interfaces(snmpd)
    before = states_and_speeds(snmpd)
    pipeline.tick("metrics")
    pipeline.collect("metrics")
    points = points_of(pipeline, "sw-1")
    (memory_kib,) = snmpget(snmpd, "1.3.6.1.4.1.2021.4.5.0")
    assert points["memory_total_bytes", ""]["value"] == int(memory_kib) * 1024
    (root,) = (index for index, name in snmpwalk(snmpd, "1.3.6.1.2.1.25.2.3.1.3").items() if name == "/")
    units, size = snmpget(snmpd, f"1.3.6.1.2.1.25.2.3.1.4.{root}", f"1.3.6.1.2.1.25.2.3.1.5.{root}")
    assert points["disk_total_bytes", "/"]["value"] == int(units) * int(size)
    # A container that starts meanwhile changes its bridge.
    unchanged = dict(before.items() & states_and_speeds(snmpd).items())
    compared = {(index, name) for index, name in there & interfaces(snmpd) if index in unchanged}
    assert compared
    for index, name in compared:
        state, speed = unchanged[index]
        assert points["net_oper_status", name]["value"] == state
        if speed:
            assert points["net_speed_bps", name]["value"] == speed * 1_000_000


def test_points_carry_the_time_of_the_response_to_the_nanosecond(pipeline: Pipeline, snmpd: Snmpd) -> None:
    pipeline.add_device("sw-1", snmpd.port)
    pipeline.tick("metrics")
    before = time.time_ns()
    pipeline.collect("metrics")
    times = {point["time"] for point in points_of(pipeline, "sw-1").values()}
    assert all(before <= each <= time.time_ns() for each in times)
    assert len(times) > 1


def test_the_same_tick_run_twice_and_delivered_twice_stores_each_poll_of_a_device(
    pipeline: Pipeline, snmpd: Snmpd
) -> None:
    pipeline.add_device("sw-1", snmpd.port)
    start = pipeline.window("metrics")
    assert pipeline.tick("metrics", start) == pipeline.tick("metrics", start)
    pipeline.collect("metrics")
    rows = pipeline.influx.query("SELECT * FROM device_metrics WHERE metric_name = 'uptime_seconds'")
    assert len(rows) == 1


def test_devices_that_cannot_be_polled_say_why_and_cost_the_others_nothing(
    pipeline: Pipeline, snmpd: Snmpd, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.add_device("good", snmpd.port)
    pipeline.add_device("unnamed-credential", snmpd.port, credential="nobody")
    pipeline.add_device("silent", SILENT_PORT)
    pipeline.add_device("forbidden", snmpd.port, ip_address="169.254.169.254")
    pipeline.add_device("unusable", snmpd.port, settings={"snmp": {"prt": 1}})
    report = pipeline.tick("metrics")
    assert (report["devices"], report["jobs"], report["bad_rows"]) == (5, 3, 2)
    assert pipeline.collect("metrics") == {"batchItemFailures": []}
    with psycopg.connect(pipeline.database_url) as connection:
        found = connection.execute(
            "SELECT device_id, reason, failures FROM device_state ORDER BY 1"
        ).fetchall()
    assert found == [("good", "ok", 0), ("silent", "timeout", 1), ("unnamed-credential", "bad_credential", 1)]
    assert points_of(pipeline, "good")["ping_status", ""]["value"] == 1
    output = capsys.readouterr().out
    assert "settings.snmp.prt: unknown key; did you mean 'port'?" in output
    assert "169.254.169.254 is link-local" in output
    assert "unnamed-credential: bad_credential: credential 'nobody' is not in secret arn:" in output
    assert COMMUNITY not in output
    assert TOKEN not in output


def test_a_device_is_online_then_offline_when_it_has_gone_then_online_again(
    pipeline: Pipeline, start_snmpd: StartSnmpd, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = start_snmpd(SNMPD_CONF)
    patience = {"status_interval_seconds": 10, "offline_timeout_seconds": 600, "offline_after_failures": 2}
    snmp = {"port": agent.port, "timeout_seconds": 1, "retries": 1}
    pipeline.add_device("sw-1", agent.port, settings={**patience, "snmp": snmp})
    update_status = handler_of("status")

    def poll() -> None:
        assert pipeline.tick("status")["jobs"]
        assert pipeline.collect("status") == {"batchItemFailures": []}

    poll()
    assert update_status({}, Context())["statuses"] == {"online": 1}
    agent.stop()
    pipeline.let_pass(60)
    poll()
    assert update_status({}, Context())["statuses"] == {"online": 1}  # silent, but not for long enough
    pipeline.let_pass(600)
    poll()
    assert update_status({}, Context())["statuses"] == {"offline": 1}
    agent.start()
    pipeline.let_pass(60)
    poll()
    assert update_status({}, Context())["statuses"] == {"online": 1}

    rows = pipeline.influx.query("SELECT status, up, device_id FROM device_status")
    told = [(row["status"], row["up"], row["device_id"]) for row in rows]
    # A heartbeat may fall due at any second, and says again what was said.
    assert [status for status, _ in groupby(told)] == [
        ("online", 1, "sw-1"),
        ("offline", 0, "sw-1"),
        ("online", 1, "sw-1"),
    ]
    assert "sw-1: online → offline" in capsys.readouterr().out


def test_a_credential_that_is_added_to_the_secret_is_used_without_a_deployment(
    pipeline: Pipeline, snmpd: Snmpd
) -> None:
    pipeline.add_device("sw-1", snmpd.port)
    pipeline.tick("metrics")
    pipeline.collect("metrics")
    pipeline.put_secret(
        "credentials", {name: {"snmp": {"version": "2c", "community": COMMUNITY}} for name in ("lab", "new")}
    )
    pipeline.add_device("sw-2", snmpd.port, credential="new")
    pipeline.tick("metrics")
    pipeline.collect("metrics")
    assert ("uptime_seconds", "") in points_of(pipeline, "sw-2")


def test_points_that_influxdb_does_not_take_are_spooled_and_replayed_under_their_own_time(
    pipeline: Pipeline, snmpd: Snmpd, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.put_secret("influxdb", {**pipeline.influx.secret, "token": "revoked-canary"})
    pipeline.add_device("sw-1", snmpd.port)
    pipeline.tick("metrics")
    assert pipeline.collect("metrics") == {"batchItemFailures": []}
    collected_at = time.time_ns()
    assert points_of(pipeline, "sw-1") == {}
    output = capsys.readouterr().out
    assert '"LinesSpooled":' in output
    assert "canary" not in output

    pipeline.put_secret("influxdb", pipeline.influx.secret)
    forget()  # replay is a function, and a process, of its own
    spooled = pipeline.received("spool")
    assert handler_of("replay")(sqs_event(spooled, "spool"), Context()) == {"batchItemFailures": []}
    points = points_of(pipeline, "sw-1")
    assert points["uptime_seconds", ""]["value"] > 0
    assert all(point["time"] < collected_at for point in points.values())


def test_a_message_that_is_no_job_goes_to_the_dead_letters_and_the_others_are_done(
    pipeline: Pipeline, snmpd: Snmpd
) -> None:
    pipeline.add_device("sw-1", snmpd.port)
    pipeline.tick("metrics")
    wrong = pipeline.sqs.send_message(QueueUrl=pipeline.queues["metrics"], MessageBody='{"version": 9}')
    assert pipeline.collect("metrics") == {"batchItemFailures": [{"itemIdentifier": wrong["MessageId"]}]}
    assert points_of(pipeline, "sw-1")
