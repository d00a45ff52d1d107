"""Read a device's neighbours and the hosts that it has spoken with: LLDP-MIB, CISCO-CDP-MIB, IP-MIB."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from netvitals.collectors.snmp.tables import Tables, Value, text_of
from netvitals.domain.discovery.found import Neighbour

_LLDP = "1.0.8802.1.1.2.1."
LLDP_LOCAL_CHASSIS_SUBTYPE, LLDP_LOCAL_CHASSIS = _LLDP + "3.1.0", _LLDP + "3.2.0"
_LLDP_CHASSIS_SUBTYPE, _LLDP_CHASSIS, _LLDP_NAME = (_LLDP + f"4.1.1.{column}" for column in (4, 5, 9))
_LLDP_ADDRESS = _LLDP + "4.2.1.3"
_CDP_ADDRESS, _CDP_NAME = (f"1.3.6.1.4.1.9.9.23.1.2.1.1.{column}" for column in (4, 6))
_ARP = "1.3.6.1.2.1.4.22.1.2"
_ARP_AND_ND = "1.3.6.1.2.1.4.35.1.4"
OWN_IPV4 = "1.3.6.1.2.1.4.20.1.2"
"""Column ipAdEntIfIndex, whose index is the address."""
NEIGHBOUR_COLUMNS = (
    _LLDP_CHASSIS_SUBTYPE, _LLDP_CHASSIS, _LLDP_NAME, _LLDP_ADDRESS, _CDP_ADDRESS, _CDP_NAME,
)  # fmt: skip
ARP_COLUMNS = (_ARP, _ARP_AND_ND)
_MAC_SUBTYPE = 4
"""Number of LldpChassisIdSubtype macAddress(4)."""
_LLDP_KEYS = 3
"""Numbers that lead the index of the management addresses: lldpRemTimeMark, lldpRemLocalPortNum,
lldpRemIndex."""
_IPV4, _IPV6 = 4, 16
"""Octets of an address."""
_MAC_OCTETS = 6


def mac_of(value: Value) -> str:
    """Return a MAC address as 00:1b:54:aa:bb:cc; empty where the value is none."""
    return value.hex(":") if isinstance(value, bytes) and len(value) == _MAC_OCTETS and any(value) else ""


def chassis_mac(subtype: Value, chassis: Value) -> str:
    """Return the MAC address in an LLDP chassis id."""
    return mac_of(chassis) if subtype == _MAC_SUBTYPE else ""


def neighbours_in(tables: Tables) -> list[Neighbour]:
    """Return the neighbours that LLDP and CDP tell of."""
    return [*_lldp(tables), *_cdp(tables)]


def _lldp(tables: Tables) -> Iterator[Neighbour]:
    addresses: dict[str, list[str]] = {}
    for index in tables.column(_LLDP_ADDRESS):
        numbers = index.split(".")
        key, rest = ".".join(numbers[:_LLDP_KEYS]), numbers[_LLDP_KEYS + 1 :]
        address = _address(rest[1:]) or _address(rest)  # some agents leave the length out
        if address:
            addresses.setdefault(key, []).append(address)
    subtypes, chassis = tables.column(_LLDP_CHASSIS_SUBTYPE), tables.column(_LLDP_CHASSIS)
    for key in dict.fromkeys((*chassis, *tables.column(_LLDP_NAME), *addresses)):
        mac = chassis_mac(subtypes.get(key), chassis.get(key))
        yield Neighbour(
            protocol="lldp",
            name=tables.text(_LLDP_NAME, key),
            macs=(mac,) if mac else (),
            addresses=tuple(addresses.get(key, ())),
        )


def _cdp(tables: Tables) -> Iterator[Neighbour]:
    names, addresses = tables.column(_CDP_NAME), tables.column(_CDP_ADDRESS)
    for key in dict.fromkeys((*names, *addresses)):
        address = _packed(addresses.get(key))
        yield Neighbour(
            protocol="cdp",
            name=text_of(names.get(key)).partition("(")[0],  # `name(serial number)` on some platforms
            addresses=(address,) if address else (),
        )


def arp_in(tables: Tables) -> list[str]:
    """Return the addresses that the device has resolved."""
    found = [".".join(index.split(".")[1:]) for index in tables.column(_ARP)]
    found += [_address(index.split(".")[3:]) for index in tables.column(_ARP_AND_ND)]
    return list(dict.fromkeys(str(ip) for ip in map(_parsed, found) if ip))


def own_addresses(tables: Tables) -> list[str]:
    """Return the device's own IPv4 addresses that others can reach."""
    own = map(_parsed, tables.column(OWN_IPV4))
    return [str(ip) for ip in own if ip and not (ip.is_loopback or ip.is_link_local or ip.is_unspecified)]


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _address(numbers: list[str]) -> str:
    """Return the address whose octets these numbers are."""
    try:
        return _packed(bytes(map(int, numbers)))
    except ValueError:
        return ""


def _packed(value: Value) -> str:
    if not isinstance(value, bytes) or len(value) not in (_IPV4, _IPV6):
        return ""
    return str(ip_address(value))


def interface_macs(column: Mapping[str, Value]) -> Iterator[str]:
    """Return the MAC addresses in ifPhysAddress, each once."""
    return iter(dict.fromkeys(filter(None, map(mac_of, column.values()))))
