"""`netvitals show`, `top` and `events` over a real PostgreSQL and the demo's InfluxDB."""

import json
import time
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from fixtures.influxdb import Influx
from fixtures.page import add_device, change_status, execute, traffic, vital_signs, write
from netvitals.cli.main import cli
from netvitals.domain.polling.changes import InterfaceInfo

pytestmark = pytest.mark.integration

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, memory_influx: Influx) -> Run:
    environment = {"DATABASE_URL": database_url, **memory_influx.variables}

    def invoke(*arguments: str, code: int = 0, columns: int = 120) -> Result:
        result = CliRunner().invoke(cli, [*arguments], env=environment | {"COLUMNS": str(columns)})
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture(autouse=True)
def fleet(database_url: str, memory_influx: Influx) -> None:
    """A switch with twelve ports, one with two that is slower, and one that does not answer any more."""
    add_device(database_url, "core-sw", hostname="core-sw.example.net")
    add_device(database_url, "edge-sw", site="thun")
    add_device(database_url, "lobby-sw", "offline", reason="timeout", detail="no answer on UDP port 161")
    ports = [traffic(f"GigabitEthernet1/0/{n}", n * 10_000_000, n * 1_000_000) for n in range(1, 13)]
    infos = [InterfaceInfo(f"GigabitEthernet1/0/{n}", f"desk {n}", "ethernetCsmacd", n) for n in range(1, 13)]
    write(memory_influx, "core-sw", vital_signs(42, 61, 38) + [p for port in ports for p in port], infos)
    write(memory_influx, "edge-sw", vital_signs(77, 20, 30) + traffic("ge-0/0/0", 900_000_000, 0))
    write(memory_influx, "lobby-sw", traffic("ge-0/0/0", 950_000_000, 0))


def test_a_time_of_maintenance_that_is_none_concerns_no_other_device(run: Run, database_url: str) -> None:
    execute(database_url, "ALTER TABLE devices ALTER COLUMN maintenance_until TYPE text")
    end = "to_char(now() AT TIME ZONE 'UTC' + interval '1 day', 'YYYY-MM-DD HH24:MI')"
    execute(database_url, "UPDATE devices SET maintenance_until = 'next week' WHERE id = 'core-sw'")
    execute(database_url, f"UPDATE devices SET maintenance_until = {end} WHERE id = 'edge-sw'")  # noqa: S608, a text of this test
    assert "maintenance" not in run("show", "core-sw").stdout
    assert "maintenance" in run("show", "edge-sw").stdout


def test_show_tells_how_a_device_is_what_it_told_and_what_is_missing(run: Run, database_url: str) -> None:
    change_status(database_url, "core-sw", "online", "answered", "answers")
    execute(
        database_url,
        "UPDATE device_state SET reason = 'ok', detail = '', failures = 0 WHERE device_id = 'core-sw'",
    )
    for named in ("core-sw", "CORE-SW.example.net"):
        lines = run("show", named, "--interfaces", "2").stdout.splitlines()
        assert lines[0].startswith("core-sw.example.net is online for ")
        assert lines[1].split("  ") == [
            "id core-sw", "address 192.0.2.1", "type network", "site berne", "profile cisco",
        ]  # fmt: skip
        assert lines[2].startswith("last answer 3")
        words = [line.split() for line in lines]
        assert next(row for row in words if row[:1] == ["cpu"])[1:3] == ["42", "%"]
        busiest = next(row for row in words if row[:1] == ["GigabitEthernet1/0/12"])
        assert busiest[1:] == ["up", "120", "Mb/s", "12", "Mb/s", "12", "%", "1", "Gb/s", "desk", "12"]
        assert "10 more: --interfaces 12" in lines
        assert "no disk: the last poll was complete, so the device does not tell (profile cisco)" in lines
        assert lines[-1].endswith("answers")


def test_a_curve_is_as_high_as_its_values_where_they_were(run: Run) -> None:
    line = next(
        line for line in run("show", "core-sw", "--since", "1h").stdout.splitlines() if line.startswith("cpu")
    )
    curve = "".join(character for character in line if character in "▁▂▃▄▅▆▇█")
    assert len(curve) == 12  # a poll every five minutes
    assert curve == "".join(sorted(curve))
    assert {curve[0], curve[-1]} == {"▃", "▄"}  # 31 % and 42 % of 0 to 100


