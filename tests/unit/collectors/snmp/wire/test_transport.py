"""The shared socket: loops come and go, datagrams of strangers arrive, and our own loop is late."""

import asyncio
import select
import socket
import sys
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
from netvitals.collectors.snmp.wire.transport import Endpoint, canonical, close_endpoints, endpoint_to
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

    def arrived_from(self, source: tuple[str, int]) -> bool:  # noqa: ARG002, `Waiter`
        return False

    def moved(self) -> None:
        raise AssertionError("nobody floods this one")


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says when a datagram came")
async def test_an_answer_bears_the_time_of_its_arrival_however_late_the_loop_reads_it() -> None:
    with AgentThread({"127.0.8.1": Agent(MIB)}) as host:
        began = time.time_ns()
        asked = asyncio.ensure_future(session("127.0.8.1", host.port, 30).get([UPTIME]))
        await asyncio.sleep(0)
        assert select.select([endpoint_to("127.0.8.1")._socket], [], [], 10)[0]
        arrived_by = time.time_ns()
        time.sleep(0.2)  # noqa: ASYNC251, this is the busy loop
        response = await asked
    _, time_ns = response.tables.objects[UPTIME]
    assert began <= time_ns <= arrived_by
    assert 0 < response.rtt_ms <= (arrived_by - began) / 1e6


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


async def flood(endpoint: Endpoint, source: str, datagrams: int) -> int:
    """Send what nobody waits for; the turns of the loop until all of it was read, or nobody reads it."""
    port = endpoint._socket.getsockname()[1]
    strays, turns = endpoint.strays, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((source, 0))
        for _ in range(datagrams):
            stranger.sendto(b"\x30" * 20, ("127.0.0.1", port))
        while endpoint.strays < strays + datagrams and not endpoint.closed and turns < 100:
            await asyncio.sleep(0)
            turns += 1
    return turns


async def test_a_flood_of_many_gives_the_loop_back_between_its_datagrams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "_MAX_STRAYS", 10_000)
    endpoint = endpoint_to("127.0.8.1")
    strays = endpoint.strays
    assert await flood(endpoint, "127.0.8.66", 1000) >= 1000 // 256
    assert endpoint.strays == strays + 1000


async def test_who_floods_the_shared_socket_is_set_apart_and_the_others_lose_nothing() -> None:
    flooder = "127.0.8.77"
    async with AgentHost({"127.0.8.1": Agent(MIB, delay=0.3), flooder: Agent(MIB)}) as host:
        asked = asyncio.ensure_future(session("127.0.8.1", host.port, 20.0).get([UPTIME]))
        await asyncio.sleep(0.05)
        shared = endpoint_to("127.0.8.1")
        await flood(shared, flooder, 500)
        assert shared.closed
        assert shared.strays < 500
        answered = await asyncio.wait_for(asked, 10)
        assert answered.tables, "asked again from another port"
        assert endpoint_to("127.0.8.1") is not shared
        assert (await session(flooder, host.port).walk(["1.3.6.1.2.1.2.2.1.2"])).error is None
        assert endpoint_to(flooder) is not endpoint_to("127.0.8.1")
    close_endpoints()


async def test_late_answers_are_no_flood_however_many_come_in_the_life_of_a_process() -> None:
    endpoint = endpoint_to("127.0.8.1")
    for _ in range(3):
        await flood(endpoint, "127.0.8.79", 40)
        assert not endpoint.closed
        endpoint._counted_since -= transport._COUNTED_SECONDS
    await flood(endpoint, "127.0.8.79", 40)
    await flood(endpoint, "127.0.8.79", 40)
    assert endpoint.closed
    close_endpoints()


async def test_a_socket_of_ones_own_is_closed_when_nobody_waits() -> None:
    flooder = "127.0.8.78"
    async with AgentHost({flooder: Agent(MIB)}) as host:
        await flood(endpoint_to(flooder), flooder, 100)
        own = endpoint_to(flooder)
        await session(flooder, host.port).get([UPTIME])
        assert own.closed
    close_endpoints()


async def test_no_more_addresses_than_some_are_set_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_apart", {})
    monkeypatch.setattr(transport, "_MAX_APART", 3)
    for number in range(1, 8):
        await flood(endpoint_to("127.0.8.1"), f"127.0.8.{100 + number}", 100)
    assert list(transport._apart) == [f"127.0.8.{100 + number}" for number in (5, 6, 7)]
    close_endpoints()


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
