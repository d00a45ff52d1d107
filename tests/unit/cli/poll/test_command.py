"""`netvitals poll` from its options to its output, with devices that do as told."""

import asyncio
import itertools
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fixtures.poll_command import poll, poll_inventory, scripted
from fixtures.polling import Behaviour, Scripted, crashing, point, refused
from netvitals import __version__
from netvitals.cli.main import cli
from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Target
from netvitals.domain.settings.secret import Secret

DEVICES: list[Any] = [
    {"id": "sw-2", "ip_address": "10.0.0.2", "credential": "core"},
    {"id": "sw-1", "ip_address": "10.0.0.1", "credential": "core"},
]
Run = Callable[..., Result]


async def answering(_: Target, reading: Reading) -> None:
    reading.alive = True
    reading.rtt_ms = 12.34
    reading.points += [
        point("cpu_percent", 17.4),
        point("memory_percent", 50, "Processor"),
        point("temperature_celsius", 38, "inlet"),
        point("temperature_celsius", 51, "outlet"),
        point("disk_percent", 92, "/var"),
        Point("net_bytes_in", 3 * 1024**3, 1, "Gi1/0/1", 1, "uplink"),
        Point("net_bytes_in", 1 * 1024**3, 1, "Gi1/0/2", 2),
        Point("net_oper_status", 2, 1, "Gi1/0/2", 2),
    ]
    reading.reason = Reason.OK


async def dead(_: Target, reading: Reading) -> None:
    reading.fail(Reason.TIMEOUT, "no answer")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    return scripted(monkeypatch, answering)


@pytest.fixture
def run(collector: Scripted, tmp_path: Path) -> Run:
    """Polls an inventory; `script` says how a device behaves that does not simply answer."""

    def invoke(
        *options: str,
        devices: list[Any] = DEVICES,
        script: dict[str, Behaviour] | None = None,
        env: dict[str, str] | None = None,
    ) -> Result:
        collector.script = script or {}
        inventory = "".join(json.dumps(device) + "\n" for device in devices)
        return poll_inventory(tmp_path, inventory, *options, **(env or {}))

    return invoke


def objects(result: Result) -> dict[str, Any]:
    return {row["device_id"]: row for row in map(json.loads, result.stdout.splitlines())}


def test_json_lines_hold_what_programs_read(run: Run) -> None:
    result = run("--format", "jsonl")
    assert result.exit_code == 0
    row = objects(result)["sw-1"]
    assert row.keys() == {
        "device_id", "reachable", "method", "reason", "detail", "duration_ms", "points",
    }  # fmt: skip
    assert (row["reachable"], row["method"], row["reason"]) == (True, "snmp", "ok")
    assert {"metric_name": "cpu_percent", "value": 17.4} in row["points"]
    assert {"metric_name": "net_bytes_in", "value": 2**30, "instance": "Gi1/0/2", "if_index": 2} in row[
        "points"
    ]
    assert {"metric_name": "ping_status", "value": 1} in row["points"]


def test_the_table_shows_each_device_in_the_inventorys_order_with_its_vital_signs(run: Run) -> None:
    result = run(script={"sw-1": dead})
    assert result.exit_code == 1
    header, second, first, why, summary = result.stdout.splitlines()
    assert header.split() == [
        "device",
        "status",
        "via",
        "rtt",
        "cpu",
        "memory",
        "temp",
        "disk",
        *("in", "total"),
    ]
    assert second.split() == [
        "sw-2",
        "up",
        "snmp",
        "12.3",
        "ms",
        "17",
        "%",
        "50",
        "%",
        "51",
        "°C",
        "92",
        "%",
        "4",
        "GiB",
    ]
    assert first.split() == ["sw-1", "down", "snmp"]
    assert why == "sw-1: timeout: no answer"
    assert summary == "2 devices: 1 read, 1 did not answer; 15 points"


def counting(octets_a_second: int) -> Behaviour:
    """Return a device with a counter that moves so much between polls, and one that begins anew."""
    polls = itertools.count(1)

    async def behave(_: Target, reading: Reading) -> None:
        poll = next(polls)
        reading.alive, reading.reason = True, Reason.OK
        reading.points += [
            point("cpu_percent", 17.4),
            Point("net_bytes_in", 10**9 + octets_a_second * poll, poll * 10**9, "Gi1/0/1", 1),
            Point("net_errors_in", 100 - poll, poll * 10**9, "Gi1/0/1", 1),
        ]

    return behave


def test_two_polls_give_rates_and_none_of_a_counter_that_began_anew(run: Run) -> None:
    for options, expected in (
        ((), ["sw-2", "up", "snmp", "17", "%", "1", "Mb/s"]),
        (("--format", "jsonl"), None),
    ):
        result = run("--rate", "1", *options, script={name: counting(125_000) for name in ("sw-1", "sw-2")})
        assert result.exit_code == 0
        if expected:
            assert result.stdout.splitlines()[1].split() == expected
    points = objects(result)["sw-2"]["points"]
    assert {
        "metric_name": "net_bytes_in",
        "per_second": 125_000,
        "instance": "Gi1/0/1",
        "if_index": 1,
    } in points
    assert not [each for each in points if each["metric_name"] == "net_errors_in"]
    assert "InfluxDB holds counters" in run("--rate", "1", "--format", "lines").stderr


