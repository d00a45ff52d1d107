"""The devices of the demo. A new one is one entry of `CAST`; a new protocol is one more `Part`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.demo import snmp_devices as devices
from local.demo.parts import Nobody, Part, SnmpPart, TcpPart
from local.demo.snmp_devices import Simulation
from local.demo.this_machine import this_machine
from local.demo.windows import domain_controller
from local.devices import ssh_server
from local.devices.snmp_agent import Agent
from local.devices.snmp_v3_agent import V3Agent
from local.devices.ssh_server import new_key, this_user
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.domain.settings.credential import credential_from, part_of

_LOGIN = new_key()
"""Of this run alone."""
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
    "windows": {"winrm": {"user": "DEMO\\netvitals", "password": "demo-password"}},
    "linux": {"ssh": {"user": this_user(), "private_key": _LOGIN.private}},
}
"""The credential map, as the functions read it from Secrets Manager."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """A device: its row in the inventory, who plays it, and how it must have ended."""

    id: str
    part: Part
    credential: str = "campus"
    device_type: str = "network"
    parent_id: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    plugged_in: bool = True
    """At the start."""
    steady: bool = True
    """Nothing happens to it: every poll must be complete."""
    status: str = "online"
    """At the end, as is the next."""
    reason: str = "ok"

    @property
    def hostname(self) -> str:
        return self.id.removeprefix("demo-")


def _snmp(simulation: Simulation, community: str = "demo-read", **agent: Any) -> SnmpPart:
    return SnmpPart(Agent(simulation.objects, community=community, **agent), simulation.known)


def _snmp_v3(simulation: Simulation, credential: str) -> SnmpPart:
    user = part_of(credential_from(credential, CREDENTIALS[credential]), SNMP, credential)
    return SnmpPart(V3Agent(simulation.objects, user), simulation.known)


def _windows(bits_per_second: float) -> TcpPart:
    """Without TLS: NTLM encrypts what is said."""
    account = CREDENTIALS["windows"]["winrm"]
    machine, known = domain_controller(bits_per_second)
    users = {account["user"]: account["password"]}
    return TcpPart("winrm", partial(WinrmHost, Service(machine), users=users), known, tls=False)


def _this_machine() -> TcpPart:
    host_key = new_key()
    listen = partial(ssh_server.this_machine, login=_LOGIN, host_key=host_key)
    return TcpPart("ssh", listen, this_machine(), host_keys=[host_key.public])


def _wrong_community() -> SnmpPart:
    other = devices.switch("dist-sw", 24, 0)
    return SnmpPart(Agent(other.objects, community="nobody-told-us"), host_answers=True)


def cast() -> Sequence[Role]:
    """Everybody, new; the table shows them in this order."""
    return (
        Role(id="demo-core-sw", part=_snmp(devices.switch("core-sw", 48, 2.4e9))),
        Role(
            id="demo-edge-fw",
            part=_snmp_v3(devices.firewall("edge-fw", 640e6), "secure"),
            credential="secure",
        ),
        Role(
            id="demo-old-rtr",
            part=_snmp(devices.router("old-rtr", 30e6), "demo-legacy", versions=(0,)),
            credential="legacy",
        ),
        Role(id="demo-db-1", part=_snmp(devices.server("db-1", 310e6))),
        Role(
            id="demo-dc-1",
            part=_windows(85e6),
            device_type="windows",
            credential="windows",
        ),
        Role(
            id="demo-this-host",
            part=_this_machine(),
            device_type="linux",
            credential="linux",
        ),
        Role(id="demo-ups-1", part=_snmp(devices.ups("ups-1"))),
        Role(
            id="demo-sat-link",
            part=_snmp(devices.switch("sat-link", 8, 9e6), delay=0.28, loss=0.06),
            settings={"snmp": {"retries": 4}},
            steady=False,
        ),
        Role(id="demo-dist-sw", part=_wrong_community(), reason="timeout"),
        Role(
            id="demo-kiosk-sw",
            part=_snmp(devices.switch("kiosk-sw", 12, 50e6)),
            plugged_in=False,
            steady=False,
        ),
        Role(
            id="demo-lobby-sw",
            part=_snmp(devices.switch("lobby-sw", 12, 75e6)),
            steady=False,
            status="offline",
            reason="timeout",
        ),
        Role(
            id="demo-lobby-phone",
            part=_snmp(devices.switch("lobby-phone", 2, 20e6)),
            parent_id="demo-lobby-sw",
            # So that its parent has been found out by the time it would be called offline itself.
            settings={"offline_timeout_seconds": 15, "metrics_interval_seconds": 30},
            steady=False,
            status="unreachable",
            reason="timeout",
        ),
        Role(id="demo-camera", part=Nobody(), steady=False, status="offline", reason="timeout"),
    )
