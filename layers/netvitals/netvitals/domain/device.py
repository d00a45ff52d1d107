"""A device of the inventory, and what is known of its state."""

from typing import Any

import msgspec


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `devices`, as it stands there: not yet checked against configuration or address guard."""

    id: str
    ip_address: str | None = None
    """None: `hostname` is resolved when the device is dialled."""
    hostname: str = ""
    mac_address: str = ""
    device_type: str = "network"
    credential: str = ""
    site: str = ""
    parent_id: str | None = None
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