async def interrupting(_: Target, __: Reading) -> None:
    await asyncio.sleep(1)
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(60)


@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_what_was_polled_before_ctrl_c_is_shown(run: Run, format_: str) -> None:
    # What a shell starts in the background ignores it.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run("--format", format_, script={"sw-1": interrupting})
    finally:
        signal.signal(signal.SIGINT, usual)
    assert result.exit_code == 130
    assert "sw-2" in result.stdout
    assert "sw-1" not in result.stdout
    assert result.stderr == "netvitals: stopped: 1 of 2 polled\n"


def test_a_device_in_detail_shows_its_interfaces(collector: Scripted) -> None:
    result = poll("10.0.0.9", "--community", "public")
    assert result.exit_code == 0
    assert "10.0.0.9 is up by SNMP" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["temperature_celsius", "outlet", "51", "°C"] in rows
    assert ["Gi1/0/1", "1", "3", "GiB", "uplink"] in rows
    assert ["Gi1/0/2", "2", "down", "1", "GiB"] in rows
    assert len(collector.targets) == 1


def test_line_protocol_is_what_the_collector_would_write(run: Run) -> None:
    result = run("--format", "lines", "--device", "sw-1")
    assert result.exit_code == 0
    assert all(line.startswith("device_metrics,") for line in result.stdout.splitlines())
    assert "device_id=sw-1,metric_name=cpu_percent value=17.4 " in result.stdout
    assert "sw-2" not in result.stdout


def test_rows_with_problems_are_told_and_the_others_are_polled(run: Run) -> None:
    result = run(
        "--format",
        "jsonl",
        devices=[
            *DEVICES,
            "no object",
            {"ip_address": "10.0.0.3"},
            {"id": "typo", "ip_address": "10.0.0.4", "settings": {"snmp": {"prot": 161}}},
            {"id": "nowhere"},
            {"id": "sw-1", "ip_address": "10.0.0.5"},
            {"id": "off", "ip_address": "10.0.0.6", "enabled": False},
        ],
    )
    assert result.exit_code == 1
    assert objects(result).keys() == {"sw-1", "sw-2"}
    problems = result.stderr.splitlines()
    assert len(problems) == 5
    for text in ("line 3", "line 4", "prot", "nowhere", "twice"):
        assert any(text in problem for problem in problems), text


def test_only_the_allowed_networks_are_dialled(run: Run, collector: Scripted) -> None:
    devices = [*DEVICES, {"id": "public", "ip_address": "8.8.8.8", "credential": "core"}]
    rows = objects(run("--format", "jsonl", devices=devices))
    assert rows["public"]["reason"] == "bad_address"
    rows = objects(run("--format", "jsonl", "--allow", "8.8.8.0/24", devices=devices))
    assert [name for name, row in rows.items() if row["reason"] == "ok"] == ["public"]
    assert {target.address for target in collector.targets} == {"10.0.0.1", "10.0.0.2", "8.8.8.8"}


def test_loopback_is_dialled_only_where_it_is_allowed_in_so_many_words(run: Run) -> None:
    devices = [{"id": "lo", "ip_address": "127.0.0.9", "credential": "core"}]
    for allowed, reason in (
        ((), "bad_address"),
        (("--allow", "0.0.0.0/0"), "bad_address"),
        (("--allow", "127.0.0.0/8"), "ok"),
    ):
        assert objects(run("--format", "jsonl", *allowed, devices=devices))["lo"]["reason"] == reason


def test_the_configurations_networks_and_types_are_used(run: Run, tmp_path: Path) -> None:
    document = tmp_path / "netvitals.yaml"
    document.write_text("allowed_networks: [10.0.0.2/32]\ndevice_types: {ups: {extends: network}}\n")
    devices = [{**DEVICES[0], "device_type": "ups"}, {**DEVICES[1], "device_type": "ups"}]
    rows = objects(run("--format", "jsonl", "--config", str(document), devices=devices))
    assert {name: row["reason"] for name, row in rows.items()} == {"sw-1": "bad_address", "sw-2": "ok"}


def test_naming_an_address_allows_it(collector: Scripted) -> None:
    assert poll("127.0.0.9", "--community", "public").exit_code == 0
    assert poll("8.8.8.8", "--community", "public").exit_code == 0
    assert poll("169.254.169.254", "--community", "public").exit_code == 1
    assert {target.address for target in collector.targets} == {"127.0.0.9", "8.8.8.8"}


