"""A device of the inventory, and what is known of its state."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(max_length=256)]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `devices`, as it stands there: not yet checked against configuration or address guard."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]
    ip_address: Name | None = None
    """None: `hostname` is resolved when the device is dialled."""
    hostname: Name = ""
    mac_address: Name = ""
    device_type: Name = "network"
    credential: Name = ""
    site: Name = ""
    parent_id: Name | None = None
    collector: Name = ""
    """The group of collectors that polls it."""
    enabled: bool = True
    maintenance_until: float | None = None
    """Seconds since the epoch."""
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
