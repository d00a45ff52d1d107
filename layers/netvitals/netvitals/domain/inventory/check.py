"""Check an inventory that can be read: each row by itself, and the rows together."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

import msgspec

from netvitals.domain.errors import AddressDenied, ConfigurationError
from netvitals.domain.inventory.circles import circles
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import Guard, is_name
from netvitals.domain.inventory.row import BadRow, bad_row
from netvitals.domain.settings.configuration import Configuration

Placed = tuple[str, Device]
"""A place, such as `line 12`, and the device that was read there."""

GROUP_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Pattern of a collector group's name, as in the template."""
_MAC_ADDRESS = re.compile(r"(?:[0-9a-f]{2}[:.-]?){5}(?:[0-9a-f]{2}[:.-]?){0,2}[0-9a-f]{2}", re.IGNORECASE)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that rows are checked against."""

    configuration: Configuration
    guard: Guard
    credential_names: Collection[str] | None = None
    """Known credentials; None where there is no credential map."""
    others: Mapping[str, Device] = {}
    """Devices that are in the inventory already: they can be parents. Rows of the same id replace them."""


def check_inventory(rows: Sequence[Placed], rules: Rules) -> list[BadRow]:
    """Return all faults: row by row, and then those of rows together."""
    faults = [fault for where, device in rows for fault in _row_faults(where, device, rules)]
    return faults + list(_repeated(rows)) + list(_family_faults(rows, rules.others))


def _row_faults(where: str, device: Device, rules: Rules) -> Iterator[BadRow]:
    yield from _address_faults(where, device, rules.guard)
    if device.mac_address and not _MAC_ADDRESS.fullmatch(device.mac_address):
        yield bad_row(where, "mac_address", device.mac_address, "must be as 00:1b:54:aa:bb:cc, or nothing")
    if device.collector and not re.match(GROUP_PATTERN, device.collector):
        cause = "must be a name of at most 64 letters, digits, dots, dashes and underscores, or nothing"
        yield bad_row(where, "collector", device.collector, cause)
    if device.device_type not in rules.configuration.known_types:
        known = ", ".join(rules.configuration.known_types)
        yield bad_row(where, "device_type", device.device_type, f"is not known; known: {known}")
    else:
        try:
            rules.configuration.policy(device.device_type, device.settings)
        except ConfigurationError as error:
            yield BadRow(where, "settings", "", str(error))
    names = rules.credential_names
    if names is not None and device.credential and device.credential not in names:
        yield bad_row(
            where, "credential", device.credential, _unknown(device.credential, names, "the credential map")
        )


def _address_faults(where: str, device: Device, guard: Guard) -> Iterator[BadRow]:
    if device.ip_address:
        try:
            guard.check(device.ip_address)
        except AddressDenied as error:
            yield BadRow(where, "ip_address", "", str(error))
    elif not device.hostname:
        yield BadRow(where, "ip_address", "", "is missing, and so is hostname: one of them is needed")
    elif not is_name(device.hostname):
        yield bad_row(where, "hostname", device.hostname, "must be a host name where there is no ip_address")


def _repeated(rows: Iterable[Placed]) -> Iterator[BadRow]:
    first: dict[str, str] = {}
    for where, device in rows:
        if first.setdefault(device.id, where) is not where:
            yield bad_row(where, "id", device.id, f"is there twice, first at {first[device.id]}")


def _family_faults(rows: Sequence[Placed], others: Mapping[str, Device]) -> Iterator[BadRow]:
    """Yield parents that are missing, and circles of parents."""
    parents = {device.id: device.parent_id for device in others.values()}
    parents |= {device.id: device.parent_id for _, device in rows}
    for where, device in rows:
        if device.parent_id and device.parent_id not in parents:
            cause = _unknown(device.parent_id, parents, "the inventory")
            yield bad_row(where, "parent_id", device.parent_id, cause)
    places = {device.id: where for where, device in rows}
    for circle in circles(parents):
        member = next((each for each in circle if each in places), None)
        if member is not None:
            way = " → ".join([*circle[:5], *["…"][: len(circle) > 5], circle[0]])  # noqa: PLR2004, enough to find it
            yield bad_row(places[member], "parent_id", parents[member], f"must not go in a circle: {way}")


def _unknown(name: str, known: Collection[str], place: str) -> str:
    near = get_close_matches(name, known, n=1) if len(known) <= 10_000 else []  # noqa: PLR2004, slow beyond
    return f"is not in {place}" + (f"; did you mean {near[0]!r}?" if near else "")
