"""Compare what was found with the inventory: new, moved, gone, known."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from netvitals.domain.discovery.proposals import Proposal
from netvitals.domain.inventory.device import Device

Change = Literal["new", "moved", "known", "gone"]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A device that was found or is gone, beside the inventory."""

    change: Change
    device: Device
    """A row to import; of a known device, the inventory's."""
    proposal: Proposal | None = None
    """The proposed row; None where the device is gone."""
    before: str = ""
    """Address in the inventory of a device that moved."""


def compare(
    proposals: Sequence[Proposal], inventory: Iterable[Device], asked: Collection[str]
) -> list[Compared]:
    """Return what changed; `asked` are the addresses that a device would have answered at.

    A device has moved where its MAC address, or its name and no other's, answers at another address while
    its own stays silent. Its row keeps all but the address.
    """
    devices = {device.id: device for device in inventory}
    by_address = {device.ip_address: device for device in devices.values() if device.ip_address}
    found_at = {address for proposal in proposals for address in proposal.found.addresses}
    absent = [device for device in devices.values() if device.ip_address not in found_at]
    by_mac = _unique((device.mac_address.lower(), device) for device in absent)
    by_name = _unique((name, device) for device in absent for name in _names(device))
    compared, seen = [], set()
    for proposal in proposals:
        known = next((by_address[each] for each in proposal.found.addresses if each in by_address), None)
        moved = None if known else _moved(proposal, by_mac, by_name)
        if known is not None:
            seen.add(known.id)
            compared.append(Compared(change="known", device=known, proposal=proposal))
        elif moved is not None and moved.id not in seen:
            seen.add(moved.id)
            row = msgspec.structs.replace(moved, ip_address=proposal.device.ip_address)
            compared.append(Compared(change="moved", device=row, proposal=proposal, before=moved.address))
        else:
            compared.append(Compared(change="new", device=proposal.device, proposal=proposal))
    gone = [each for each in absent if each.enabled and each.ip_address in asked and each.id not in seen]
    return compared + [Compared(change="gone", device=device) for device in gone]


def _moved(proposal: Proposal, by_mac: Mapping[str, Device], by_name: Mapping[str, Device]) -> Device | None:
    macs = [by_mac[mac] for mac in proposal.found.found.macs if mac in by_mac]
    return macs[0] if macs else by_name.get(proposal.device.hostname.lower())


def _names(device: Device) -> set[str]:
    return {device.hostname.lower(), device.id.lower()}


def _unique(pairs: Iterable[tuple[str, Device]]) -> dict[str, Device]:
    """Return the devices by a key that no two have."""
    found: dict[str, Device] = {}
    twice = set()
    for key, device in pairs:
        if found.setdefault(key, device) is not device:
            twice.add(key)
    return {key: device for key, device in found.items() if key and key not in twice}
