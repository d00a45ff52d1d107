"""`netvitals cost` as a person and as a program use it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netvitals.cli.cost.fleet import Assumed, described, listed, polled, read_of
from netvitals.cli.main import cli
from netvitals.domain.inventory.device import Device
from netvitals.domain.polling.changes import Sample, Samples
from netvitals.domain.settings.configuration import Configuration, configuration_from

NOW = 1_795_000_000.0
PORT = ("net_oper_status", "net_bytes_in", "net_bytes_out", "net_errors_in")


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("NETVITALS_CONFIG_FILE", raising=False)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["cost", *map(str, arguments)])


def document(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_fleet_is_described_by_numbers() -> None:
    found = document("--devices", "10000", "--ports", "24")
    assert found["aws_usd"] + found["influxdb_usd"] == pytest.approx(found["total_usd"])
    assert 60 < found["influxdb_mb_per_device"] < 75
    assert "InfluxDB data in" in [item["name"] for item in found["items"]]


@pytest.mark.parametrize(
    "options",
    [
        ("--silent", "30"), ("--used", "100"), ("--ports", "48"), ("--store", "everything"),
        ("--nat", "endpoints"), ("--outside", "postgresql", "--outside", "devices"),
    ],
    ids=str,
)  # fmt: skip
def test_an_option_changes_what_it_costs(options: tuple[str, ...]) -> None:
    usual, other = document("--devices", "10000"), document("--devices", "10000", *options)
    assert other["aws_usd"] > usual["aws_usd"]


def test_an_inventory_is_counted_with_the_intervals_of_its_devices(tmp_path: Path) -> None:
    rows = ["id,ip_address,device_type,enabled,settings", "off,10.0.0.9,network,false,"]
    rows += [f"sw-{n},10.0.1.{n},network,true," for n in range(40)]
    rows += [f"srv-{n},10.0.2.{n},linux,true," for n in range(20)]
    (tmp_path / "devices.csv").write_text("\n".join(rows))
    table = run("--inventory", tmp_path / "devices.csv")
    assert table.exit_code == 0
    assert "40 devices over snmp, 24 ports (50% in use)" in table.stdout
    assert "20 devices over ssh" in table.stdout
    (tmp_path / "slow.yaml").write_text(
        "defaults: {status_interval_seconds: 60, metrics_interval_seconds: 600}"
    )
    usual = document("--inventory", tmp_path / "devices.csv")
    slow = document("--inventory", tmp_path / "devices.csv", "--config", tmp_path / "slow.yaml")
    assert slow["influxdb_usd"] < 0.8 * usual["influxdb_usd"]


def test_a_document_may_say_that_everything_is_stored(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("collector: {store: everything}")
    everything = document("--devices", "100", "--config", tmp_path / "all.yaml")
    assert everything["influxdb_mb_per_device"] > 200
    changes = document("--devices", "100", "--config", tmp_path / "all.yaml", "--store", "changes")
    assert changes["influxdb_mb_per_device"] < 80


def test_rows_that_can_not_be_used_are_told_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_text("id,device_type\nsw-1,network\nsw-2,toaster\n,network\n")
    result = run("--inventory", tmp_path / "devices.csv", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["total_usd"] > 0
    assert "toaster" in result.stderr
    assert "line 4" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("--devices", "0"), ("--devices", "5", "--inventory", "devices.csv"),
        ("--devices", "5", "--silent", "101"), ("--devices", "5", "--prices", "nowhere.yaml"),
        ("--inventory", "nowhere.csv"), ("--devices", "5", "--nat", "yes"),
        ("--database-url", "postgresql://nowhere/", "--ports", "24"),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_usage_ends_with_two(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_an_inventory_without_devices_costs_nothing_that_could_be_told(tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_text("id,enabled\nsw-1,false\n")
    result = run("--inventory", tmp_path / "devices.csv")
    assert result.exit_code == 2
    assert "no enabled device" in result.stderr


def test_the_prices_that_are_printed_can_be_changed_and_used(tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text(run("--show-prices").stdout.replace("influxdb_mb_in: 0.0025", "influxdb_mb_in: 0.005"))
    usual, dearer = document("--devices", "100"), document("--devices", "100", "--prices", own)
    assert dearer["influxdb_usd"] == pytest.approx(2 * usual["influxdb_usd"], rel=0.01)
    assert dearer["aws_usd"] == usual["aws_usd"]


def test_the_table_names_the_prices_and_quotas() -> None:
    result = run("--devices", "50000")
    assert "Prices of us-east-1, 2026-11-26" in result.stdout
    assert "quota: StatusConcurrency is 20" in result.stdout
    assert "series a device" in result.stdout


# --- Of the database


def samples_of(ports: int, moving: int, *, full: bool = False) -> Samples:
    due_at = int(NOW) - 60
    series = {
        name: {
            f"Gi1/0/{port}": Sample(1, 1, port, port >= moving or "bytes" not in name)
            for port in range(ports)
        }
        for name in PORT
    }
    series["memory_total_bytes"] = {"": Sample(1e9, 1, None, held=True)}
    return Samples(due_at=due_at, full_at=due_at if full else due_at - 600, address="10.0.0.1", series=series)


def device(name: str, **more: Any) -> Device:
    return Device(id=name, ip_address="10.0.0.1", **more)


def test_ports_and_their_use_are_those_that_the_last_polls_found() -> None:
    assert read_of(samples_of(24, 6)).moving == 6
    assert read_of(samples_of(24, 24, full=True)).moving is None
    devices = [device("a"), device("b"), device("new"), device("read", points=17 + 8 * 12)]
    samples = {"a": samples_of(24, 6), "b": samples_of(48, 48, full=True)}
    (group,) = polled(devices, samples, Configuration(), NOW).fleet
    assert (group.number, group.ports, group.used) == (4, (24 + 48 + 12) / 3, 6 / 24)


def test_devices_that_have_not_answered_for_long_are_silent() -> None:
    gone = {"failures": 9, "reason": "timeout", "last_seen_at": NOW - 600}
    here = {"last_seen_at": NOW}
    devices = [device("a", **here), device("b", **gone), device("c", **gone), device("d", **here)]
    (group,) = polled(devices, {}, Configuration(), NOW).fleet
    assert (group.silent, group.ports) == (0.5, Assumed().ports)


def test_devices_are_grouped_by_what_their_polls_cost() -> None:
    types = {"ups": {"metrics_interval_seconds": 60}}
    configuration = configuration_from({"device_types": types}, "a document")
    devices = [device("a"), device("b", device_type="ups"), device("c", device_type="linux"),
               device("d", settings={"protocols": []}), device("e", device_type="toaster")]  # fmt: skip
    found = listed(devices, Assumed(ports=8), configuration)
    assert [(group.protocol, group.metrics_interval, group.ports) for group in found.fleet] == [
        ("snmp", 300, 8), ("snmp", 60, 8), ("ssh", 300, 8), ("ping", 300, 0),
    ]  # fmt: skip
    assert len(found.problems) == 1


def test_a_fleet_that_is_described_is_of_network_devices() -> None:
    (group,) = described(7, Assumed(ports=48, used=0.1, silent=0.2), Configuration())
    assert (group.number, group.ports, group.used, group.silent, group.protocol) == (7, 48, 0.1, 0.2, "snmp")
