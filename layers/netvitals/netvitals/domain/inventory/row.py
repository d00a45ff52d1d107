"""Convert an inventory row, from any source, into a device, or into faults that a person can mend."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isinf
from typing import Any, get_type_hints

import msgspec

from netvitals.domain.inventory.device import Device
from netvitals.domain.text import quoted

FIELDS = (
    "id",
    "hostname",
    "ip_address",
    "mac_address",
    "device_type",
    "credential",
    "site",
    "parent_id",
    "collector",
    "enabled",
    "maintenance_until",
    "settings",
)
"""The columns of `devices`, and the names in CSV and JSON-lines files."""

_TYPES = {name: hint for name, hint in get_type_hints(Device, include_extras=True).items() if name in FIELDS}
_ALLOWED = {
    "id": "a text of 1 to 256 characters",
    "enabled": "true or false",
    "maintenance_until": "a time such as 2026-11-23T16:00:00Z, or nothing",
    "settings": 'a JSON object such as {"snmp": {"port": 161}}, or nothing',
}
_ANY_TEXT = "a text of at most 256 printable characters"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {"yes": True, "y": True, "on": True, "t": True, "no": False, "n": False, "off": False, "f": False}


class BadRow(msgspec.Struct, frozen=True):
    """Fault of a row of the inventory; the other rows can be used."""

    where: str
    """`line 12` of a file, or `device 'sw-1'` of a table."""
    field: str
    value: str
    """Value as it was found, cut short; settings are not shown: people put secrets there by mistake."""
    cause: str
    """Text that says what is wrong, and what is allowed instead."""

    def __str__(self) -> str:
        found = f"{self.field} {self.value}" if self.value else self.field
        return f"{self.where}: {found}: {self.cause}"


def place_of(device_id: Any) -> str:
    """Return the place of a row of a table, as `BadRow.where` says it."""
    return f"device {quoted(device_id)}"


def bad_row(where: str, field: str, value: Any, cause: str) -> BadRow:
    return BadRow(where, field, "…" if field == "settings" else quoted(value), cause)


def device_from(row: Mapping[str, Any], where: str) -> Device | list[BadRow]:
    """Return the device that a row describes, or all faults of the row.

    Values may be texts, as CSV and SQL casts give them, or decoded JSON; None and the empty text mean
    the default. `settings` and `memory` may be JSON text. Nothing is looked up: addresses, device types
    and parents are checked where they are used, or by `check_inventory`.
    """
    given = {name: value for name, value in row.items() if value is not None and value != ""}
    try:
        for name, parse in _PARSERS.items():
            if name in given:
                given[name] = parse(given[name])
        device = msgspec.convert(given, Device, strict=False)
        if _is_printable(device):
            return device
    except (ValueError, OverflowError, RecursionError):
        pass
    return _faults(given, where)


def _faults(given: Mapping[str, Any], where: str) -> list[BadRow]:
    """Return every fault of a row: the slow way, used for rows known to be bad."""
    faults = [] if "id" in given else [BadRow(where, "id", "", f"is missing: it must be {_ALLOWED['id']}")]
    for name, value in given.items():
        try:
            parsed = _PARSERS[name](value) if name in _PARSERS else value
            converted = msgspec.convert(parsed, _TYPES.get(name, Any), strict=False)
            sound = not isinstance(converted, str) or converted.isprintable()
        except (ValueError, OverflowError, RecursionError):
            sound = False
        if not sound:
            faults.append(bad_row(where, name, value, f"must be {_ALLOWED.get(name, _ANY_TEXT)}"))
    return faults or [BadRow(where, "row", "", "can't be read")]


def _is_printable(device: Device) -> bool:
    """Return whether no text of it would break a line of a log or a table, or is no valid Unicode."""
    return (
        device.id + device.hostname + device.address + device.site + device.device_type + device.credential
        + device.mac_address + (device.parent_id or "") + device.collector
    ).isprintable()  # fmt: skip


def _identity(value: Any) -> Any:
    """Return an id as text: numbers identify devices as well."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _enabled(value: Any) -> Any:
    return _WORDS.get(value.lower(), value.lower()) if isinstance(value, str) else value


def _seconds(value: Any) -> Any:
    """Return seconds since the epoch; a time without an offset is UTC.

    Raises:
        ValueError, OverflowError: it is no time of the years 1 to 9999 UTC, as milliseconds are not, or NaN.
    """
    if isinstance(value, str):
        if value in {"infinity", "-infinity"}:  # as PostgreSQL writes them
            return float(value)
        time = datetime.fromisoformat(value)
        value = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, int | float) and not isinf(value):
        _ = _EPOCH + timedelta(seconds=value)  # refuses it
    return value


def time_or_none(text: str | None) -> float | None:
    """Return a time of the inventory in seconds since the epoch; None where it is empty or no time."""
    try:
        return None if text is None else float(_seconds(text))
    except (ValueError, OverflowError):
        return None


def _json(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) else value


_PARSERS = {
    "id": _identity,
    "parent_id": _identity,
    "enabled": _enabled,
    "maintenance_until": _seconds,
    "last_seen_at": _seconds,
    "status_attempt_at": _seconds,
    "metrics_attempt_at": _seconds,
    "settings": _json,
    "memory": _json,
}
