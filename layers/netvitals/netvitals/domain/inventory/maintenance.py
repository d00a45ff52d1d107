"""Decide until when a device is under maintenance: by its own row, or a window of it, its site, its type."""

from collections.abc import Iterable
from typing import Literal

import msgspec

type Scope = Literal["device", "site", "type"]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nothing is announced of a device, of a site's devices, or of all of a type."""

    id: int
    scope: Scope
    name: str
    """Name of the device, the site or the type."""
    starts_at: float
    """Start of the window, in seconds since the epoch; the start is within it."""
    ends_at: float
    """End of the window, in seconds since the epoch; the end is outside it."""
    reason: str = ""

    def is_open(self, now: float) -> bool:
        return self.starts_at <= now < self.ends_at


class Maintenance:
    """Finds the end of a device's maintenance among the windows that are open at a time."""

    def __init__(self, windows: Iterable[Window], now: float) -> None:
        self._until: dict[tuple[Scope, str], float] = {}
        for window in windows:
            if window.is_open(now):
                key = window.scope, window.name
                self._until[key] = max(window.ends_at, self._until.get(key, 0.0))

    def until(self, device_id: str, site: str, device_type: str, own: float | None = None) -> float | None:
        """Return the latest end of what holds for a device; `own` is what its own row says."""
        if not self._until:
            return own
        keys: tuple[tuple[Scope, str], ...] = (("device", device_id), ("site", site), ("type", device_type))
        ends = [self._until[key] for key in keys if key in self._until]
        return max([*ends, *([] if own is None else [own])], default=None)
