"""Many devices at once over the real socket, each with a user of the same name and keys of its own."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from local.devices.snmp_host import AgentHost
from local.devices.snmp_v3_agent import V3Agent
from netvitals.collectors.snmp.protocol import SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.wire.engines import EngineCache
from netvitals.collectors.snmp.wire.faults import AuthFault
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.transport import close_endpoints
from netvitals.collectors.snmp.wire.v3 import UserSecurity
from netvitals.domain.settings.secret import Secret

DEVICES = 100
NAME = "1.3.6.1.2.1.1.5.0"
LEVELS: list[dict[str, Any]] = [
    {"auth": "SHA256", "priv": "AES128"},
    {"auth": "SHA1", "priv": "AES256C"},
    {"auth": "MD5", "priv": "DES"},
    {"auth": "SHA512"},
]


def credential(number: int, level: dict[str, Any]) -> SnmpCredential:
    keys: dict[str, Any] = {f"{name}_key": Secret(f"{name}-of-device-{number}") for name in level}
    return SnmpCredential(version="3", user="same", **level, **keys)


def address(number: int) -> str:
    return f"127.31.0.{number + 1}"


USERS = [credential(number, LEVELS[number % 4]) for number in range(DEVICES)]
NEIGHBOURS = [credential(number + 1, LEVELS[number % 4]) for number in range(DEVICES)]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """100 devices, all of which have the same engine id, as cloned appliances do."""
    agents = {address(n): V3Agent({NAME: f"device {n}".encode()}, user) for n, user in enumerate(USERS)}
    async with AgentHost(agents) as host:
        yield host.port
    close_endpoints()


async def ask(number: int, user: SnmpCredential, port: int, cache: EngineCache) -> str:
    security = UserSecurity(user, address(number), port, cache=cache)
    settings = SnmpSettings(port=port, timeout_seconds=4.0)
    session = SnmpSession(address(number), security, settings, time.monotonic() + 60)
    try:
        name = (await session.get([NAME])).tables.value(NAME)
    except AuthFault as fault:
        return "wrong digest" if "wrong digest" in str(fault) else str(fault)
    assert isinstance(name, bytes)
    return name.decode()


async def test_each_of_100_devices_takes_its_own_credential_and_refuses_its_neighbours(port: int) -> None:
    cache = EngineCache()
    own = [f"device {number}" for number in range(DEVICES)]
    for _ in range(2):  # the second time with what the first has cached
        polls = [ask(n, user, port, cache) for users in (USERS, NEIGHBOURS) for n, user in enumerate(users)]
        assert await asyncio.gather(*polls) == own + ["wrong digest"] * DEVICES
