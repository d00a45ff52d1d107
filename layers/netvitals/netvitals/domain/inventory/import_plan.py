"""Plan an import: its changes, shown before they are made, and refused where they are too many."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from netvitals.domain.inventory.device import Device
from netvitals.domain.text import quoted

ALWAYS_ALLOWED = 10
"""Number of devices up to which any share of the inventory may change."""


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that an import would change."""

    columns: tuple[str, ...]
    """Columns that the file names; the others are not changed."""
    added: list[Device]
    changed: list[Device]
    unchanged: int
    disabled: list[str]
    """Ids of enabled devices that the file does not name, where these are to be disabled."""
    enabled_again: list[str] = []
    """Ids of devices that an earlier import had disabled, and that the file names again."""
    forgotten: list[str] = []
    """Ids of those that an earlier import had disabled, and that the file names again or somebody enabled."""
    before: Mapping[str, Device | None] = {}
    """All devices of the table; None for rows that can't be read."""

    def __str__(self) -> str:
        counts = f"{len(self.added)} added, {len(self.changed)} changed, {self.unchanged} unchanged"
        counts += f", {len(self.disabled)} disabled" if self.disabled else ""
        return counts + (f", {len(self.enabled_again)} enabled again" if self.enabled_again else "")

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.disabled or self.enabled_again)


def differences(plan: ImportPlan) -> Iterator[str]:
    """Yield a line for each device that would change: `+` added, `~` changed, `-` disabled."""
    again = {*plan.enabled_again}
    for device_id in plan.disabled:
        yield f"- {device_id}: disabled, it is not named any more"
    for device in plan.changed:
        changes = list(_changes(plan, device))
        changes += ["enabled again"] if device.id in again else []
        yield f"~ {device.id}: {', '.join(changes)}"
    changed = {device.id for device in plan.changed}
    for device_id in plan.enabled_again:
        if device_id not in changed:
            yield f"~ {device_id}: enabled again"
    for device in plan.added:
        told = [device.device_type, *([f"site {device.site}"] if device.site else [])]
        yield f"+ {device.id}: {device.address}, {', '.join(told)}"


def _changes(plan: ImportPlan, device: Device) -> Iterator[str]:
    before = plan.before.get(device.id)
    if before is None:
        yield "its row could not be read"
        return
    for name in plan.columns:
        old, new = getattr(before, name), getattr(device, name)
        if name == "settings":
            if old != new:
                yield "settings"  # somebody may have put a secret there
        elif (old or None) != (new or None):
            yield f"{name} {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    return quoted(value) if value not in (None, "") else "nothing"


def refusal(plan: ImportPlan, *, disable_percent: float, change_percent: float) -> str | None:
    """Return why the plan is too much to be what was meant; None where it is not."""
    before = {device_id: device for device_id, device in plan.before.items() if device}
    enabled = sum(device.enabled for device in before.values())
    going = len(plan.disabled) + sum(
        1
        for device in plan.changed
        if not device.enabled and device.id in before and before[device.id].enabled
    )
    if _is_too_much(going, enabled, disable_percent):
        return _told("disable", going, enabled, disable_percent)
    changing = len(plan.changed)
    if _is_too_much(changing, len(before), change_percent):
        return _told("change", changing, len(before), change_percent)
    return None


def _is_too_much(count: int, of: int, percent: float) -> bool:
    return count > ALWAYS_ALLOWED and count * 100 > of * percent


def _told(what: str, count: int, of: int, percent: float) -> str:
    return (
        f"would {what} {count:,} of {of:,} devices, more than {percent:g} %; nothing was imported. "
        f"If that is meant: --{what}-at-most 100%"
    )
