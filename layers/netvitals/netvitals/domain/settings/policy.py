"""Define the policy of a device: what a device type sets and a device may override."""

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from netvitals.domain.protocols import PROTOCOLS
from netvitals.domain.settings.section import Interval, Port, Seconds, Section, extended
from netvitals.domain.settings.vitals import VitalSettings

if TYPE_CHECKING:
    ProtocolName = str
else:
    ProtocolName = Literal[tuple(PROTOCOLS)]


class PingSettings(Section, frozen=True):
    """The host probe: ICMP echo, or TCP connections where ICMP is not permitted."""

    enabled: bool = True
    """True where the host is probed; a protocol's own reply proves a device alive as well."""
    count: Annotated[int, Meta(ge=1, le=20)] = 1
    """Echo requests for one probe."""
    timeout_seconds: Seconds = 1.0
    """Time limit of the whole probe, however much it tries."""
    tcp_ports: tuple[Port, ...] = (22, 443, 80)
    """Ports to try where the process may not send ICMP; a refusal by the host itself proves it alive as
    well."""


def _with_a_section_for_each_protocol[S: msgspec.Struct](settings: type[S]) -> type[S]:
    return extended(settings, ((each.name, each.settings, each.settings()) for each in PROTOCOLS.values()))


@_with_a_section_for_each_protocol
class PollSettings(Section, frozen=True):
    """The part of a policy that collectors need; travels in the job.

    `Protocol.settings_of` returns the section of a protocol.
    """

    protocols: tuple[ProtocolName, ...] = ("snmp",)
    """Protocols in order of preference: the next is tried where the one before gave nothing. Empty: ping
    only."""
    device_timeout_seconds: Seconds = 45.0
    """Time limit of everything that one poll of a device does; what was read by then is kept."""
    ping: PingSettings = PingSettings()
    vitals: VitalSettings = VitalSettings()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            protocols: tuple[ProtocolName, ...] = ...,
            device_timeout_seconds: float = ...,
            ping: PingSettings = ...,
            vitals: VitalSettings = ...,
            **sections: Section,
        ) -> None: ...


class Policy(PollSettings, frozen=True):
    """All that a device type or a device may set."""

    status_interval_seconds: Interval = 30
    """Time between two checks of whether a device is up."""
    metrics_interval_seconds: Interval = 300
    """Time between two polls of everything a device measures."""
    offline_timeout_seconds: Annotated[int, Meta(ge=10, le=86400)] = 90
    """Time since a device was last seen before which it is not offline."""
    offline_after_failures: Annotated[int, Meta(ge=1, le=100)] = 2
    """Least number of polls in a row that failed before a device is offline."""
    online_after_successes: Annotated[int, Meta(ge=1, le=100)] = 1
    """Number of polls in a row that were answered after which a device is online again."""
    missing_timeout_seconds: Annotated[int, Meta(ge=30, le=86400)] = 300
    """Time without a poll after which a device is `unknown`."""

    def __post_init__(self) -> None:
        if self.offline_timeout_seconds < self.status_interval_seconds:
            raise ValueError(
                f"offline_timeout_seconds ({self.offline_timeout_seconds}) is shorter than "
                f"status_interval_seconds ({self.status_interval_seconds}): "
                "every device would be offline between two polls"
            )
        for name in PROTOCOLS:
            # Of one request; sections that have no such key limit longer exchanges, which may be cut short.
            seconds = getattr(getattr(self, name), "timeout_seconds", 0)
            if seconds > self.device_timeout_seconds:
                raise ValueError(
                    f"{name}.timeout_seconds ({seconds:g}) exceeds "
                    f"device_timeout_seconds ({self.device_timeout_seconds:g})"
                )

    def poll_settings(self) -> PollSettings:
        """Return the part that travels in a job."""
        return PollSettings(**{name: getattr(self, name) for name in PollSettings.__struct_fields__})
