"""A device of the inventory, and what is known of its state."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(max_length=256)]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `devices`, as it stands there: not yet checked against configuration or address guard."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]
    """Its name for ever: the tag `device_id` of every point."""
    ip_address: Name | None = None
    """None: `hostname` is resolved when the device is dialled."""
    hostname: Name = ""
    """For people, and dialled where there is no address."""
    mac_address: Name = ""
    """For people."""
    device_type: Name = "network"
    """`network`, `linux`, `windows`, or a type of the configuration document."""
    credential: Name = ""
    """A name in the credential map, never a secret."""
    site: Name = ""
    """Devices behind one line: limits and lost paths go by it."""
    parent_id: Name | None = None
    """The device through which this one is reached: while it is down, this one is `unreachable`."""
    collector: Name = ""
    """The group of collectors that polls it."""
    enabled: bool = True
    """False: it is not polled."""
    maintenance_until: float | None = None
    """Until then changes are not announced; seconds since the epoch."""
    settings: dict[str, Any] = {}
    """Overrides of the device type's `Policy`, in the same shape."""
    memory: dict[str, Any] = {}
    """Of what earlier polls left in `device_state`: what the next one can't do without."""
    failures: int = 0
    """Polls in a row that failed."""
    reason: str = ""
    """Of the newest poll: an `observation.Reason`."""
    last_seen_at: float | None = None
    status_attempt_at: float | None = None
    metrics_attempt_at: float | None = None
    points: int = 0
    """Of the newest metrics poll that read some."""

    @property
    def address(self) -> str:
        return self.ip_address or self.hostname

    def attempted_at(self, kind: str) -> float | None:
        """Return when a poll of this kind was made last, in seconds since the epoch."""
        return self.status_attempt_at if kind == "status" else self.metrics_attempt_at
