"""Decide whether two addresses belong to one device: by engine id, serial number, MAC and own IP addresses.

One of these alone proves nothing: cloned machines and restored configurations share engine ids, cheap agents
have a constant one, members of a stack share a serial number, first-hop redundancy shares a MAC address.
"""

import re
from collections.abc import Iterable

import msgspec

from netvitals.domain.discovery.found import Found

_NO_SERIAL = re.compile(
    r"(?i)(.)\1*|n/?a|none|null|unknown|unspecified|not ?(available|specified|set|present)|default\b.*"
    r"|.*filled by.*|serial( ?(no|number|num))?\.?|<.*>|0?123456789.*|system serial.*|empty"
)
_MIN_SERIAL_CHARACTERS = 4
_MIN_ENGINE_DIGITS = 10
"""Least hexadecimal digits of an snmpEngineID, which has 5 to 32 octets (RFC 3411)."""
_ENGINE_HEAD_DIGITS = 8
"""Hexadecimal digits of an engine id's enterprise number, which all devices of a vendor share."""
_SHARED_MACS = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:05:73:a0:0")
"""Prefixes of MAC addresses of VRRP (RFC 9568) and HSRP."""


class Identifiers(msgspec.Struct, frozen=True):
    """Identifiers of a device: each kind empty where it has none that could tell it from others."""

    engine: frozenset[str]
    serial: frozenset[str]
    mac: frozenset[str]
    name: str
    address: str
    """The address that it answered on."""
    table: frozenset[str]
    """Addresses of the device itself, as its table of addresses lists them."""

    def kinds(self) -> dict[str, frozenset[str]]:
        return {"engine id": self.engine, "serial": self.serial, "MAC address": self.mac}


def identity_of(found: Found) -> Identifiers:
    """Return what the device is known by, without what many devices share."""
    return Identifiers(
        frozenset(filter(_is_engine, (found.engine_id,))),
        frozenset(serial for serial in found.serials if _is_serial(serial)),
        frozenset(own_macs(found.macs)),
        found.name.strip().lower(),
        found.address,
        frozenset(found.addresses),
    )


def agreements(one: Identifiers, other: Identifiers) -> list[str]:
    """Return the kinds of identity that two addresses have in common; none where any contradicts.

    Names agree on nothing, but differing names contradict: a cloned machine has its original's engine id,
    and its own name.
    """
    if one.name != other.name:
        return []
    agreed = []
    for kind, mine in one.kinds().items():
        theirs = other.kinds()[kind]
        if not mine or not theirs:
            continue
        if not _is_same(mine, theirs):
            return []
        agreed.append(kind)
    if one.address in other.table and other.address in one.table:
        agreed.append("table of addresses")
    return agreed


def _is_same(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Return whether at least half of the smaller set is in the other: interfaces come and go."""
    return 2 * len(mine & theirs) >= min(len(mine), len(theirs))


def own_macs(macs: Iterable[str]) -> Iterable[str]:
    """Return the MAC addresses that only one device has: none made up locally, of a group, or shared."""
    return (mac for mac in macs if not int(mac[:2], 16) & 3 and mac.strip("0:") and not _is_shared(mac))


def _is_shared(mac: str) -> bool:
    return mac.startswith(_SHARED_MACS)


def _is_serial(text: str) -> bool:
    return len(text) >= _MIN_SERIAL_CHARACTERS and not _NO_SERIAL.fullmatch(text)


def _is_engine(digits: str) -> bool:
    rest = digits[_ENGINE_HEAD_DIGITS:]
    return len(digits) >= _MIN_ENGINE_DIGITS and len(set(rest)) > 2  # noqa: PLR2004, 0000…, 0101…