def test_show_without_influxdb_shows_what_postgresql_knows(run: Run, memory_influx: Influx) -> None:
    memory_influx.server.away = True
    result = run("show", "lobby-sw", code=1)
    assert "lobby-sw is offline" in result.stdout
    assert "no answer on UDP port 161" in result.stdout
    assert "503" in result.stderr


def test_a_device_that_is_not_there_or_not_one_is_told(run: Run, database_url: str) -> None:
    assert "no device has the id, hostname or address 'nowhere'" in run("show", "nowhere", code=2).stderr
    add_device(database_url, "other", hostname="twin")
    add_device(database_url, "another", hostname="twin")
    assert "2 devices have the hostname 'twin'" in run("show", "twin", code=2).stderr


def test_top_ranks_values_and_rates_and_a_silent_devices_last_rate_too(run: Run) -> None:
    rows = [line.split() for line in run("top", "cpu", columns=80).stdout.splitlines()]
    assert rows == [["device", "cpu_percent"], ["edge-sw", "77", "%"], ["core-sw.example.net", "42", "%"]]
    found = [
        json.loads(line)
        for line in run("top", "net_bytes_in", "-n", "3", "--format", "jsonl").stdout.splitlines()
    ]
    assert [(each["device_id"], each["instance"]) for each in found] == [
        ("lobby-sw", "ge-0/0/0"), ("edge-sw", "ge-0/0/0"), ("core-sw", "GigabitEthernet1/0/12"),
    ]  # fmt: skip
    assert found[1]["value"] * 8 == pytest.approx(900_000_000)
    assert found[2] | {"value": 0, "used_percent": 0} == {
        "device_id": "core-sw", "hostname": "core-sw.example.net", "site": "berne", "value": 0,
        "instance": "GigabitEthernet1/0/12", "used_percent": 0, "description": "desk 12",
    }  # fmt: skip
    assert found[2]["used_percent"] == pytest.approx(12)
    assert "edge-sw" in run("top", "in", "--site", "thun", "-n", "1").stdout
    assert "did you mean 'cpu'" in run("top", "cpuu", code=2).stderr


def test_events_are_those_since_then_of_a_device_or_a_site_newest_first(run: Run, database_url: str) -> None:
    change_status(database_url, "core-sw", "offline", "no_answer", "no answer within 3 s")
    change_status(database_url, "core-sw", "online", "answered", "")
    execute(
        database_url,
        "INSERT INTO device_status_history (device_id, site, at, before, after, cause)"
        " VALUES ('edge-sw', 'thun', now() - interval '3 days', 'online', 'offline', 'no_answer')",
    )
    header, newest, oldest, summary = (line.split() for line in run("events").stdout.splitlines())
    assert header == ["when", "device", "was", "is", "site", "why"]
    assert newest[2:] == ["core-sw.example.net", "offline", "online", "berne", "answered"]
    assert oldest[-5:] == ["no", "answer", "within", "3", "s"]
    assert summary == ["2", "changes"]
    (thun,) = run("events", "--since", "1w", "--site", "thun", "--format", "jsonl").stdout.splitlines()
    assert json.loads(thun)["device_id"] == "edge-sw"
    assert time.time() - json.loads(thun)["at"] == pytest.approx(3 * 86_400, abs=60)
    assert run("events", "--since", "1w", "--device", "edge-sw").stdout.splitlines()[-1] == "1 change"
    assert "write 90s, 15m, 6h, 1d12h or 2w" in run("events", "--since", "yesterday", code=2).stderr


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_longer_than_the_terminal_and_numbers_are_never_cut(
    run: Run, database_url: str, columns: int
) -> None:
    change_status(database_url, "edge-sw", "offline", "no_answer", "no answer " * 30)
    for command, expected in (
        (("show", "core-sw"), "120 Mb/s"),
        (("top", "in"), "900 Mb/s"),
        (("top", "cpu"), "77 %"),
        (("events", "--since", "1d"), "offline"),
    ):
        text = run(*command, columns=columns).stdout
        assert max(len(line) for line in text.splitlines()) <= columns
        assert expected in text
