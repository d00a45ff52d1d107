"""Define a device of the inventory, and what is known of its state."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(max_length=256)]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `devices`, not yet checked against configuration or address guard."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]
    """Permanent name of the device: the tag `device_id` of every point."""
    ip_address: Name | None = None
    """IP address to dial; None: `hostname` is resolved when the device is dialled."""
    hostname: Name = ""
    """Name for people, dialled where there is no address."""
    mac_address: Name = ""
    """MAC address: for people, and for discovery to recognise a device that has moved."""
    device_type: Name = "network"
    """Device type: `network`, `linux`, `windows`, or one of the configuration document."""
    credential: Name = ""
    """Name of an entry of the credential map, never a secret."""
    site: Name = ""
    """Name shared by the devices behind one line: limits and lost paths go by it."""
    parent_id: Name | None = None
    """The device through which this one is reached: while it is down, this one is `unreachable`."""
    collector: Name = ""
    """The group of collectors that polls it."""
    enabled: bool = True
    """True where the device is polled."""
    maintenance_until: float | None = None
    """Time until which changes are not announced, in seconds since the epoch."""
    settings: dict[str, Any] = {}
    """Overrides of the device type's `Policy`, in the same shape."""
    memory: dict[str, Any] = {}
    """The part of what earlier polls left in `device_state` that the next one can't do without."""
    failures: int = 0
    """Number of polls in a row that failed."""
    reason: str = ""
    """Reason of the newest poll, an `observation.Reason`."""
    last_seen_at: float | None = None
    status_attempt_at: float | None = None
    metrics_attempt_at: float | None = None
    points: int = 0
    """Number of points of the newest metrics poll that read some."""

    @property
    def address(self) -> str:
        return self.ip_address or self.hostname

    def attempted_at(self, kind: str) -> float | None:
        """Return when a poll of this kind was made last, in seconds since the epoch."""
        return self.status_attempt_at if kind == "status" else self.metrics_attempt_at
