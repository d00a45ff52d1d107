"""Whoever sees SNMPv3 requests and has no key can neither lie nor spoil a poll by being first."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.devices.snmp_devices import system
from local.devices.snmp_host import AgentHost
from local.devices.snmp_v3_agent import V3Agent
from netvitals.collectors.snmp.protocol import SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.wire import message
from netvitals.collectors.snmp.wire.engines import Engine, EngineCache
from netvitals.collectors.snmp.wire.faults import AuthFault
from netvitals.collectors.snmp.wire.message import V3Message
from netvitals.collectors.snmp.wire.reports import REPORTS, UNKNOWN_ENGINE
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.transport import close_endpoints
from netvitals.collectors.snmp.wire.v3 import UserSecurity
from netvitals.domain.settings.secret import Secret

ADDRESS = "127.0.6.1"
NAME = "1.3.6.1.2.1.1.5.0"
AHEAD_SECONDS = 0.02
TIMEOUT_SECONDS = 0.3
PATIENCE_SECONDS = 10
"""With a device that answers, on a busy machine."""


def user(secret: str) -> SnmpCredential:
    auth_key, priv_key = Secret(f"auth {secret}"), Secret(f"priv {secret}")
    return SnmpCredential(
        version="3", user="bert", auth="SHA1", auth_key=auth_key, priv="AES128", priv_key=priv_key
    )


USER, STRANGER = user("genuine"), user("guessed")

type Forgery = Callable[[V3Agent, V3Message], bytes]


def report(oid: str) -> Forgery:
    return lambda forger, query: forger.report(query, oid)


def another_engine(forger: V3Agent, query: V3Message) -> bytes:
    forger.engine_id, forger.boots = b"\x80invented", 2**31 - 1
    return forger.report(query, UNKNOWN_ENGINE)


def of_other_keys(forger: V3Agent, query: V3Message) -> bytes:
    return forger.secured(query, b"", b"\xa2" + query.data[1:40])


def without_authentication(forger: V3Agent, query: V3Message) -> bytes:
    return forger.secured(query, b"", b"\xa2" + query.data[1:40], flags=0)


class Wire(asyncio.DatagramProtocol):
    """The device behind somebody who answers in its name, at once and to everything."""

    def __init__(self, device: V3Agent, forge: Forgery) -> None:
        self.device, self.forger, self.forge = device, V3Agent(system("forged"), STRANGER), forge

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.transport.sendto(self.forge(self.forger, message.decode(data)), addr)
        for answer in self.device.receive(data):
            asyncio.get_running_loop().call_later(AHEAD_SECONDS, self.transport.sendto, answer, addr)


async def poll(forge: Forgery, retries: int) -> tuple[Any, Engine | None]:
    """What a GET of a known device brings, and what is known of its engine then."""
    device = V3Agent(system("genuine"), USER)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Wire(device, forge), (ADDRESS, 0)
    )
    peer, cache = transport.get_extra_info("sockname"), EngineCache()
    cache.put((USER, *peer), Engine(device.engine_id, device.boots, device.time, time.time()))
    settings = SnmpSettings(port=peer[1], timeout_seconds=PATIENCE_SECONDS, retries=retries)
    session = SnmpSession(ADDRESS, UserSecurity(USER, *peer, cache=cache), settings, time.monotonic() + 60)
    try:
        read = await session.get([NAME])
    finally:
        transport.close()
        close_endpoints()
    return read.tables.value(NAME), cache.get((USER, *peer))


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize(
    "forge",
    [*map(report, REPORTS), another_engine, of_other_keys, without_authentication],
    ids=[*REPORTS, "another engine", "of other keys", "without authentication"],
)
async def test_one_packet_ahead_of_the_device_costs_no_poll_and_is_not_believed(
    forge: Forgery, retries: int
) -> None:
    value, engine = await poll(forge, retries)
    assert value == b"genuine"
    assert engine is not None
    assert (engine.boots, engine.id) == (1, V3Agent({}, USER).engine_id)


class Counting(V3Agent):
    """Counts the messages that it is sent."""

    received = 0

    def receive(self, datagram: bytes) -> list[bytes]:
        self.received += 1
        return super().receive(datagram)


async def test_a_refusal_that_nobody_contradicts_is_told_after_one_time_out() -> None:
    """The device has another key for this user, which only reports without authentication can say."""
    agent = Counting(system("r"), STRANGER)
    async with AgentHost({ADDRESS: agent}) as host:
        settings = SnmpSettings(port=host.port, timeout_seconds=TIMEOUT_SECONDS, retries=9)
        security = UserSecurity(USER, ADDRESS, host.port, cache=EngineCache())
        session = SnmpSession(ADDRESS, security, settings, time.monotonic() + 60)
        began = time.monotonic()
        with pytest.raises(AuthFault, match="wrong digest"):
            await session.get([NAME])
        assert time.monotonic() - began >= TIMEOUT_SECONDS
    # One to find the engine and the request; a busy machine may need either again, and not nine times.
    assert 2 <= agent.received < 6
    close_endpoints()
