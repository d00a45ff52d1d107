"""Whether a host answers at all, by ICMP and by TCP, against this machine's own loopback."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.virtual_time import run
from netvitals.collectors.reach import prober as prober_module
from netvitals.collectors.reach.prober import HostProber, IcmpMode, icmp_mode
from netvitals.collectors.reach.tcp_probe import TcpReply, probe_tcp
from netvitals.domain.ports import Reach
from netvitals.domain.settings.policy import PingSettings

NOBODY = 9
"""The discard port, where nobody listens."""


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def _modes() -> Iterator[None]:
    icmp_mode.cache_clear()
    yield
    icmp_mode.cache_clear()


def without_icmp(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """As on Lambda: no socket for ICMP is granted."""
    asked: list[int] = []

    class Refusing(socket.socket):
        def __init__(
            self, family: int = -1, kind: int = -1, proto: int = -1, fileno: int | None = None
        ) -> None:
            if proto in (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6):
                asked.append(kind)
                raise PermissionError(1, "Operation not permitted")
            super().__init__(family, kind, proto, fileno)

    monkeypatch.setattr(socket, "socket", Refusing)
    return asked


async def test_a_process_that_may_not_send_icmp_knows_it_once_and_uses_tcp(
    monkeypatch: pytest.MonkeyPatch, open_port: int
) -> None:
    asked = without_icmp(monkeypatch)
    prober = HostProber()
    settings = PingSettings(tcp_ports=(open_port,))
    for _ in range(3):
        reach = await prober.probe("127.0.0.1", settings)
        assert (reach.method, reach.alive, reach.accepted) == ("tcp", True, True)
    assert len(asked) == 2


async def test_without_icmp_and_without_ports_it_says_that_it_can_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_icmp(monkeypatch)
    reach = await HostProber().probe("127.0.0.1", PingSettings(tcp_ports=()))
    assert (reach.alive, reach.sent) == (None, 0)
    assert "ping.tcp_ports" in reach.detail


@pytest.mark.parametrize("address", ["127.0.0.77", "::1"])
async def test_an_echo_comes_back_for_each_that_was_sent(address: str) -> None:
    if icmp_mode(6 if ":" in address else 4) is None:
        pytest.skip("needs ICMP: run as root, or widen net.ipv4.ping_group_range")
    reach = await HostProber().probe(address, PingSettings(count=3))
    assert (reach.method, reach.alive, reach.sent, reach.received) == ("icmp", True, 3, 3)
    assert reach.rtt_ms is not None
    assert 0 < reach.rtt_ms < 1000


async def test_many_hosts_at_once_each_get_their_own_echo() -> None:
    if icmp_mode(4) is None:
        pytest.skip("needs ICMP: run as root, or widen net.ipv4.ping_group_range")
    prober = HostProber()
    reaches = await asyncio.gather(
        *(prober.probe(f"127.0.3.{n + 1}", PingSettings(timeout_seconds=10)) for n in range(200))
    )
    assert {(reach.method, reach.received) for reach in reaches} == {("icmp", 1)}


async def test_a_refused_connection_proves_the_host_and_is_no_accepted_one() -> None:
    reach = await HostProber().probe("127.0.0.1", PingSettings(tcp_ports=(NOBODY,)), connect_only=True)
    assert (reach.alive, reach.accepted, reach.received) == (True, False, 1)
    assert "refused" in reach.detail
    assert reach.rtt_ms is not None


async def test_an_accepted_connection_is_timed_by_the_kernel_and_leaves_nothing_behind(
    open_port: int,
) -> None:
    before = sockets_at(open_port)  # the listener, and what is left of others that had this port
    reply = await probe_tcp("127.0.0.1", open_port, 1.0, asyncio.Semaphore(1))
    assert reply.accepted
    assert reply.rtt_ms is not None
    assert 0 < reply.rtt_ms < 100
    assert sockets_at(open_port) <= before, "neither TIME_WAIT nor a connection half closed"


def sockets_at(port: int) -> set[tuple[str, str]]:
    """Local and remote address of each TCP socket at either end of which this port is."""
    rows = Path("/proc/net/tcp").read_text().splitlines()
    return {(row.split()[1], row.split()[2]) for row in rows if f":{port:04X} " in row}


async def test_a_process_out_of_descriptors_says_nothing_about_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def exhausted(*_: object) -> None:
        raise OSError(24, "Too many open files")

    prober = HostProber()
    monkeypatch.setattr(socket, "socket", exhausted)
    with pytest.raises(OSError, match="Too many open files"):
        await prober.probe("127.0.0.1", PingSettings(), connect_only=True)


class Host:
    """In place of the network: says of each port when it answers, and how."""

    def __init__(self, answers: dict[int, tuple[float, TcpReply]]) -> None:
        self._answers = answers
        self.ports: list[int] = []

    async def probe_tcp(self, _: str, port: int, timeout: float, sockets: asyncio.Semaphore) -> TcpReply:  # noqa: ASYNC109, as the real one
        self.ports.append(port)
        async with sockets:
            seconds, answer = self._answers.get(port, (timeout, TcpReply(detail=f"TCP {port}: no answer")))
            await asyncio.sleep(min(seconds, timeout))
            return answer if seconds < timeout else TcpReply(detail=f"TCP {port}: no answer")


def timed(
    host: Host, settings: PingSettings, monkeypatch: pytest.MonkeyPatch, icmp: IcmpMode | None = None
) -> tuple[Reach, float]:
    """What a probe finds out, and the virtual seconds that it takes."""
    monkeypatch.setattr(prober_module, "probe_tcp", host.probe_tcp)
    monkeypatch.setattr(prober_module, "icmp_mode", lambda _: icmp)

    async def main() -> tuple[Reach, float]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        return await HostProber().probe("10.0.0.1", settings), loop.time() - started

    return run(main())


def test_a_dead_host_costs_one_time_limit_whatever_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    reach, seconds = timed(Host({}), PingSettings(timeout_seconds=1, count=3), monkeypatch)
    assert (reach.alive, reach.sent, reach.received) == (False, 3, 0)
    assert seconds == pytest.approx(1)
    reach, seconds = timed(Host({}), PingSettings(timeout_seconds=1, count=20), monkeypatch)
    assert (reach.alive, reach.sent, reach.received) == (False, 20, 0)
    assert seconds == pytest.approx(1)


def test_of_twenty_attempts_the_last_has_most_of_the_time_limit_left(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host({22: (0.7, TcpReply(rtt_ms=700.0))})
    reach, _ = timed(host, PingSettings(timeout_seconds=1, count=20), monkeypatch)
    assert (reach.sent, reach.received) == (20, 20)


def test_the_first_port_that_answers_ends_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host({443: (0.05, TcpReply(rtt_ms=50.0, detail="TCP 443: refused"))})
    reach, seconds = timed(host, PingSettings(timeout_seconds=1), monkeypatch)
    assert (reach.alive, reach.rtt_ms, reach.detail) == (True, 50.0, "TCP 443: refused")
    assert seconds == pytest.approx(0.05)


def test_a_port_that_fails_at_once_does_not_speak_for_one_that_answers_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host({22: (0.0, TcpReply(detail="TCP 22: No route to host")), 80: (0.2, TcpReply(rtt_ms=200.0))})
    reach, _ = timed(host, PingSettings(timeout_seconds=1), monkeypatch)
    assert (reach.alive, reach.rtt_ms) == (True, 200.0)


def test_where_no_echo_comes_by_half_time_tcp_is_asked_within_the_same_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_echo(*_: object, **__: object) -> None:
        await asyncio.sleep(1)

    monkeypatch.setattr("netvitals.collectors.reach.echo.echo", no_echo)
    host = Host({22: (0.1, TcpReply(rtt_ms=100.0, detail="TCP 22: refused"))})
    reach, seconds = timed(host, PingSettings(timeout_seconds=1), monkeypatch, icmp="raw")
    assert (reach.method, reach.alive, reach.rtt_ms) == ("tcp", True, 100.0)
    dead, seconds = timed(Host({}), PingSettings(timeout_seconds=1), monkeypatch, icmp="raw")
    assert (dead.method, dead.alive, dead.sent) == ("icmp", False, 1)
    assert seconds == pytest.approx(1.0)


def test_a_host_that_echoes_gets_no_tcp_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    async def quick(*_: object, **__: object) -> float:
        await asyncio.sleep(0.01)
        return 10.0

    monkeypatch.setattr("netvitals.collectors.reach.echo.echo", quick)
    host = Host({})
    reach, _ = timed(host, PingSettings(timeout_seconds=1, count=2), monkeypatch, icmp="raw")
    assert (reach.method, reach.received, reach.rtt_ms) == ("icmp", 2, 10.0)
    assert host.ports == []
