"""One host over SSH: is it there, and what are its vital signs."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from netvitals.collectors import vital_points
from netvitals.collectors.host_faults import HostFault
from netvitals.collectors.refusals import Refusals
from netvitals.collectors.ssh.cpu import STALE_SECONDS, Kept, has_restarted, percent
from netvitals.collectors.ssh.faults import Refused, SshFault
from netvitals.collectors.ssh.findings import Findings
from netvitals.collectors.ssh.greeting import DeviceSocket, connect, greeting
from netvitals.collectors.ssh.probe import Output, Probe
from netvitals.collectors.ssh.protocol import MEMORY, SSH, SshCredential, SshSettings
from netvitals.domain.errors import AddressDenied, NameNotResolved
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Target

DF_PAUSE_SECONDS = 3600
"""How long df is left alone after it has hung."""
_THREADS = 64
_MOST_FAULTS_TOLD = 4
_PORT = 22


type SshTarget = Target[SshSettings, SshCredential]


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What device memory holds of the last polls, under the key `ssh`."""

    cpu: Kept | None = None
    df_after: int = 0
    """df has hung: it is not asked again before this, seconds since the epoch."""


class SshCollector:
    """Implements `ports.Collector`.

    Connecting and waiting for the greeting happen on the event loop, so that only a host that speaks SSH
    takes one of the threads.
    """

    def __init__(self, threads: int = _THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ssh")
        self._refusals = Refusals(SSH.name)

    async def collect(self, target: SshTarget, reading: Reading) -> None:
        try:
            await self._collect(target, reading)
        except Refused as refusal:
            self._refusals.refused(target, reading)
            reading.fail(refusal.reason, str(refusal))
        except HostFault as fault:
            reading.fail(fault.reason, str(fault))

    async def _collect(self, target: SshTarget, reading: Reading) -> None:
        jump = target.settings.jump
        sock = await (_to_jump_host(target, jump) if jump else _to_device(target, reading))
        standing = self._refusals.standing(target)
        if target.job.kind == "status" and not jump:
            sock.close()
            reading.reason = Reason.OK
            return
        if standing is not None:
            sock.close()
            raise SshFault(Reason.AUTH, standing)
        if target.job.kind == "status":
            await self._on_thread(target, reading, sock, None)
            reading.alive, reading.reason = True, Reason.OK
            return
        remembered = remembered_of(target.job.memory)
        now = time.time()
        probe = Probe(second_sample=not _is_fresh(remembered.cpu, now), disks=remembered.df_after <= now)
        output = await self._on_thread(target, reading, sock, probe)
        self._refusals.accepted(target, reading)
        _conclude(probe, probe.findings(output), reading, remembered, now)

    async def _on_thread(
        self,
        target: SshTarget,
        reading: Reading,
        sock: DeviceSocket,
        probe: Probe | None,
    ) -> Output:
        """The visit, ended with the device's time, and when nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        watchdog = loop.call_at(target.deadline, sock.abort)
        visit = self._threads.submit(_visit, target, reading, sock, probe)
        try:
            return await asyncio.wrap_future(visit)
        finally:
            watchdog.cancel()
            if visit.cancelled():  # no thread has touched it
                sock.close()
            elif not visit.done():
                sock.abort()


def _visit(*arguments: Any) -> Output:
    """Paramiko comes with the first login: neither a status poll nor another protocol pays for its import."""
    from netvitals.collectors.ssh.visit import visit  # noqa: PLC0415, see above

    return visit(*arguments)


def _conclude(probe: Probe, findings: Findings, reading: Reading, remembered: Remembered, now: float) -> None:
    """Points, what the next poll has to know, and what is missing."""
    reading.points += findings.points
    reading.points += _cpu_points(findings, remembered.cpu, now)
    faults = findings.faults
    df_after = remembered.df_after if remembered.df_after > now else 0
    if probe.df_hung:
        df_after = int(now) + DF_PAUSE_SECONDS
    if df_after:
        again = time.strftime("%H:%M", time.gmtime(df_after))
        faults.append(f"disk: df hangs, a disk does not answer; it is left alone until {again} UTC")
    kept = _kept(findings, now) or remembered.cpu
    reading.memory[MEMORY] = msgspec.to_builtins(Remembered(kept, df_after))
    if faults:
        reading.fail(Reason.PARTIAL, "; ".join(faults[:_MOST_FAULTS_TOLD]))
    else:
        reading.reason = Reason.OK


def _cpu_points(findings: Findings, kept: Kept | None, now: float) -> list[Point]:
    """Between the two samples of a first poll; else since the last poll, unless the device has restarted."""
    if not findings.cpu:
        return []
    time_ns, after = findings.cpu[-1]
    before = findings.cpu[0][1]
    if len(findings.cpu) == 1:
        if kept is None or has_restarted(kept, findings.uptime, now):
            return []
        before = kept.sample
    busy = percent(before, after)
    return [] if busy is None else [vital_points.cpu(busy, time_ns)]


def _kept(findings: Findings, now: float) -> Kept | None:
    if not findings.cpu:
        return None
    _, sample = findings.cpu[-1]
    return Kept(busy=sample.busy, total=sample.total, uptime=findings.uptime, at=int(now))


def _is_fresh(kept: Kept | None, now: float) -> bool:
    return kept is not None and 0 <= now - kept.at < STALE_SECONDS


async def _to_device(target: SshTarget, reading: Reading) -> DeviceSocket:
    ssh = target.settings
    sock, reading.rtt_ms = await connect(target.address, ssh.port, ssh.connect_timeout_seconds)
    reading.alive = True
    await _greeted(sock, ssh.connect_timeout_seconds)
    return sock


async def _to_jump_host(target: SshTarget, jump: str) -> DeviceSocket:
    """What is wrong with a jump host says nothing of the device, which is not alive by it either."""
    seconds = target.settings.connect_timeout_seconds
    host, port = _host_and_port(jump)
    try:
        sock, _ = await connect(await target.resolve(host), port, seconds)
        await _greeted(sock, seconds)
    except (AddressDenied, NameNotResolved) as error:
        raise SshFault(Reason.BAD_ADDRESS, f"jump host: {error}") from None
    except HostFault as fault:
        raise SshFault(fault.reason, f"jump host {jump}: {fault}") from None
    return sock


async def _greeted(sock: DeviceSocket, seconds: float) -> None:
    try:
        await greeting(sock, seconds)
    except BaseException:
        sock.close()
        raise


def _host_and_port(jump: str) -> tuple[str, int]:
    """Of `host`, `host:port`, `[2001:db8::1]:port`; an address with colons and no brackets has no port."""
    host, _, port = jump.rpartition(":")
    if host and port.isdecimal() and (":" not in host or host.endswith("]")):
        return host.strip("[]"), int(port)
    return jump.strip("[]"), _PORT


def remembered_of(memory: Mapping[str, Any]) -> Remembered:
    """What the last polls left; nothing where it can't be read."""
    try:
        return msgspec.convert(memory.get(MEMORY, {}), Remembered)
    except msgspec.ValidationError:
        return Remembered()
