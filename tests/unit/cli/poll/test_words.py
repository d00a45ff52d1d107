"""What `netvitals poll` says: in words and tables that a person reads, and never by silence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from fixtures.poll_command import poll, poll_inventory, scripted
from fixtures.polling import CANNOT_TELL, Behaviour, FakeProber, Scripted, point, refused
from netvitals.cli.poll import command
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Reach, Target

Run = Callable[..., Result]
WIDTHS = [60, 80, 100, 120, 200]
LONG = "no answer to SNMP on UDP port 161 within 3 s, 3 times; check that its agent lets this address in"


async def answering(_: Target, reading: Reading) -> None:
    reading.alive, reading.rtt_ms, reading.reason = True, 12.34, Reason.OK
    reading.points += [
        point("cpu_percent", 17.4),
        point("memory_percent", 50),
        point("disk_percent", 92, "/"),
    ]
    reading.points += [point("temperature_celsius", 38, "inlet")]
    for name in ("net_bytes_in", "net_bytes_out", "net_speed_bps", "net_errors_in", "net_discards_out"):
        reading.points.append(
            Point(name, 3 * 1024**3, 1, "TenGigabitEthernet1/0/1", 1, "uplink to the other")
        )


async def dead(_: Target, reading: Reading) -> None:
    reading.fail(Reason.TIMEOUT, LONG)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    return scripted(monkeypatch, answering)


@pytest.fixture
def run(collector: Scripted, tmp_path: Path) -> Run:
    def invoke(
        *options: str, rows: str, script: dict[str, Behaviour] | None = None, width: int = 200
    ) -> Result:
        collector.script = script or {}
        inventory = f"id,ip_address,credential\n{rows}"
        return poll_inventory(tmp_path, inventory, *options, COLUMNS=str(width))

    return invoke


def one(*options: str, width: int = 200, **env: str) -> Result:
    return poll("10.0.0.9", *options, COLUMNS=str(width), **env)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_leaves_columns_out_and_cuts_no_value_in_two(run: Run, width: int) -> None:
    rows = "core-switch-1,10.0.0.1,core\ncore-switch-2,10.0.0.2,core\n"
    result = run(rows=rows, script={"core-switch-2": dead}, width=width)
    header, *lines, why, summary = result.stdout.splitlines()
    assert max(map(len, (header, *lines, summary))) <= width
    assert "…" not in result.stdout
    assert [line.split()[:2] for line in lines] == [["core-switch-1", "up"], ["core-switch-2", "down"]]
    assert all(text in lines[0] for text in ("17 %", "50 %", "38 °C"))
    assert why == f"core-switch-2: timeout: {LONG}"


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_device_in_detail_fits_its_terminal_as_well(width: int) -> None:
    result = one("--community", "x", width=width)
    assert max(map(len, result.stdout.splitlines())) <= width
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("TenGigabitEthernet1")]
    assert row.count("3 GiB") == 2
    assert ("uplink" in row) == (width >= 80)


def test_devices_of_one_address_and_port_are_told_to_wait_for_each_other(run: Run) -> None:
    result = run(rows="a,10.0.0.1,core\nb,10.0.0.1,core\nc,10.0.0.2,core\n")
    assert result.exit_code == 0
    told = (
        "netvitals: 2 devices share their address and port with another: such are polled one after another\n"
    )
    assert result.stderr == told
    assert run(rows="a,10.0.0.1,core\nc,10.0.0.2,core\n").stderr == ""


def test_line_protocol_leaves_room_on_standard_error_for_why_a_device_gave_less(run: Run) -> None:
    result = run("--format", "lines", rows="a,10.0.0.1,core\nb,10.0.0.2,core\n", script={"b": dead})
    assert result.stderr == f"netvitals: b: timeout: {LONG}\n"
    assert all(line.startswith("device_metrics,") for line in result.stdout.splitlines())


def test_what_was_not_asked_is_not_said_to_be_silent(run: Run) -> None:
    result = run(rows="a,10.0.0.1,core\nb,10.0.0.2,cor\nc,8.8.8.8,core\n", script={"a": dead})
    assert "3 devices: 0 read, 1 did not answer, 2 not asked; " in result.stdout
    assert "b: bad_credential: credential 'cor' is not in" in result.stdout


@pytest.mark.parametrize(
    ("behaviour", "reach", "told"),
    [
        (answering, CANNOT_TELL, "10.0.0.9 is up by SNMP, polled in "),
        (dead, CANNOT_TELL, "10.0.0.9 is down: no answer to SNMP, polled in "),
        (refused, CANNOT_TELL, "10.0.0.9 answers SNMP, and was not read, polled in "),
        (dead, Reach(method="tcp", alive=True), "10.0.0.9 answers TCP, but not SNMP, polled in "),
    ],
)
def test_one_line_says_whether_it_is_up_and_whether_it_was_read(
    collector: Scripted, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour, reach: Reach, told: str
) -> None:
    monkeypatch.setattr(command, "HostProber", lambda: FakeProber(reach, 0))
    collector.script = {"10.0.0.9": behaviour}
    assert one("--community", "x").stdout.startswith(told)


def test_one_that_could_not_be_asked_says_so(collector: Scripted, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    credentials.write_text("{}")
    credentials.chmod(0o600)
    result = one("--credentials", str(credentials), "--credential", "core")
    assert result.stdout.startswith("10.0.0.9 was not asked, polled in ")
    assert not collector.targets


@pytest.mark.parametrize(
    ("setting", "option"),
    [
        ("`ssh.host_keys`", "--host-key, or --trust-host-key to try it"),
        ("`winrm.tls`", "--no-tls"),
        ("`ssh.port`", "--port"),
        ("`priv`", "--priv"),
    ],
)
def test_a_setting_that_is_the_remedy_is_named_by_its_option(
    collector: Scripted, setting: str, option: str
) -> None:
    async def failing(_: Target, reading: Reading) -> None:
        reading.fail(Reason.PROTOCOL, f"set {setting}")

    collector.script = {"10.0.0.9": failing}
    assert f"protocol: set {setting}; here: {option}\n" in one("--community", "x").stdout


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--v3", "u", "--community", "x"), "--community has no effect with --v3: leave one of them out"),
        (("--v3", "u", "--snmp-version", "1"), "--snmp-version has no effect with --v3"),
        (("--community", "x", "--auth", "SHA"), "--auth has no effect without --v3"),
        (("--community", "x", "--context", "c"), "--context has no effect without --v3"),
        (("--community", "x", "--password", "y"), "--password has no effect without --user"),
        (("--community", "x", "--device", "a"), "--device chooses devices of an --inventory"),
        (("--credential", "core", "--community", "x"), "--community has no effect with --credential"),
    ],
)
def test_an_option_without_effect_is_refused_rather_than_ignored(
    collector: Scripted, options: tuple[str, ...], complaint: str
) -> None:
    result = one(*options)
    assert (result.exit_code, complaint in result.stderr) == (2, True), result.output
    assert not collector.targets


@pytest.mark.parametrize(
    "options", [("--community", "x"), ("--port", "1"), ("--type", "linux"), ("--v3", "u")]
)
def test_what_an_inventory_says_of_its_devices_no_option_says(run: Run, options: tuple[str, ...]) -> None:
    result = run(*options, rows="a,10.0.0.1,core\n")
    assert result.exit_code == 2
    assert f"{options[0]} goes with an ADDRESS" in result.stderr


def test_variables_of_the_environment_are_no_contradiction(collector: Scripted) -> None:
    keys: dict[str, Any] = {"NETVITALS_COMMUNITY": "x", "NETVITALS_PASSWORD": "y"}
    assert one("--v3", "u", **keys).exit_code == 0
    assert collector.targets[0].credential.version == "3"
