"""The installed command against simulated devices on the wire."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.devices.snmp_devices import switch
from local.devices.snmp_host import AgentHost, AgentThread

NETVITALS = Path(sys.executable).with_name("netvitals")
PORTS = 8
HEALTHY = [f"127.21.0.{n}" for n in range(1, 31)]


@pytest.fixture(scope="module")
def agents() -> Iterator[AgentHost]:
    agents = {address: switch(PORTS, delay=0.02) for address in HEALTHY}
    agents["127.21.1.1"] = switch(PORTS, delay=5)  # slower than its time limit
    agents["127.21.1.2"] = switch(PORTS, community="another")
    with AgentThread(agents) as host:
        yield host


@pytest.fixture(scope="module")
def files(agents: AgentHost, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("poll")
    patient = {"port": agents.port, "timeout_seconds": 10}  # this machine may be busy with other tests
    brief = {"port": agents.port, "timeout_seconds": 0.5, "retries": 0}
    rows = [
        {
            "id": address,
            "ip_address": address,
            "credential": "lab",
            "settings": {"device_timeout_seconds": 60, "snmp": patient if address in HEALTHY else brief},
        }
        for address in [*agents.agents, "127.21.2.1"]
    ]
    (folder / "devices.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps({"lab": {"snmp": {"version": "2c", "community": "public"}}}))
    credentials.chmod(0o600)
    return ["--inventory", str(folder / "devices.jsonl"), "--credentials", str(credentials)]


def netvitals(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([NETVITALS, *arguments], capture_output=True, text=True, timeout=280, check=False)


def test_every_device_gets_its_line_whatever_becomes_of_the_others(files: list[str]) -> None:
    done = netvitals("poll", *files, "--allow", "127.0.0.0/8", "--format", "jsonl")
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    rows: dict[str, Any] = {row["device_id"]: row for row in map(json.loads, done.stdout.splitlines())}
    for address in HEALTHY:
        row = rows.pop(address)
        assert row["reason"] == "ok", row.get("detail")
        interfaces = [p["instance"] for p in row["points"] if p["metric_name"] == "net_bytes_in"]
        assert len(interfaces) == PORTS
    assert {address: row["reason"] for address, row in rows.items()} == {
        "127.21.1.1": "timeout",
        "127.21.1.2": "timeout",
        "127.21.2.1": "timeout",
    }


def test_a_table_of_up_and_down_ends_with_the_count(files: list[str]) -> None:
    done = netvitals("poll", *files, "--allow", "127.0.0.0/8", "--kind", "status", "--concurrency", "40")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1].startswith("33 devices: 30 answered, 3 did not")


def test_without_leave_for_loopback_no_device_is_dialled(files: list[str], agents: AgentHost) -> None:
    before = [agent.requests for agent in agents.agents.values()]
    done = netvitals("poll", *files, "--format", "jsonl")
    assert {json.loads(line)["reason"] for line in done.stdout.splitlines()} == {"bad_address"}
    assert [agent.requests for agent in agents.agents.values()] == before


def test_one_address_is_polled_ad_hoc_with_its_community_from_the_environment(agents: AgentHost) -> None:
    done = subprocess.run(
        [NETVITALS, "poll", "127.21.1.2", "--port", str(agents.port)],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        env={"NETVITALS_COMMUNITY": "another"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "127.21.1.2 is up by SNMP" in done.stdout
    assert "another" not in done.stdout + done.stderr
