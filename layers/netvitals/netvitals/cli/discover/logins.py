"""Find SSH and WinRM hosts for `netvitals discover`: open ports, then logins that lock no account.

Accounts are shared by many hosts, and a directory locks one after a few wrong passwords, wherever they
were given. So a credential is tried at one host at a time until one has taken it, and no more once two have
refused it before; no host is asked with a second credential of the same user.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from netvitals.collectors.reach.tcp_probe import probe_tcp
from netvitals.collectors.snmp.discovery.rate_limit import RateLimit
from netvitals.domain.discovery.found import Found, RefusedAddress
from netvitals.domain.discovery.proposals import HOSTS
from netvitals.domain.inventory.device import Device
from netvitals.domain.polling.job import Job, job_of
from netvitals.domain.polling.observation import PollResult, Reason
from netvitals.domain.protocols import PROTOCOLS
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.credential import Credential
from netvitals.usecases.discover import Agents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_REFUSALS = 2
"""Refusals after which a credential that no host has accepted yet is tried no more."""
MAX_USERS = 2
"""Refused users after which no further login is tried at a host."""
_SOCKETS = 256
_LIFE_SECONDS = 600


class _Login(msgspec.Struct):
    """Tracks the attempts with one credential."""

    proven: bool = False
    refusals: int = 0
    alone: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)

    @property
    def given_up(self) -> bool:
        return not self.proven and self.refusals >= MAX_REFUSALS

    @asynccontextmanager
    async def turn(self) -> "AsyncIterator[None]":
        """Wait until no other host is tried with it; no wait once a host has accepted it."""
        if self.proven:
            yield
            return
        async with self.alone:
            yield


class LoginAgents:
    """Implements `usecases.discover.Agents` for the protocols that log in; a way is a protocol's name."""

    def __init__(
        self,
        protocols: Sequence[str],
        credentials: Mapping[str, Credential],
        settled: Configuration,
        poll: Callable[[Job], Awaitable[PollResult]],
        rate_limit: RateLimit,
        *,
        listen_seconds: float,
    ) -> None:
        """Take the credentials by name, in the order to try them, and `poll`, which runs a status poll."""
        self.ways = protocols
        self._settled = settled
        self._poll = poll
        self._rate_limit = rate_limit
        self._listen_seconds = listen_seconds
        self._parts = {
            way: {name: part for name, each in credentials.items() if (part := PROTOCOLS[way].part_of(each))}
            for way in protocols
        }
        self._logins = {(way, name): _Login() for way, parts in self._parts.items() for name in parts}

    def has_credentials(self, way: str) -> bool:
        return bool(self._parts[way])

    async def sweep(self, way: str, addresses: Iterable[str], answered: Callable[[str], None]) -> None:
        """Connect to the protocol's port at each address; no login is tried yet."""
        policy = self._settled.policy(HOSTS[way], {})
        port = PROTOCOLS[way].port(PROTOCOLS[way].settings_of(policy))
        sockets = asyncio.Semaphore(_SOCKETS)

        async def one(address: str) -> None:
            if (await probe_tcp(address, port, self._listen_seconds, sockets)).accepted:
                answered(address)

        async with asyncio.TaskGroup() as tasks:
            for address in addresses:
                await self._rate_limit.turn()
                tasks.create_task(one(address))

    async def identify(self, address: str, way: str) -> Found | RefusedAddress:
        """Log in with the first credential that the host takes."""
        causes: list[str] = []
        refused: set[object] = set()
        for name, part in self._parts[way].items():
            login, user = self._logins[way, name], getattr(part, "user", name)
            async with login.turn():
                if login.given_up or user in refused or len(refused) >= MAX_USERS:
                    causes.append(f"{name}: not tried, so that no account is locked")
                    continue
                result = await self._poll(self._job(address, way, name))
                login.refusals += result.reason is Reason.AUTH
                login.proven = login.proven or result.reason is Reason.OK
            if result.reason is Reason.OK:
                return Found(address=address, credential=name, protocol=way)
            causes.append(f"{name}: {result.detail or result.reason}")
            if result.reason is not Reason.AUTH:
                break
            refused.add(user)
        return RefusedAddress(address, f"listens for {way}, but {'; '.join(causes)}")

    def _job(self, address: str, way: str, name: str) -> Job:
        device = Device(id=address, ip_address=address, device_type=HOSTS[way], credential=name)
        policy = self._settled.policy(HOSTS[way], {"protocols": [way], "ping": {"enabled": False}})
        now = int(time.time())
        return job_of(device, "status", policy.poll_settings(), due_at=now, expires_at=now + _LIFE_SECONDS)


class AllAgents:
    """Implements `usecases.discover.Agents`: SNMP first, logins where SNMP got no answer."""

    def __init__(self, snmp: Agents | None, logins: LoginAgents) -> None:
        self._snmp = snmp
        self._logins = logins

    @property
    def ways(self) -> Sequence[str]:
        return self._snmp.ways if self._snmp else ()

    @property
    def last_ways(self) -> Sequence[str]:
        return self._logins.ways

    def _for(self, way: str) -> "Agents | LoginAgents":
        return self._logins if way in self._logins.ways or self._snmp is None else self._snmp

    async def sweep(self, way: str, addresses: Iterable[str], answered: Callable[[str], None]) -> None:
        """Ask the addresses; see `usecases.discover.Agents`."""
        await self._for(way).sweep(way, addresses, answered)

    async def identify(self, address: str, way: str) -> Found | RefusedAddress:
        """Return what answered; see `usecases.discover.Agents`."""
        return await self._for(way).identify(address, way)
