"""Define the findings of discovery about one address that answers."""

import msgspec


class Neighbour(msgspec.Struct, frozen=True):
    """A neighbour of a device, as LLDP or CDP on that describes it: unauthenticated text."""

    protocol: str
    """`lldp` or `cdp`."""
    name: str = ""
    macs: tuple[str, ...] = ()
    """The chassis id, where that is a MAC address."""
    addresses: tuple[str, ...] = ()
    """Management addresses."""


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address that answered, and what the device behind it says of itself."""

    address: str
    credential: str
    protocol: str = "snmp"
    port: int | None = None
    """Port that answered; None for the protocol's default."""
    name: str = ""
    """sysName, or the host name that a login shows; of a device that says none, what DNS calls it."""
    description: str = ""
    location: str = ""
    sysobjectid: str = ""
    profile: str = ""
    engine_id: str = ""
    """snmpEngineID, in hexadecimal digits."""
    serials: tuple[str, ...] = ()
    """Serial numbers of the chassis in ENTITY-MIB."""
    macs: tuple[str, ...] = ()
    """The bridge's and the chassis' address first, then those of interfaces; as 00:1b:54:aa:bb:cc."""
    addresses: tuple[str, ...] = ()
    """Addresses of the device itself, as its table of addresses has them."""
    neighbours: tuple[Neighbour, ...] = ()
    arp: tuple[str, ...] = ()
    """Addresses of hosts that the device has spoken with."""


class RefusedAddress(msgspec.Struct, frozen=True):
    """An address where something answers that no credential fits."""

    address: str
    cause: str
