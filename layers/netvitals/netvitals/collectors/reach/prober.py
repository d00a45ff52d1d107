"""Probe a host: by ICMP where this process may send it, by TCP where it may not (as on Lambda)."""

import asyncio
import functools
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Literal

import msgspec

from netvitals.collectors.reach.tcp_probe import TcpReply, probe_tcp
from netvitals.domain.ports import Reach
from netvitals.domain.settings.policy import PingSettings

IcmpMode = Literal["dgram", "raw"]
_GAP_SECONDS = 0.1
_SHARE_OF_GAPS = 0.25
"""Share of the time limit in which all attempts start, so that the last has most of it left."""
_MAX_SOCKETS = 400
"""Sockets for TCP probes at once: Lambda allows a process 1,024 descriptors."""


@functools.cache
def icmp_mode(version: int) -> IcmpMode | None:
    """Return how this process may send ICMP of this IP version, or None; decided once.

    A refusal says what this process may do and nothing about any device.
    """
    family, protocol = (
        (socket.AF_INET, socket.IPPROTO_ICMP) if version == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)  # noqa: PLR2004, IPv4
    )
    # A datagram socket is given its own replies by the kernel; a raw one is given everybody's.
    modes: tuple[tuple[IcmpMode, int], ...] = (("dgram", socket.SOCK_DGRAM), ("raw", socket.SOCK_RAW))
    for mode, kind in modes:
        try:
            socket.socket(family, kind, protocol).close()
        except OSError:
            continue
        return mode
    return None


class HostProber:
    """Implements `ports.Prober`. A dead host costs one `timeout_seconds`, whatever is tried."""

    def __init__(self) -> None:
        self._sockets = asyncio.Semaphore(_MAX_SOCKETS)

    def method(self, address: str) -> str:
        return "icmp" if icmp_mode(6 if ":" in address else 4) else "tcp"

    async def probe(self, address: str, settings: PingSettings, *, connect_only: bool = False) -> Reach:
        if connect_only or self.method(address) == "tcp":
            return await self._tcp(address, settings)
        return await self._icmp_then_tcp(address, settings)

    async def _icmp_then_tcp(self, address: str, settings: PingSettings) -> Reach:
        """Probe by ICMP, and after half the time without an echo by TCP as well: many firewalls drop ICMP."""
        half = settings.timeout_seconds / 2
        echoes = asyncio.create_task(self._icmp(address, settings))
        try:
            done, _ = await asyncio.wait({echoes}, timeout=half)
            if done and echoes.result().alive:
                return echoes.result()
            late = msgspec.structs.replace(settings, timeout_seconds=half, count=1)
            reply, echoed = await asyncio.gather(self._tcp(address, late), echoes)
        finally:
            echoes.cancel()
        return reply if reply.alive and not echoed.alive else echoed

    async def _icmp(self, address: str, settings: PingSettings) -> Reach:
        from netvitals.collectors.reach.echo import echo  # noqa: PLC0415, icmplib is not for Lambda

        privileged = icmp_mode(ip_address(address).version) == "raw"
        tries = await _spaced(settings, lambda n, seconds: echo(address, n, seconds, privileged=privileged))
        rtts = [rtt for rtt in tries if rtt is not None]
        return _reach("icmp", rtts, settings.count, detail="" if rtts else "no ICMP echo reply")

    async def _tcp(self, address: str, settings: PingSettings) -> Reach:
        if not settings.tcp_ports:
            return Reach(
                method="tcp", alive=None, detail="ICMP is not permitted here and ping.tcp_ports is empty"
            )
        rounds = await _spaced(settings, lambda _, seconds: self._round(address, settings.tcp_ports, seconds))
        rtts = [reply.rtt_ms for reply in rounds if reply.rtt_ms is not None]
        reach = _reach("tcp", rtts, settings.count, detail=rounds[0].detail)
        return msgspec.structs.replace(reach, accepted=any(reply.accepted for reply in rounds))

    async def _round(self, address: str, ports: tuple[int, ...], seconds: float) -> TcpReply:
        """Probe all ports at once, and return the first reply, or a silent one where no port answers."""
        probes = [asyncio.create_task(probe_tcp(address, port, seconds, self._sockets)) for port in ports]
        try:
            silent = TcpReply(detail="no TCP answer")
            for finished in asyncio.as_completed(probes):
                reply = await finished
                if reply.rtt_ms is not None:
                    return reply
                silent = reply
            return silent
        finally:
            for task in probes:
                task.cancel()
            await asyncio.gather(*probes, return_exceptions=True)


async def _spaced[T](settings: PingSettings, attempt: Callable[[int, float], Awaitable[T]]) -> list[T]:
    """Start one attempt after another without waiting for answers, so that silence costs one time limit.

    An attempt gets its number and the seconds that are left of the time limit when it starts.
    """
    limit = settings.timeout_seconds
    gap = min(_GAP_SECONDS, _SHARE_OF_GAPS * limit / settings.count)

    async def later(n: int) -> T:
        await asyncio.sleep(n * gap)
        return await attempt(n, limit - n * gap)

    return await asyncio.gather(*map(later, range(settings.count)))


def _reach(method: str, rtts: list[float], sent: int, detail: str) -> Reach:
    return Reach(
        method=method,
        alive=bool(rtts),
        rtt_ms=sum(rtts) / len(rtts) if rtts else None,
        sent=sent,
        received=len(rtts),
        detail=detail,
    )
