"""Find SNMP agents for `usecases.discover`: communities and SNMPv3 users, in an order that locks none out.

A wrong community meets silence, and SNMPv3's discovery names no user. Only then are users tried, and a device
that refuses one's key is asked with no other key of that user: some agents lock a user, or shut out a host,
after a few wrong digests.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from netvitals.collectors.snmp.discovery.identify import Identifier
from netvitals.collectors.snmp.discovery.sweep import CommunityProbe, EngineProbe, ProbeMessage, Sweep
from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.snmp.wire.faults import AuthFault, SnmpFault
from netvitals.domain.discovery.found import Found, RefusedAddress
from netvitals.domain.errors import NetvitalsError

ANY_USER = "SNMPv3"
"""Name of the way that stands for all SNMPv3 users: discovery of the engine."""
_UNKNOWN_USER = "usmStatsUnknownUserNames"
MAX_WRONG_KEYS = 2
"""Users whose key a device refuses before it is left alone."""


class SnmpAgents:
    """Implements `usecases.discover.Agents`."""

    def __init__(
        self, credentials: Mapping[str, SnmpCredential], identifier: Identifier, sweep: Sweep
    ) -> None:
        """Take the credentials by name, in the order to try them."""
        self._identifier = identifier
        self._sweep = sweep
        self._users = {name: each for name, each in credentials.items() if each.version == "3"}
        self._communities: dict[str, SnmpCredential] = {}
        self._probes: dict[str, ProbeMessage] = {}
        seen = set()
        for name, credential in credentials.items():
            if credential.version == "3":
                self._probes.setdefault(ANY_USER, EngineProbe())
            elif (credential.version, credential.community) not in seen:
                seen.add((credential.version, credential.community))
                self._communities[name] = credential
                self._probes[name] = CommunityProbe(credential)

    @property
    def ways(self) -> Sequence[str]:
        """Return the names of communities' credentials, and `ANY_USER` where there are users."""
        return [*self._probes]

    @property
    def last_ways(self) -> Sequence[str]:
        """Return nothing: SNMP is asked first."""
        return ()

    async def sweep(self, way: str, addresses: Iterable[str], answered: Callable[[str], None]) -> None:
        """Send one datagram to each address; see `usecases.discover.Agents`."""
        await self._sweep.run(addresses, self._probes[way], answered)

    async def identify(self, address: str, way: str) -> Found | RefusedAddress:
        """Read the device, as the first user that it knows where it speaks SNMPv3."""
        if way != ANY_USER:
            return await self._identify(address, way, self._communities[way])
        return await self._as_some_user(address)

    async def _as_some_user(self, address: str) -> Found | RefusedAddress:
        causes: list[str] = []
        refused: set[str | None] = set()
        for name, credential in self._users.items():
            if credential.user in refused or len(refused) >= MAX_WRONG_KEYS:
                causes.append(f"{name}: not tried, so that the device locks nobody out")
                continue
            try:
                return await self._identifier.found(address, name, credential)
            except AuthFault as fault:
                causes.append(f"{name}: {_without_address(fault, address)}")
                if _UNKNOWN_USER not in str(fault):
                    refused.add(credential.user)
            except NetvitalsError as error:
                causes.append(f"{name}: {_without_address(error, address)}")
                break
        return RefusedAddress(address, f"speaks SNMPv3, but {'; '.join(causes)}")

    async def _identify(self, address: str, name: str, credential: SnmpCredential) -> Found | RefusedAddress:
        try:
            return await self._identifier.found(address, name, credential)
        except SnmpFault as fault:
            return RefusedAddress(address, f"answers to {name}, but {_without_address(fault, address)}")


def _without_address(error: NetvitalsError, address: str) -> str:
    return str(error).removeprefix(f"{address}: ")
