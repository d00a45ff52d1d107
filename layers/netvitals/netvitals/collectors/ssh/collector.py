"""Poll one host over SSH: decide whether it answers, and read its vital signs."""

import time
from typing import Any

import msgspec

from netvitals.collectors import vital_points
from netvitals.collectors.cpu_usage import CpuSample, percent
from netvitals.collectors.host_faults import HostFault
from netvitals.collectors.login import THREADS, LoginCollector
from netvitals.collectors.memory import recall
from netvitals.collectors.ssh.faults import SshFault
from netvitals.collectors.ssh.findings import Findings
from netvitals.collectors.ssh.greeting import DeviceSocket, connect, greeting
from netvitals.collectors.ssh.memory import KeptTicks, SshMemory, kept_ticks
from netvitals.collectors.ssh.probe import Probe
from netvitals.collectors.ssh.protocol import MEMORY, SSH, SshCredential, SshSettings, host_and_port
from netvitals.domain.errors import AddressDenied, NameNotResolved
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Target

DF_PAUSE_SECONDS = 3600
"""Seconds for which df is not run after it has hung."""
_FAULTS_SHOWN = 4

type SshTarget = Target[SshSettings, SshCredential]


class SshCollector(LoginCollector[SshSettings, SshCredential]):
    """Runs the probe on a host; waits for its greeting, all of a status poll, before a thread is taken."""

    def __init__(self, threads: int = THREADS) -> None:
        super().__init__(SSH, threads)

    async def _poll(self, target: SshTarget, reading: Reading) -> None:
        jump = target.settings.jump
        sock = await (_to_jump_host(target, jump) if jump else _to_device(target, reading))
        if target.job.kind == "metrics":
            await self._run_probe(target, reading, sock)
        elif jump:
            await self._run_session(target, sock, _blocking_poll, target, reading, sock, None)
            reading.alive, reading.reason = True, Reason.OK
        else:
            sock.close()
            reading.reason = Reason.OK

    async def _run_probe(self, target: SshTarget, reading: Reading, sock: DeviceSocket) -> None:
        memory, now = recall(target.job.memory, MEMORY, SshMemory) or SshMemory(), time.time()
        is_recent = memory.cpu is not None and memory.cpu.is_recent(now)
        probe = Probe(second_sample=not is_recent, disks=memory.df_after <= now)
        outcome = await self._run_session(target, sock, _blocking_poll, target, reading, sock, probe)
        self._refusals.clear(target, reading)
        if isinstance(outcome, SshFault):
            raise outcome
        outcome.keep_interfaces(target.settings.interfaces.wants)
        _conclude(probe, outcome, reading, memory, now)


def _blocking_poll(*arguments: Any) -> Findings | SshFault:
    """Import paramiko with the first login: neither a status poll nor another protocol pays for it."""
    from netvitals.collectors.ssh.blocking import poll  # noqa: PLC0415, see above

    return poll(*arguments)


def _conclude(probe: Probe, findings: Findings, reading: Reading, memory: SshMemory, now: float) -> None:
    """Put points, memory for the next poll, and what is missing into the reading."""
    reading.points += findings.points
    reading.points += _cpu_points(findings, memory.cpu, now)
    faults = findings.faults
    df_after = memory.df_after if memory.df_after > now else 0
    if probe.df_hung:
        df_after = int(now) + DF_PAUSE_SECONDS
    if df_after:
        again = time.strftime("%H:%M", time.gmtime(df_after))
        faults.append(f"disk: df hangs, a disk does not answer; it is left alone until {again} UTC")
    kept = SshMemory(kept_ticks(findings, now) or memory.cpu, df_after)
    reading.memory[MEMORY] = msgspec.to_builtins(kept)
    if faults:
        reading.fail(Reason.PARTIAL, "; ".join(faults[:_FAULTS_SHOWN]))
    else:
        reading.reason = Reason.OK


def _cpu_points(findings: Findings, kept: KeptTicks | None, now: float) -> list[Point]:
    """Return CPU percent between the two samples of a first poll, else since the last poll of this boot."""
    if not findings.cpu:
        return []
    time_ns, after = findings.cpu[-1]
    before: CpuSample | None = findings.cpu[0][1]
    if len(findings.cpu) == 1:
        before = kept.sample_before(findings.uptime, now) if kept is not None else None
    busy = None if before is None else percent(before, after)
    return [] if busy is None else [vital_points.cpu(busy, time_ns)]


async def _to_device(target: SshTarget, reading: Reading) -> DeviceSocket:
    ssh = target.settings
    sock, reading.rtt_ms = await connect(target.address, ssh.port, ssh.connect_timeout_seconds)
    reading.alive = True
    await _greeted(sock, ssh.connect_timeout_seconds)
    return sock


async def _to_jump_host(target: SshTarget, jump: str) -> DeviceSocket:
    """Connect to the jump host, whose faults and replies say nothing of whether the device is alive."""
    seconds = target.settings.connect_timeout_seconds
    host, port = host_and_port(jump)
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
