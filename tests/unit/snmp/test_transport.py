"""The shared socket: loops come and go, datagrams of strangers arrive, and our own loop is late."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import switch_objects
from local.devices.snmp_host import AgentHost, AgentThread
from local.devices.snmp_mib import Mib
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.wire import transport
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.transport import canonical, close_endpoints, endpoint_to
from netvitals.domain.settings.secret import Secret

UPTIME = "1.3.6.1.2.1.1.3.0"
SECURITY = CommunitySecurity("2c", Secret("public"))
MIB = Mib(switch_objects(2))


def session(address: str, port: int, timeout: float = 2.0) -> SnmpSession:
    settings = SnmpSettings(port=port, timeout_seconds=timeout, retries=0)
    return SnmpSession(address, SECURITY, settings, time.monotonic() + 20)


class Silence:
    """A waiter that keeps what it gets."""

    address = ("127.0.8.1", 161)

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []

    def arrived(self, datagram: bytes, time_ns: int) -> None:  # noqa: ARG002, `Waiter`
        self.datagrams.append(datagram)


def test_each_loop_has_a_socket_of_its_own_and_closed_loops_leave_none_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "_endpoints", {})  # without those of loops that others left open

    async def ask(port: int) -> int:
        await session("127.0.8.1", port).get([UPTIME])
        return len(transport._endpoints)

    with AgentThread({"127.0.8.1": Agent(MIB)}) as host:
        assert [asyncio.run(ask(host.port)) for _ in range(3)][1:] == [1, 1]


@pytest.fixture
def rmem_max(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Makes the kernel grant no more receive buffer than that."""
    limit = 2**31

    class Limited(socket.socket):
        def setsockopt(self, level: int, name: int, value: int) -> None:  # type: ignore[override]  # as we use it
            super().setsockopt(level, name, min(value, limit) if name == socket.SO_RCVBUF else value)

    def grant(most: int) -> None:
        nonlocal limit
        limit = most
        transport._sockets_needed.cache_clear()

    monkeypatch.setattr(socket, "socket", Limited)
    yield grant
    transport._sockets_needed.cache_clear()


async def test_one_socket_serves_all_devices_of_a_family_where_its_buffer_is_large() -> None:
    if transport._sockets_needed() == 1:
        assert endpoint_to("127.0.8.1") is endpoint_to("127.0.8.2")
    assert endpoint_to("::1") is not endpoint_to("127.0.8.1")
    close_endpoints()


async def test_small_buffers_are_made_up_for_by_more_sockets(rmem_max: Callable[[int], None]) -> None:
    rmem_max(212_992)
    used = {endpoint_to(f"127.0.8.{number}") for number in range(1, 251)}
    assert len(used) == transport._sockets_needed() == 20
    assert endpoint_to("127.0.8.1") is endpoint_to("127.0.8.1")
    rmem_max(1024)
    assert transport._sockets_needed() == 32
    close_endpoints()


async def test_ipv6_devices_are_polled() -> None:
    try:
        async with AgentHost({"::1": Agent(MIB)}) as host:
            assert (await session("0:0:0:0:0:0:0:1", host.port).get([UPTIME])).tables
    except OSError:
        pytest.skip("needs IPv6 on the loopback interface: sysctl net.ipv6.conf.lo.disable_ipv6=0")


def test_addresses_are_compared_as_the_kernel_prints_them() -> None:
    assert canonical("2001:DB8:0:0::1") == "2001:db8::1"
    assert canonical("::ffff:192.0.2.1") == "::ffff:192.0.2.1"
    assert canonical("192.0.2.1") == "192.0.2.1"


async def test_answers_that_waited_while_our_own_loop_was_busy_are_no_time_out() -> None:
    addresses = [f"127.0.{8 + number // 250}.{number % 250 + 1}" for number in range(500)]
    with AgentThread({address: Agent(MIB) for address in addresses}) as host:
        asked = [
            asyncio.ensure_future(session(address, host.port, 0.2).get([UPTIME])) for address in addresses
        ]
        await asyncio.sleep(0)
        time.sleep(0.5)  # noqa: ASYNC251, this is the busy loop
        responses = await asyncio.gather(*asked)
    assert all(response.tables for response in responses)


async def test_nothing_is_waited_for_when_all_is_done() -> None:
    endpoint = endpoint_to("127.0.8.1")
    async with AgentHost({"127.0.8.1": Agent(MIB), "127.0.8.2": Agent(MIB, delay=9)}) as host:
        await session("127.0.8.1", host.port).walk(["1.3.6.1.2.1.2.2.1.2"])
        cancelled = asyncio.ensure_future(session("127.0.8.2", host.port).get([UPTIME]))
        await asyncio.sleep(0.05)
        assert endpoint._waiting
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
    assert not endpoint._waiting


async def test_a_flood_gives_the_loop_back_between_its_datagrams() -> None:
    endpoint = endpoint_to("127.0.8.1")
    port = endpoint._socket.getsockname()[1]
    strays = endpoint.strays
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(1000):
            stranger.sendto(b"\x30" * 20, ("127.0.0.1", port))
    turns = 0
    while endpoint.strays < strays + 1000 and turns < 100:
        await asyncio.sleep(0)
        turns += 1
    assert endpoint.strays == strays + 1000
    assert turns >= 1000 // 256


async def test_ids_are_fresh_and_of_four_octets() -> None:
    endpoint = endpoint_to("127.0.8.1")
    numbers = {endpoint.expect(Silence()) for _ in range(1000)}
    assert len(numbers) == 1000
    assert all(2**30 <= number < 2**31 for number in numbers)
    for number in numbers:
        endpoint.forget(number)


async def test_polls_of_500_devices_at_once_have_no_false_time_out() -> None:
    addresses = [f"127.0.{8 + number // 250}.{number % 250 + 1}" for number in range(500)]
    with AgentThread({address: Agent(MIB, delay=0.05) for address in addresses}) as host:
        walks = await asyncio.gather(
            *(session(at, host.port).walk(["1.3.6.1.2.1.2.2.1.10"]) for at in addresses)
        )
    assert [walk.error for walk in walks] == [None] * 500
