"""The table of protocols, and what follows from it."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from netvitals.collectors.command_line import CommandLine
from netvitals.collectors.registry import collector_for, command_lines
from netvitals.collectors.snmp.protocol import SNMP, SnmpSettings
from netvitals.collectors.ssh.protocol import SSH, SshSettings
from netvitals.collectors.winrm.protocol import WINRM, WinrmSettings
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.polling.protocol import Protocol
from netvitals.domain.protocols import PROTOCOLS, VITAL_MEMORY, WRITE_ONCE_MEMORY
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.credential import Credential
from netvitals.domain.settings.policy import Policy, PollSettings

EVERY = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=list(PROTOCOLS))
type AnyProtocol = Protocol[Any, Any]


@EVERY
def test_a_protocol_has_a_section_a_part_of_the_credential_and_a_collector(protocol: AnyProtocol) -> None:
    assert PROTOCOLS[protocol.name] is protocol
    assert protocol.settings_of(PollSettings()) == protocol.settings()
    assert protocol.part_of(Credential()) is None
    assert callable(collector_for(protocol.name).collect)
    assert 1 <= protocol.port(protocol.settings()) <= 65535


def test_a_protocol_that_is_not_there_is_told_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match="no protocol 'gopher', only snmp, ssh, winrm"):
        collector_for("gopher")


@EVERY
def test_what_a_policy_says_of_a_protocol_travels_in_the_job(protocol: AnyProtocol) -> None:
    policy = Configuration().policy("network", {protocol.name: {"port": 4711}})
    assert protocol.settings_of(policy.poll_settings()).port == 4711


def test_no_part_of_a_policy_that_a_job_has_is_forgotten() -> None:
    changed = {
        "protocols": (),
        "device_timeout_seconds": 44.0,
        "ping": {"count": 3},
        "vitals": {"poe": False},
    }
    for name in PROTOCOLS:
        changed[name] = {"port": 4711}
    policy = msgspec.convert(changed, Policy)
    sent = policy.poll_settings()
    for name in PollSettings.__struct_fields__:
        assert getattr(sent, name) == getattr(policy, name) != getattr(PollSettings(), name)


def test_no_request_may_take_longer_than_the_device() -> None:
    with pytest.raises(ConfigurationError, match=r"snmp.timeout_seconds \(50\) exceeds device_timeout"):
        Configuration().policy("network", {"snmp": {"timeout_seconds": 50}})


def test_memory_keys_are_those_that_stored_state_has() -> None:
    keys = [key.name for protocol in PROTOCOLS.values() for key in protocol.memory]
    assert keys == ["snmp", "snmp_engine", "ssh", "ssh_host_keys", "ssh_refused", "winrm", "winrm_refused"]
    assert {"ssh_host_keys", "ssh_refused", "winrm_refused"} == VITAL_MEMORY
    assert {"ssh_host_keys"} == WRITE_ONCE_MEMORY


def test_a_port_is_the_one_that_is_set_or_the_protocols_own() -> None:
    assert (SNMP.port(SnmpSettings()), SSH.port(SshSettings(port=2222))) == (161, 2222)
    ports = [WINRM.port(WinrmSettings(tls=tls, port=port)) for tls in (True, False) for port in (None, 80)]
    assert ports == [5986, 80, 5985, 80]


def test_options_that_protocols_share_are_the_same_option() -> None:
    by_flag: dict[str, Any] = {}
    names: dict[str, str] = {}
    for line in command_lines().values():
        assert isinstance(line, CommandLine)
        for option in line.options:
            assert by_flag.setdefault(option.flag, option) == option
            assert names.setdefault(option.name, option.flag) == option.flag
        assert {option.name for option in line.options} >= set(line.chosen_by)


def test_an_option_sets_what_its_protocol_has() -> None:
    for name, line in command_lines().items():
        known = PROTOCOLS[name].settings.__struct_fields__
        assert {option.sets for option in line.options if option.sets} <= set(known)


def test_the_table_imports_msgspec_and_nothing_that_is_heavy() -> None:
    code = "import sys, netvitals.domain.protocols; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    others = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"__main__"}
    assert others == {"msgspec", "netvitals", "typing_extensions"}  # msgspec brings the third
    assert not loaded & {"asyncio", "logging", "socket", "ssl"}