def test_options_become_the_devices_settings_and_credential(collector: Scripted) -> None:
    poll(
        "10.0.0.9", "--v3", "monitor", "--auth", "sha256", "--priv", "AES128", "--context", "vrf-1",
        "--port", "1161", "--profile", "cisco", "--kind", "status", "--timeout", "3",
        NETVITALS_AUTH_KEY="auth-pass-phrase", NETVITALS_PRIV_KEY="priv-pass-phrase",
    )  # fmt: skip
    [target] = collector.targets
    assert (target.job.kind, target.job.settings.device_timeout_seconds) == ("status", 3)
    assert (target.settings.port, target.settings.profile) == (1161, "cisco")
    assert target.credential == SnmpCredential(
        version="3",
        user="monitor",
        auth="SHA256",
        auth_key=Secret("auth-pass-phrase"),
        priv="AES128",
        priv_key=Secret("priv-pass-phrase"),
        context="vrf-1",
    )


def test_the_community_comes_from_the_environment_as_well(collector: Scripted) -> None:
    poll("10.0.0.9", NETVITALS_COMMUNITY="from-env")
    poll("10.0.0.9", "--community", "given", "--snmp-version", "1", NETVITALS_COMMUNITY="from-env")
    assert [target.credential for target in collector.targets] == [
        SnmpCredential(version="2c", community=Secret("from-env")),
        SnmpCredential(version="1", community=Secret("given")),
    ]


def test_an_inventory_without_an_enabled_device_is_wrong_usage(run: Run) -> None:
    result = run(devices=[{**DEVICES[0], "enabled": False}])
    assert result.exit_code == 2
    assert "names no enabled device" in result.output


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "give either an ADDRESS or --inventory FILE"),
        (("10.0.0.9", "--inventory", "x"), "give either an ADDRESS or --inventory FILE"),
        (("10.0.0.9",), "set NETVITALS_COMMUNITY"),
        (("10.0.0.9", "--v3", "u", "--auth", "MD5"), "set NETVITALS_AUTH_KEY"),
        (("10.0.0.9", "--credential", "core"), "--credential needs --credentials FILE"),
        (("10.0.0.9", "--community", "x", "--type", "toaster"), "toaster"),
        (("10.0.0.9", "--community", "x", "--allow", "10.0.0.0/33"), "is no network"),
        (("--inventory", "/no/such/file"), "/no/such/file"),
        (("10.0.0.9:161", "--community", "x"), "give the port as --port 161"),
        (("10.0.0.0/24", "--community", "x"), "is a network: poll takes one device"),
        (("999.1.1.1", "--community", "x"), "four numbers up to 255"),
        (("10.0.0.9", "--community", "x", "--profile", "ciscoo"), "did you mean 'cisco'?"),
        (("10.0.0.9", "--user", "me"), "the options given are for ssh or winrm"),
        (("10.0.0.9", "--credential", "c", "--credentials", "/no/such/map"), "/no/such/map"),
    ],
)
def test_wrong_usage_polls_nothing_and_says_what_to_do(
    collector: Scripted, options: tuple[str, ...], complaint: str
) -> None:
    result = poll(*options)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""
    assert not collector.targets


def test_a_fault_of_our_own_is_told_with_its_device_and_without_secrets(run: Run) -> None:
    result = run("--format", "jsonl", script={"sw-1": crashing})
    assert result.exit_code == 1
    assert objects(result)["sw-1"]["reason"] == "internal"
    told = "netvitals: a fault of netvitals: collecting over snmp, device sw-1: ZeroDivisionError"
    assert f"{told} (--verbose shows where)\n" in result.stderr
    assert "s3cret" not in result.output
    assert "in crashing\n" in run("--verbose", script={"sw-1": crashing}).stderr


def test_a_refused_credential_is_a_device_that_answered_and_was_not_read(run: Run) -> None:
    result = run(script={"sw-1": refused, "sw-2": refused})
    assert result.exit_code == 1
    assert "up, incomplete" in result.stdout
    assert "auth: the device refuses this user" in result.stdout
    assert "2 devices: 0 read, 2 refused the login; " in result.stdout
    status = run("--kind", "status", script={"sw-1": refused, "sw-2": refused})
    assert status.exit_code == 0
    assert "2 devices: 2 answered; " in status.stdout


def test_protocols_are_known_by_the_names_that_vendors_give_them(collector: Scripted) -> None:
    keys = {"NETVITALS_AUTH_KEY": "auth-pass-phrase", "NETVITALS_PRIV_KEY": "priv-pass-phrase"}
    for auth, priv in (("SHA", "AES"), ("sha-256", "aes-256")):
        poll("10.0.0.9", "--v3", "u", "--auth", auth, "--priv", priv, **keys)
    used = [(target.credential.auth, target.credential.priv) for target in collector.targets]
    assert used == [("SHA1", "AES128"), ("SHA256", "AES256")]


def test_help_teaches_and_the_version_is_told() -> None:
    for options in (["--help"], ["poll", "--help"]):
        assert "netvitals poll --inventory devices.csv" in CliRunner().invoke(cli, options).stdout
    assert CliRunner().invoke(cli, ["--version"]).stdout == f"netvitals, version {__version__}\n"
