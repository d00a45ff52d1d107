"""`netvitals poll ADDRESS --type windows` against a simulated host: the production path, for a person."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from fixtures.windows import PASSWORD, USER, windows
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service
from netvitals.cli.main import cli


def polled(host: WinrmHost, *options: str, password: str = PASSWORD) -> str:
    device = ["127.0.0.1", "--type", "windows", "--user", USER, "--port", str(host.port), "--no-tls"]
    return CliRunner().invoke(cli, ["poll", *device, *options], env={"NETVITALS_PASSWORD": password}).stdout


@pytest.fixture
def host() -> Iterator[WinrmHost]:
    with WinrmHost(Service(windows()), users={USER: PASSWORD}) as host:
        yield host


def test_one_windows_host_is_polled_by_its_address(host: WinrmHost) -> None:
    result = json.loads(polled(host, "--format", "jsonl"))
    assert (result["reachable"], result["method"], result["reason"]) == (True, "winrm", "ok")
    names = {point["metric_name"] for point in result["points"]}
    assert {"cpu_percent", "memory_percent", "disk_percent", "net_bytes_in", "uptime_seconds"} <= names


def test_a_status_poll_of_it_logs_in_nowhere(host: WinrmHost) -> None:
    result = json.loads(polled(host, "--format", "jsonl", "--kind", "status"))
    assert (result["reachable"], result["method"], host.logins) == (True, "winrm", 0)


def test_a_wrong_password_is_told_and_not_shown(host: WinrmHost) -> None:
    told = polled(host, password="wrong-horse-battery")
    assert "refuses the login" in told
    assert "wrong-horse" not in told
    assert host.refused == 1
