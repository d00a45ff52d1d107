"""How a device is polled: what a device type sets and a device may override."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=900)]
Interval = Annotated[int, Meta(ge=10, le=86400)]
Protocol = Literal["snmp", "ssh", "winrm"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the configuration: unknown keys are errors, defaults are not written out."""


class PingSettings(Section, frozen=True):
    """Reachability of the host itself, whatever it speaks."""

    enabled: bool = True
    """Whether the host is probed at all; a protocol's own reply proves a device alive as well."""
    count: Annotated[int, Meta(ge=1, le=20)] = 1
    """Echo requests for one probe."""
    timeout_seconds: Seconds = 1.0
    """For the whole probe, however much it tries."""
    tcp_ports: tuple[Port, ...] = (22, 443, 80)
    """Tried where the process may not send ICMP; a refusal by the host itself proves it alive as well."""


class InterfaceFilter(Section, frozen=True):
    """Which interfaces are collected; an empty list excludes nothing."""

    exclude_types: tuple[int, ...] = ()
    """IANAifType numbers, such as 24 for softwareLoopback."""
    include_names: str | None = None
    """A regular expression searched in ifName: only interfaces in which it is found."""
    exclude_names: str | None = None
    """A regular expression searched in ifName: no interface in which it is found."""
    only_oper_up: bool = False
    """Only interfaces whose ifOperStatus is up."""
    only_admin_up: bool = False
    """Only interfaces whose ifAdminStatus is up."""
    alias_tag: bool = False
    """Adds ifAlias, the operator's own description, as the tag `alias`; renaming then starts a new series."""

    def __post_init__(self) -> None:
        for key in ("include_names", "exclude_names"):
            try:
                re.compile(getattr(self, key) or "")
            except re.error as error:
                raise ValueError(f"{key} is no regular expression: {error}") from None


class SnmpSettings(Section, frozen=True):
    """SNMP: versions 1, 2c and 3; the credential says which, and as whom."""

    port: Port = 161
    """UDP port of the agent."""
    version: Literal["1", "2c", "3"] | None = None
    """Overrides the credential's where both are communities."""
    timeout_seconds: Seconds = 2.0
    """For the answer to one request."""
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    """How often a request is repeated that had no answer."""
    max_repetitions: Annotated[int, Meta(ge=1, le=200)] = 25
    """Rows asked for in one GETBULK, at most: it adapts to what the device can answer."""
    requests_in_flight: Annotated[int, Meta(ge=1, le=32)] = 4
    """Requests that wait for the device's answers at the same time."""
    max_varbinds: Annotated[int, Meta(ge=100, le=1_000_000)] = 100_000
    """Values read in one poll, at most: a guard against devices that never come to an end."""
    profile: str | None = None
    """Use this profile instead of the one that sysObjectID selects."""
    interfaces: InterfaceFilter = InterfaceFilter()


class SshSettings(Section, frozen=True):
    """SSH: one probe of POSIX shell, which leaves nothing behind."""

    port: Port = 22
    """TCP port of the server."""
    connect_timeout_seconds: Seconds = 5.0
    """For connecting, and for each of banner and authentication."""
    command_timeout_seconds: Seconds = 15.0
    """For the probe's output."""
    host_keys: tuple[str, ...] = ()
    """Pinned keys as `ssh-keyscan` prints them without the host: `ssh-ed25519 AAAA…`."""
    trust_on_first_use: bool = False
    """Accepts an unknown host key and keeps it; without it, and without `host_keys`, nothing is sent."""
    jump: str | None = None
    """`host` or `host:port` of a jump host that takes the same credential."""
    jump_host_keys: tuple[str, ...] = ()
    """Pinned keys of the jump host, in the form of `host_keys`; it is never trusted on first use."""


class WinrmSettings(Section, frozen=True):
    """WinRM, which carries WMI's queries; no process is started on the device."""

    port: Port | None = None
    """5986 with TLS, 5985 without, unless set."""
    tls: bool = True
    """HTTPS; without it, NTLM still encrypts what is sent, Basic does not."""
    verify: bool = True
    """Checks the server's certificate against the credential's `ca` or fingerprint, or the system's roots."""
    operation_timeout_seconds: Seconds = 10.0
    """For one query."""
    powershell: Literal["never", "fallback", "always"] = "never"
    """Whether a script is run: never, where WMI gave nothing, or always."""


class PollSettings(Section, frozen=True):
    """What a collector needs to know; travels in the job."""

    protocols: tuple[Protocol, ...] = ("snmp",)
    """In order of preference: the next is tried where the one before gave nothing. Empty: ping only."""
    device_timeout_seconds: Seconds = 45.0
    """For everything that one poll of a device does; what was read by then is kept."""
    ping: PingSettings = PingSettings()
    snmp: SnmpSettings = SnmpSettings()
    ssh: SshSettings = SshSettings()
    winrm: WinrmSettings = WinrmSettings()


class Policy(PollSettings, frozen=True):
    """All that a device type or a device may set."""

    status_interval_seconds: Interval = 30
    """Between two checks of whether a device is up."""
    metrics_interval_seconds: Interval = 300
    """Between two polls of everything a device measures."""
    offline_timeout_seconds: Annotated[int, Meta(ge=10, le=86400)] = 90
    """A device is offline no earlier than this after it was last seen."""
    offline_after_failures: Annotated[int, Meta(ge=1, le=100)] = 2
    """A device is offline after no fewer polls in a row that failed."""
    online_after_successes: Annotated[int, Meta(ge=1, le=100)] = 1
    """A device is online again after this many polls in a row that were answered."""
    missing_timeout_seconds: Annotated[int, Meta(ge=30, le=86400)] = 300
    """A device that nobody tried for this long is `unknown`."""

    def __post_init__(self) -> None:
        if self.offline_timeout_seconds < self.status_interval_seconds:
            raise ValueError(
                f"offline_timeout_seconds ({self.offline_timeout_seconds}) is shorter than "
                f"status_interval_seconds ({self.status_interval_seconds}): "
                "every device would be offline between two polls"
            )
        if self.snmp.timeout_seconds > self.device_timeout_seconds:
            raise ValueError(
                f"snmp.timeout_seconds ({self.snmp.timeout_seconds:g}) exceeds "
                f"device_timeout_seconds ({self.device_timeout_seconds:g})"
            )

    def poll_settings(self) -> PollSettings:
        return PollSettings(
            protocols=self.protocols,
            device_timeout_seconds=self.device_timeout_seconds,
            ping=self.ping,
            snmp=self.snmp,
            ssh=self.ssh,
            winrm=self.winrm,
        )
