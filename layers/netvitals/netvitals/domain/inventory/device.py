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
    enabled: bool = True
    maintenance_until: float | None = None
    """Seconds since the epoch."""
    settings: dict[str, Any] = {}
    """Overrides of the device type's `Policy`, in the same shape."""
    memory: dict[str, Any] = {}
    """What earlier polls left in `device_state` for the next one."""

    @property
    def address(self) -> str:
        return self.ip_address or self.hostname
