"""Ask one agent what it is: name, profile, engine id, serial number, MAC addresses, neighbours."""

import time

import msgspec

from netvitals.collectors.snmp.collector import SYS_DESCR, SYS_OBJECT_ID, identity_of
from netvitals.collectors.snmp.discovery.neighbours import (
    ARP_COLUMNS,
    LLDP_LOCAL_CHASSIS,
    LLDP_LOCAL_CHASSIS_SUBTYPE,
    NEIGHBOUR_COLUMNS,
    OWN_IPV4,
    arp_in,
    chassis_mac,
    interface_macs,
    mac_of,
    neighbours_in,
    own_addresses,
)
from netvitals.collectors.snmp.discovery.rate_limit import RateLimit, RateLimitedBudget
from netvitals.collectors.snmp.profiles.index import ProfileBook, choose, probes_of
from netvitals.collectors.snmp.protocol import SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.tables import Tables, text_of
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.sessions import open_session
from netvitals.domain.discovery.found import Found
from netvitals.domain.polling.job import Job
from netvitals.domain.ports import Target

SYS_NAME, SYS_LOCATION = "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.6.0"
ENGINE_ID = "1.3.6.1.6.3.10.2.1.1.0"
BRIDGE_ADDRESS = "1.3.6.1.2.1.17.1.1.0"
ENTITY_CLASS, ENTITY_SERIAL = "1.3.6.1.2.1.47.1.1.1.1.5", "1.3.6.1.2.1.47.1.1.1.1.11"
IF_PHYS_ADDRESS = "1.3.6.1.2.1.2.2.1.6"
_CHASSIS = 3
"""Number of PhysicalClass chassis(3)."""
_SCALARS = (
    SYS_DESCR, SYS_OBJECT_ID, SYS_NAME, SYS_LOCATION, ENGINE_ID, BRIDGE_ADDRESS,
    LLDP_LOCAL_CHASSIS_SUBTYPE, LLDP_LOCAL_CHASSIS,
)  # fmt: skip
_COLUMNS = (ENTITY_CLASS, ENTITY_SERIAL, IF_PHYS_ADDRESS, OWN_IPV4, *NEIGHBOUR_COLUMNS)
_SECONDS = 60.0
_WALK_SECONDS = 20.0
_MAX_VALUES = 20_000
_MAX_MACS = 256
_MAX_ADDRESSES = 4096


class Identifier:
    """Reads devices that answered a sweep."""

    def __init__(
        self, book: ProfileBook, settings: SnmpSettings, rate_limit: RateLimit, *, arp: bool = False
    ) -> None:
        self._book = book
        self._settings = settings
        self._rate_limit = rate_limit
        self._columns = (*_COLUMNS, *ARP_COLUMNS) if arp else _COLUMNS

    async def found(self, address: str, name: str, credential: SnmpCredential) -> Found:
        """Return what the agent says of itself under the credential of this name.

        Raises:
            SnmpFault: it does not answer, or refuses.
            CredentialMissing: the credential is for another version than the settings.
        """
        session = self._session(address, credential)
        await self._rate_limit.turn()
        system = (await session.get(_SCALARS)).tables
        identity = identity_of(system)
        candidates = self._book.candidates(identity)
        probed = await session.read(probes_of(candidates), ())
        read = (await session.walk(self._columns, _WALK_SECONDS)).tables
        return Found(
            address=address,
            credential=name,
            port=self._settings.port if self._settings.port != SnmpSettings().port else None,
            name=text_of(system.value(SYS_NAME)),
            description=identity.sysdescr,
            location=text_of(system.value(SYS_LOCATION)),
            sysobjectid=identity.sysobjectid,
            profile=choose(candidates, probed.tables),
            engine_id=_octets(system, ENGINE_ID).hex(),
            serials=_serials(read),
            macs=tuple(_macs(system, read))[:_MAX_MACS],
            addresses=tuple(own_addresses(read))[:_MAX_ADDRESSES],
            neighbours=tuple(neighbours_in(read))[:_MAX_ADDRESSES],
            arp=tuple(arp_in(read))[:_MAX_ADDRESSES],
        )

    def _session(self, address: str, credential: SnmpCredential) -> SnmpSession:
        target = Target(
            job=Job(kind="metrics", device_id=address, address=address, due_at=0, expires_at=0),
            settings=self._settings,
            address=address,
            credential=credential,
            deadline=time.monotonic() + _SECONDS,
        )
        return open_session(
            target, budget=RateLimitedBudget(self._rate_limit, max_values=_MAX_VALUES)
        ).session


def settings_for(policy: SnmpSettings, port: int | None) -> SnmpSettings:
    """Return the settings of a discovery: those of the device type, at another port where one is given."""
    return msgspec.structs.replace(policy, port=port) if port else policy


def _octets(tables: Tables, oid: str) -> bytes:
    value = tables.value(oid)
    return value if isinstance(value, bytes) else b""


def _serials(tables: Tables) -> tuple[str, ...]:
    classes = tables.column(ENTITY_CLASS)
    serials = {index: tables.text(ENTITY_SERIAL, index) for index in tables.column(ENTITY_SERIAL)}
    return tuple(
        dict.fromkeys(text for index, text in serials.items() if text and classes.get(index) == _CHASSIS)
    )


def _macs(system: Tables, read: Tables) -> dict[str, None]:
    """Return the device's MAC addresses in order: the bridge's, the LLDP chassis', the interfaces'."""
    chassis = chassis_mac(system.value(LLDP_LOCAL_CHASSIS_SUBTYPE), system.value(LLDP_LOCAL_CHASSIS))
    first = (mac_of(system.value(BRIDGE_ADDRESS)), chassis)
    return dict.fromkeys(filter(None, (*first, *interface_macs(read.column(IF_PHYS_ADDRESS)))))
