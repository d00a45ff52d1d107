"""The devices of the demo: one more is an entry of `demo_devices`, one more protocol a `Simulated`."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any

from local.demo import snmp_devices as snmp
from local.demo.hosts import domain_controller, this_machine
from local.demo.simulated import Simulated, SimulatedHost, SimulatedSnmp
from local.demo.snmp_devices import Simulation
from local.devices import ssh_server
from local.devices.snmp_agent import Agent
from local.devices.snmp_v3_agent import V3Agent
from local.devices.ssh_server import new_key, this_user
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.domain.settings.credential import credential_from, part_of

_LOGIN = new_key()
"""The key pair that logs in to this machine, made for this run."""
WINDOWS = {"user": "DEMO\\netvitals", "password": "demo-password"}
CREDENTIALS: dict[str, dict[str, Any]] = {
    "campus": {"snmp": {"version": "2c", "community": "demo-read"}},
    "legacy": {"snmp": {"version": "1", "community": "demo-legacy"}},
    "secure": {
        "snmp": {
            "version": "3",
            "user": "netvitals",
            "auth": "SHA256",
            "auth_key": "demo-authentication-key",
            "priv": "AES128",
            "priv_key": "demo-privacy-key",
        }
    },
    "windows": {"winrm": WINDOWS},
    "linux": {"ssh": {"user": this_user(), "private_key": _LOGIN.private}},
}
"""The credential map, as the functions read it from Secrets Manager."""


PATIENCE: Mapping[str, Any] = {"device_timeout_seconds": 25, "snmp": {"timeout_seconds": 3, "retries": 4}}
"""Settings of what answers: on a busy machine its simulation may keep netvitals waiting for seconds."""


@dataclass(frozen=True)
class DemoDevice:
    """A device: its row in the inventory, what simulates it, and the status that it must end with."""

    id: str
    simulated: Simulated
    _: KW_ONLY
    credential: str = "campus"
    device_type: str = "network"
    parent_id: str | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: PATIENCE)
    plugged_in: bool = True
    """At the start."""
    steady: bool = True
    """Whether every poll of it must be complete, because nothing happens to it."""
    status: str = "online"
    """Its status at the end; `reason` is that of its last poll."""
    reason: str = "ok"

    @property
    def hostname(self) -> str:
        return self.id.removeprefix("demo-")


def _snmp(simulation: Simulation, community: str = "demo-read", **agent: Any) -> SimulatedSnmp:
    return SimulatedSnmp(Agent(simulation.objects, community=community, **agent), simulation.expected)


def _snmp_v3(simulation: Simulation, credential: str) -> SimulatedSnmp:
    user = part_of(credential_from(credential, CREDENTIALS[credential]), SNMP, credential)
    return SimulatedSnmp(V3Agent(simulation.objects, user), simulation.expected)


def _windows(bits_per_second: float) -> SimulatedHost:
    """Return a Windows host that speaks HTTP; NTLM encrypts the messages."""
    machine, expected = domain_controller(bits_per_second)
    users = {WINDOWS["user"]: WINDOWS["password"]}
    return SimulatedHost("winrm", partial(WinrmHost, Service(machine), users=users), expected, tls=False)


def _this_machine() -> SimulatedHost:
    host_key = new_key()
    listen = partial(ssh_server.this_machine, login=_LOGIN, host_key=host_key)
    return SimulatedHost("ssh", listen, this_machine(), host_keys=[host_key.public])


def _wrong_community() -> SimulatedSnmp:
    return SimulatedSnmp(Agent({}, community="nobody-told-us"), host_answers=True)


def demo_devices() -> Sequence[DemoDevice]:
    """Make all devices, in the order in which the table shows them."""
    return (
        DemoDevice("demo-core-sw", _snmp(snmp.switch("core-sw", 48, 2.4e9))),
        DemoDevice("demo-edge-fw", _snmp_v3(snmp.firewall("edge-fw", 640e6), "secure"), credential="secure"),
        DemoDevice(
            "demo-old-rtr",
            _snmp(snmp.router("old-rtr", 30e6), "demo-legacy", versions=(0,)),
            credential="legacy",
        ),
        DemoDevice("demo-db-1", _snmp(snmp.server("db-1", 310e6))),
        DemoDevice("demo-dc-1", _windows(85e6), device_type="windows", credential="windows"),
        DemoDevice("demo-this-host", _this_machine(), device_type="linux", credential="linux"),
        DemoDevice("demo-ups-1", _snmp(snmp.ups("ups-1"))),
        DemoDevice(
            "demo-sat-link", _snmp(snmp.switch("sat-link", 8, 9e6), delay=0.28, loss=0.06), steady=False
        ),
        DemoDevice("demo-dist-sw", _wrong_community(), settings={}, reason="timeout"),
        DemoDevice(
            "demo-kiosk-sw",
            _snmp(snmp.switch("kiosk-sw", 12, 50e6)),
            settings={},
            plugged_in=False,
            steady=False,
        ),
        DemoDevice(
            "demo-lobby-sw",
            _snmp(snmp.switch("lobby-sw", 12, 75e6)),
            settings={},
            steady=False,
            status="offline",
            reason="timeout",
        ),
        DemoDevice(
            "demo-lobby-phone",
            _snmp(snmp.switch("lobby-phone", 2, 20e6)),
            parent_id="demo-lobby-sw",
            # Its last answer may be 10 s older than its parent's, whose next poll begins 10 s later and takes
            # 3 s: by then the parent is known to be silent.
            settings={"offline_timeout_seconds": 28, "metrics_interval_seconds": 30},
            steady=False,
            status="unreachable",
            reason="timeout",
        ),
        DemoDevice(
            "demo-camera",
            SimulatedSnmp(Agent({}, loss=1.0)),
            settings={},
            steady=False,
            status="offline",
            reason="timeout",
        ),
    )
