"""Propose rows of the inventory for the devices that were found."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from netvitals.domain.discovery.identity import own_macs
from netvitals.domain.discovery.merge import Discovered
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import is_name
from netvitals.domain.text import printable

SNMP = "snmp"
HOSTS = {"ssh": "linux", "winrm": "windows"}
"""The device types of hosts, which are their profiles' names as well, by the protocol that they speak."""
MAX_SITE_CHARACTERS = 64
_NO_LOCATION = re.compile(r"(?i)unknown.*|none|n/?a|-*|sitting on the dock of the bay|(sys)?location|<.*>")
"""Defaults of sysLocation, which say nothing about a site."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed row for the inventory, and the device that was found."""

    device: Device
    found: Discovered


def proposals(
    devices: Sequence[Discovered],
    *,
    device_type: str | None = None,
    site: str | None = None,
    sites: Mapping[str, str] | None = None,
    known: Mapping[str, Device] | None = None,
) -> list[Proposal]:
    """Return a row for each device.

    `device_type` is for all that answer over SNMP; unless given, plain Linux and Windows hosts have theirs.
    `known` are devices of the inventory by address: theirs keep their id. `site` is one for all; without it a
    device gets that of its subnet in the inventory (`sites`, by /24 or /64), or what its sysLocation says.
    """
    known = known or {}
    ids = _ids(devices, known)
    return [
        Proposal(device=_row(each, ids, _type_of(each, device_type), site, sites or {}), found=each)
        for each in devices
    ]


def _row(
    device: Discovered, ids: Mapping[int, str], type_: str, site: str | None, sites: Mapping[str, str]
) -> Device:
    found = device.found
    return Device(
        id=ids[id(device)],
        hostname=printable(found.name, 256),
        ip_address=device.addresses[0],
        mac_address=next(iter(own_macs(found.macs)), ""),
        device_type=type_,
        credential=found.credential,
        site=site if site is not None else _site(device, sites),
        parent_id=ids[id(device.parent)] if device.parent else None,
        settings=_settings(device, type_),
    )


def subnet_of(address: str) -> str:
    """Return the /24, or for IPv6 the /64, that an address lies in."""
    ip = ip_address(address)
    return str(ip_network((ip, 24 if ip.version == 4 else 64), strict=False))  # noqa: PLR2004, IPv4


def sites_of(devices: Iterable[Device]) -> dict[str, str]:
    """Return, by subnet, the site that most of its devices in the inventory have."""
    counts: dict[str, Counter[str]] = {}
    for device in devices:
        try:
            subnet = subnet_of(device.ip_address or "")
        except ValueError:
            continue
        if device.site:
            counts.setdefault(subnet, Counter())[device.site] += 1
    return {subnet: sites.most_common(1)[0][0] for subnet, sites in counts.items()}


def _ids(devices: Sequence[Discovered], known: Mapping[str, Device]) -> dict[int, str]:
    """Return ids: the inventory's, or a name that no other device has, or the address."""
    names = Counter(each.found.name.lower() for each in devices)
    taken = {device.id for device in known.values()}
    ids = {}
    for each in devices:
        before = next((known[address] for address in each.addresses if address in known), None)
        name = each.found.name
        if before is not None:
            ids[id(each)] = before.id
        elif is_name(name) and names[name.lower()] == 1 and name not in taken:
            ids[id(each)] = name
        else:
            ids[id(each)] = each.addresses[0]
    return ids


def _type_of(device: Discovered, device_type: str | None) -> str:
    if device.found.protocol != SNMP:
        return HOSTS[device.found.protocol]
    return device_type or (device.found.profile if device.found.profile in HOSTS.values() else "network")


def _site(device: Discovered, sites: Mapping[str, str]) -> str:
    near = sites.get(subnet_of(device.addresses[0]))
    if near is not None:
        return near
    location = printable(device.found.location, MAX_SITE_CHARACTERS)
    return "" if _NO_LOCATION.fullmatch(location) else location


def _settings(device: Discovered, device_type: str) -> dict[str, Any]:
    """Return what differs from the type: the port, and that a host is polled over SNMP alone."""
    found = device.found
    settings: dict[str, Any] = {found.protocol: {"port": found.port}} if found.port else {}
    if found.protocol == SNMP and device_type in HOSTS.values():
        settings["protocols"] = [SNMP]
    return settings
