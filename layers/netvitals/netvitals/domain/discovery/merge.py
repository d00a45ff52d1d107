"""Recognise devices that answer on several addresses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import msgspec

from netvitals.domain.discovery.found import Found
from netvitals.domain.discovery.identity import Identifiers, agreements, identity_of

MIN_AGREEMENTS = 2
"""Kinds of identity that must agree before two addresses are one device."""
MAX_ALIKE = 64
"""Addresses that are compared for sharing one identifier: comparing all pairs would take for ever."""


class Discovered(msgspec.Struct, kw_only=True):
    """One device, with all the addresses that it answered on."""

    found: Found
    """The device's answers on its first address."""
    addresses: list[str]
    """Addresses that it answered on; the first is to be polled."""
    merged_by: list[str] = []
    """The identities that agree, where there are several addresses."""
    note: str = ""
    """Text for a person about the proposal."""
    site: str = ""
    parent: "Discovered | None" = None


def merge(found: Iterable[Found], known: Iterable[str] = ()) -> list[Discovered]:
    """Return the devices behind the addresses, by address.

    The address to poll is one that the inventory knows (`known`), or else the lowest.
    """
    preferred = frozenset(known)
    clusters: list[tuple[Identifiers, Discovered]] = []
    buckets: defaultdict[str, list[int]] = defaultdict(list)
    for each in sorted(found, key=lambda each: (each.address not in preferred, _order(each.address))):
        identity = identity_of(each)
        values = list(_values(identity))
        same = next(_same(identity, values, buckets, clusters), None)
        if same is not None:
            device, agreed = same
            device.addresses.append(each.address)
            device.merged_by = agreed
            continue
        for value in values:
            buckets[value].append(len(clusters))
        clusters.append((identity, Discovered(found=each, addresses=[each.address])))
    return sorted((device for _, device in clusters), key=lambda device: _order(device.addresses[0]))


def _same(
    identity: Identifiers,
    values: Iterable[str],
    buckets: dict[str, list[int]],
    clusters: list[tuple[Identifiers, Discovered]],
) -> Iterator[tuple[Discovered, list[str]]]:
    alike = {number for value in values for number in buckets[value][:MAX_ALIKE]}
    for number in sorted(alike):
        other, device = clusters[number]
        agreed = agreements(identity, other)
        if len(agreed) >= MIN_AGREEMENTS:
            yield device, agreed


def _values(identity: Identifiers) -> Iterator[str]:
    for kind, values in identity.kinds().items():
        yield from (f"{kind} {value}" for value in values)
    yield from (f"address {address}" for address in {identity.address, *identity.table})


def _order(address: str) -> tuple[int, int]:
    ip = ip_address(address)
    return ip.version, int(ip)
