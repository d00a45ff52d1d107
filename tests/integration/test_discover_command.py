"""`netvitals discover` against simulated agents on loopback, and a real snmpd."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fixtures.snmpd import StartSnmpd
from fixtures.ssh_device import LINUX
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from local.devices.snmp_host import AgentHost, AgentThread
from local.devices.snmp_mib import Object
from local.devices.snmp_v3_agent import V3Agent
from local.devices.ssh_server import HOST_KEY, PASSWORD, USER, SshServer, answering
from netvitals.cli.main import cli
from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.ssh.keys import line_of
from netvitals.domain.settings.secret import Secret

pytestmark = pytest.mark.integration

NETVITALS = Path(sys.executable).with_name("netvitals")
AUTH_KEY, PRIV_KEY = "another secret", "yet another one"
CREDENTIALS: dict[str, Any] = {
    "edge": {"snmp": {"version": "2c", "community": "public"}},
    "servers": {"ssh": {"user": "me", "password": "x"}},
    "core": {"snmp": {"version": "3", "user": "monitor", "auth": "SHA256", "auth_key": AUTH_KEY}},
}
CISCO, IOS = "1.3.6.1.4.1.9.1.1208", "Cisco IOS Software, C2960 Software, Version 15.0(2)SE"
LLDP, CDP, ARP = "1.0.8802.1.1.2.1.4", "1.3.6.1.4.1.9.9.23.1.2.1.1", "1.3.6.1.2.1.4.22.1.2"
AT = ("127.31.0.1", "127.31.0.2", "127.31.0.9")
Discover = Callable[..., Result]
Write = Callable[[dict[str, Any]], Path]


def switch(name: str, number: int, more: dict[str, Object] | None = None) -> dict[str, Object]:
    """What a switch tells: its engine id, serial and bridge address end in the number."""
    return {
        **system(name, CISCO, IOS),
        "1.3.6.1.6.3.10.2.1.1.0": bytes.fromhex("80001f880411223344") + bytes((number,)),
        "1.3.6.1.2.1.17.1.1.0": bytes.fromhex("001b540000") + bytes((number,)),
        "1.3.6.1.2.1.47.1.1.1.1.5.1": 3,
        "1.3.6.1.2.1.47.1.1.1.1.11.1": f"FOC1234X{number:03}",
        "1.3.6.1.2.1.47.1.1.1.1.5.2": 9,
        "1.3.6.1.2.1.47.1.1.1.1.11.2": "a module's, the same in each",
        **(more or {}),
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(credentials: dict[str, Any]) -> Path:
        path = tmp_path / "credentials.json"
        path.write_text(json.dumps(credentials))
        path.chmod(0o600)
        return path

    return write_file


@pytest.fixture
def discover(write: Write) -> Discover:
    """Discovers with the credentials above, at a rate that takes no time."""

    def run(host: AgentHost, *arguments: str, code: int = 0, **credentials: Any) -> Result:
        path = write(credentials.get("credentials", CREDENTIALS))
        result = CliRunner().invoke(
            cli,
            ["discover", "--credentials", str(path), "--port", str(host.port), "--allow", "127.31.0.0/16",
             "--rate", "2000", "--timeout", "2", "--tries", "1", *arguments],
        )  # fmt: skip
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run


@pytest.fixture
def two_switches() -> Iterator[AgentHost]:
    """One switch that answers on two addresses, and one that speaks SNMPv3."""
    user = SnmpCredential(version="3", user="monitor", auth="SHA256", auth_key=Secret(AUTH_KEY))
    first = Agent(switch("sw-1", 1))
    agents = {"127.31.0.1": first, "127.31.0.9": first, "127.31.0.2": V3Agent(switch("sw-2", 2), user)}
    with AgentThread(agents) as host:
        yield host


def rows_of(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_device_is_a_row_with_credential_profile_and_all_its_addresses(
    discover: Discover, two_switches: AgentHost
) -> None:
    result = discover(two_switches, "127.31.0.0/27", "--format", "jsonl")
    settings = {"snmp": {"port": two_switches.port}}
    assert rows_of(result) == [
        {
            "id": "sw-1", "hostname": "sw-1", "ip_address": "127.31.0.1", "mac_address": "00:1b:54:00:00:01",
            "device_type": "network", "credential": "edge", "site": "rack 4", "settings": settings,
            "profile": "cisco", "addresses": ["127.31.0.1", "127.31.0.9"],
            "merged_by": ["engine id", "serial", "MAC address"],
        },
        {
            "id": "sw-2", "hostname": "sw-2", "ip_address": "127.31.0.2", "mac_address": "00:1b:54:00:00:02",
            "device_type": "network", "credential": "core", "site": "rack 4", "settings": settings,
            "profile": "cisco", "addresses": ["127.31.0.2"],
        },
    ]  # fmt: skip
    assert result.stderr.endswith("2 devices at 3 of 30 addresses\n")


def test_what_was_found_can_be_checked_polled_and_imported(
    discover: Discover, two_switches: AgentHost, tmp_path: Path, write: Write
) -> None:
    found = tmp_path / "found.csv"
    found.write_text(discover(two_switches, *AT, "--format", "csv").stdout)
    credentials = str(write(CREDENTIALS))
    options = [str(found), "--allow", "127.0.0.0/8", "--credentials", credentials]
    checked = CliRunner().invoke(cli, ["inventory", "check", *options])
    assert checked.stdout == "2 devices, nothing wrong\n"
    polled = CliRunner().invoke(
        cli, ["poll", "--inventory", *options, "--kind", "status", "--format", "jsonl"]
    )
    assert {row["device_id"]: row["reason"] for row in rows_of(polled)} == {"sw-1": "ok", "sw-2": "ok"}


def test_people_get_a_table_that_fits_their_terminal(
    discover: Discover, two_switches: AgentHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = discover(two_switches, "127.31.0.1").stdout
    assert "127.31.0.1  sw-1    network  cisco    edge        rack 4" in table
    monkeypatch.setenv("COLUMNS", "40")
    head, row = discover(two_switches, "127.31.0.1").stdout.splitlines()
    assert head.split() == ["address", "device", "profile", "credential"]
    assert row.split() == ["127.31.0.1", "sw-1", "cisco", "edge"]


def test_an_agent_that_fits_no_credential_is_named_and_sent_one_wrong_key_of_a_user(
    discover: Discover,
) -> None:
    user = SnmpCredential(version="3", user="monitor", auth="SHA256", auth_key=Secret("a third secret"))
    agent = Counting(switch("sw-3", 3), user)
    other = {"core-2": {"snmp": CREDENTIALS["core"]["snmp"] | {"auth_key": "a fourth secret"}}}
    with AgentThread({"127.31.0.3": agent}) as host:
        result = discover(host, "127.31.0.3", code=1, credentials=CREDENTIALS | other)
    assert "127.31.0.3: speaks SNMPv3, but core: wrong digest" in result.stderr
    assert "core-2: not tried, so that the device locks nobody out" in result.stderr
    assert agent.wrong_digests == 1
    assert AUTH_KEY not in result.output


class Counting(V3Agent):
    """Counts the messages whose key was wrong."""

    wrong_digests = 0

    def refusal(self, datagram: bytes, query: Any) -> str | None:
        refusal = super().refusal(datagram, query)
        self.wrong_digests += refusal == "1.3.6.1.6.3.15.1.1.5"
        return refusal


def test_only_the_credentials_named_are_tried_in_that_order(
    discover: Discover, two_switches: AgentHost
) -> None:
    result = discover(two_switches, *AT[:2], "--credential", "core", "--format", "jsonl")
    assert [row["id"] for row in rows_of(result)] == ["sw-2"]
    refused = discover(two_switches, "127.31.0.2", "--credential", "servers", code=2)
    assert "has a part for snmp" in refused.stderr
    assert "did you mean 'core'" in discover(two_switches, "127.31.0.2", "--credential", "cor", code=2).stderr


def test_nothing_outside_the_allowed_networks_is_asked(discover: Discover, two_switches: AgentHost) -> None:
    result = discover(two_switches, "127.30.0.0/29", code=2)
    assert "127.30.0.1 is in no allowed network (127.31.0.0/16)" in result.stderr


def lldp(number: int, name: str, mac: bytes, address: str) -> dict[str, Object]:
    octets = ".".join(["1", "4", *address.split(".")])
    return {
        f"{LLDP}.1.1.4.0.{number}.1": 4,
        f"{LLDP}.1.1.5.0.{number}.1": mac,
        f"{LLDP}.1.1.9.0.{number}.1": name,
        f"{LLDP}.2.1.3.0.{number}.1.{octets}": 2,
    }


@pytest.fixture
def campus() -> Iterator[AgentHost]:
    """A core, a distribution switch that it knows by LLDP, an access switch known by CDP, a host by ARP."""
    down = lldp(5, "dist", bytes.fromhex("001b54000002"), "127.31.1.2")
    cdp: dict[str, Object] = {f"{CDP}.4.7.1": bytes((127, 31, 1, 3)), f"{CDP}.6.7.1": "access(FOC1)"}
    mac: Object = bytes.fromhex("001b540000aa")
    arp = {f"{ARP}.7.127.31.1.4": mac, f"{ARP}.7.192.0.2.1": mac}
    mibs = [switch("core", 1, down), switch("dist", 2, cdp), switch("access", 3, arp), switch("host", 4)]
    with AgentThread({f"127.31.1.{n}": Agent(mib) for n, mib in enumerate(mibs, 1)}) as host:
        yield host


def test_lldp_and_cdp_lead_from_one_switch_to_the_others_and_say_which_is_above(
    discover: Discover, campus: AgentHost
) -> None:
    arguments = ("127.31.1.1", "--root", "127.31.1.1", "--format", "jsonl")
    assert [row["id"] for row in rows_of(discover(campus, *arguments))] == ["core"]
    rows = rows_of(discover(campus, *arguments, "--neighbours"))
    assert {row["id"]: row.get("parent_id") for row in rows} == {
        "core": None,
        "dist": "core",
        "access": "dist",
    }
    rows = rows_of(discover(campus, *arguments, "--neighbours", "--arp"))
    assert {row["id"] for row in rows} == {"core", "dist", "access", "host"}


def test_against_an_inventory_programs_get_what_is_new_or_moved(
    discover: Discover, campus: AgentHost, tmp_path: Path
) -> None:
    inventory = tmp_path / "devices.csv"
    inventory.write_text(
        "id,hostname,ip_address,site,credential\n"
        "core-zrh,,127.31.1.1,zurich,other\ndist,,127.31.1.9,zurich,other\nold,,127.31.1.20,zurich,other\n"
    )
    arguments = ("127.31.1.0/27", "--against", str(inventory), "--credential", "edge")
    rows = rows_of(discover(campus, *arguments, "--format", "jsonl"))
    assert [
        (row["change"], row["id"], row["ip_address"], row["credential"], row["site"]) for row in rows
    ] == [
        ("moved", "dist", "127.31.1.2", "other", "zurich"),
        ("new", "access", "127.31.1.3", "edge", "zurich"),
        ("new", "host", "127.31.1.4", "edge", "zurich"),
    ]
    result = discover(campus, *arguments)
    assert "moved from 127.31.1.9  127.31.1.2   dist" in result.stdout
    assert result.stderr.endswith("4 devices at 4 of 30 addresses: 2 new, 1 moved, 1 gone, 1 known\n")


def test_a_host_without_an_agent_is_found_by_a_login_where_that_is_asked_for(
    discover: Discover, two_switches: AgentHost, tmp_path: Path
) -> None:
    config = tmp_path / "netvitals.yaml"
    with SshServer(answering(LINUX), address="127.31.0.5") as server:
        keys = json.dumps([line_of(HOST_KEY)])
        config.write_text(f"device_types: {{linux: {{ssh: {{port: {server.port}, host_keys: {keys}}}}}}}\n")
        login = {"hosts": {"ssh": {"user": USER, "password": PASSWORD}}}
        arguments = ("127.31.0.1", "127.31.0.5", "127.31.0.6", "--config", str(config), "--format", "jsonl")
        credentials = {"edge": CREDENTIALS["edge"], **login}
        without = rows_of(discover(two_switches, *arguments, credentials=credentials))
        rows = rows_of(discover(two_switches, *arguments, "--ssh", credentials=credentials))
    assert [row["id"] for row in without] == ["sw-1"]
    assert rows[1:] == [
        {"id": "127.31.0.5", "hostname": "", "ip_address": "127.31.0.5", "device_type": "linux",
         "credential": "hosts", "profile": "", "addresses": ["127.31.0.5"]}
    ]  # fmt: skip


def test_no_more_requests_are_sent_in_a_second_than_asked_for(discover: Discover) -> None:
    deaf = Agent(switch("deaf", 1), community="unheard")
    agents = {f"127.31.2.{n}": deaf for n in range(1, 31)}
    with AgentThread(agents) as host:
        began = time.monotonic()
        discover(host, "127.31.2.0/27", "--rate", "40", "--credential", "edge", code=1)
    assert deaf.requests == 30
    assert time.monotonic() - began > 29 / 40


def test_ctrl_c_keeps_what_was_found_and_the_same_command_goes_on(
    two_switches: AgentHost, write: Write, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    command = [
        str(NETVITALS), "discover", "127.31.0.0/27", "--credentials", str(write(CREDENTIALS)),
        "--port", str(two_switches.port), "--allow", "127.31.0.0/16", "--format", "csv", "--tries", "1",
        "--resume", str(journal),
    ]  # fmt: skip
    with subprocess.Popen(
        [*command, "--rate", "5"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: journal.exists() and '"kind":"found"' in journal.read_text())
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "sw-1" in [row["id"] for row in csv.DictReader(io.StringIO(output))]
    assert f"stopped before all were asked: go on with --resume {journal}" in errors
    done = subprocess.run(
        [*command, "--rate", "2000", "--timeout", "2"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert [row["id"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["sw-1", "sw-2"]


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(2400):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass within 120 s")


def test_a_real_agent_is_found_over_v3_by_the_user_that_it_knows(
    start_snmpd: StartSnmpd, write: Write
) -> None:
    agent = start_snmpd(
        f"createUser real SHA {AUTH_KEY!r} AES {PRIV_KEY!r}\nrouser real priv\nsysName lab-host\n"
    )
    keys = {"auth": "SHA1", "auth_key": AUTH_KEY, "priv": "AES128", "priv_key": PRIV_KEY}
    credentials = {
        "stranger": {"snmp": {"version": "3", "user": "stranger", **keys}},
        "real": {"snmp": {"version": "3", "user": "real", **keys}},
    }
    result = CliRunner().invoke(
        cli,
        ["discover", "127.0.0.1", "--credentials", str(write(credentials)), "--port", str(agent.port),
         "--allow", "127.0.0.0/8", "--format", "jsonl"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    [row] = rows_of(result)
    assert (row["id"], row["credential"], row["device_type"], row["profile"]) == (
        "lab-host", "real", "linux", "linux",
    )  # fmt: skip
    assert row["settings"]["protocols"] == ["snmp"]
