"""What one hostile host costs a hundred devices that are polled beside it.

Run as `python tests/faults/one_among_many.py PROTOCOL [KIND …]`, with `tests` and the project on PYTHONPATH:
prints a `Cost` for each kind of hostile host as one line of JSON, the first one without any, the last one
with all of them at once. Processor time
is measured and not time, so that a busy machine changes nothing.
"""

import asyncio
import ctypes
import gc
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from faults.hostile_hosts import PASSWORD, SWITCHES, USER
from faults.measuring import Stretches, begin_peak_anew, memory_mb

from fixtures.whole_poll import job_for, whole_poll
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult, Reason
from netvitals.usecases.poll_device import PollDevice

HOSTS_PROGRAM = Path(__file__).with_name("hostile_hosts.py")
CREDENTIAL: dict[str, Any] = {
    "snmp": {"community": "public"},
    "ssh": {"user": USER, "password": PASSWORD},
    "winrm": {"user": USER, "password": PASSWORD},
}
HOSTILE_SECONDS = 2.0
"""For the hostile host alone: `device_timeout_seconds`."""


class Cost(msgspec.Struct, kw_only=True):
    kind: str
    loop_ms: float
    """Processor time that the event loop's thread spent at a stretch, at worst."""
    held_ms: float
    """Processor time of the whole process between two turns of the event loop, at worst."""
    memory_mb: float
    """By how much the process grew at most, beside what polling the others takes."""
    lost: list[str]
    """What the others did not get."""
    reached: list[bool]
    """Whether the hostile host counted as alive, for metrics and for status."""
    reason: str
    detail: str
    points: int
    seconds: float
    cpu_seconds: float


@contextmanager
def served(which: str) -> Iterator[dict[str, int]]:
    """Hosts in a process of their own: where each of them listens."""
    command = [sys.executable, str(HOSTS_PROGRAM), which]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


def well_behaved(ports: dict[str, int]) -> list[Job]:
    trusting = {"trust_on_first_use": True}
    jobs = [job_for(f"sw-{address}", address, "snmp", port=ports["snmp"]) for address in SWITCHES]
    for name, port in ports.items():
        if name.startswith("ssh"):
            jobs.append(job_for(name, "127.0.0.1", "ssh", port=port, **trusting))
        elif name.startswith("winrm"):
            jobs.append(job_for(name, "127.0.0.1", "winrm", port=port, tls=False))
    return jobs


def hostile(protocol: str, kind: str, port: int) -> list[Job]:
    """Both kinds of jobs for one host."""
    settings = {"trust_on_first_use": True} if protocol == "ssh" else {"tls": kind.startswith("tls")}
    job = job_for(f"hostile-{kind}", "127.0.0.1", protocol, port=port, **settings)
    limited = msgspec.structs.replace(job.settings, device_timeout_seconds=HOSTILE_SECONDS)
    job = msgspec.structs.replace(job, settings=limited)
    return [job, msgspec.structs.replace(job, device_id=f"{job.device_id}-status", kind="status")]


async def polled(poll: PollDevice, jobs: list[Job]) -> list[PollResult]:
    return await asyncio.gather(*(poll.poll(job, time.monotonic() + 60) for job in jobs))


class Neighbours:
    """The devices that behave, with what they left for the next poll and how much they have to say."""

    def __init__(self, results: list[PollResult]) -> None:
        self.jobs = [
            msgspec.structs.replace(each.job, memory=each.memory or each.job.memory) for each in results
        ]
        self._whole = {result.job.device_id: len(result.points) for result in results}

    def what_was_lost(self, results: list[PollResult]) -> list[str]:
        return [
            f"{result.job.device_id}: {result.reason} {result.detail}"[:120]
            for result in results
            if result.reason is not Reason.OK or len(result.points) < self._whole[result.job.device_id]
        ]


async def measured(poll: PollDevice, neighbours: Neighbours, attackers: list[Job], kind: str) -> Cost:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what the last one took must not be there for this one
    before, began, cpu = memory_mb("VmRSS"), time.monotonic(), time.process_time()
    begin_peak_anew()
    with Stretches() as stretches:
        results = await polled(poll, [*attackers, *neighbours.jobs])
    return Cost(
        kind=kind,
        loop_ms=stretches.loop_ms,
        held_ms=stretches.held_ms,
        memory_mb=memory_mb("VmHWM") - before,
        lost=neighbours.what_was_lost(results[len(attackers) :]),
        reached=[result.reachable for result in results[: len(attackers)]],
        reason=results[0].reason,
        detail=results[0].detail,
        points=len(results[0].points),
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - cpu,
    )


async def main(protocol: str, kinds: list[str]) -> None:
    with served("neighbours") as ports, served(protocol) as hostile_ports:
        poll = whole_poll(CREDENTIAL)
        neighbours = Neighbours(await polled(poll, well_behaved(ports)))
        neighbours = Neighbours(await polled(poll, neighbours.jobs))
        tell(await measured(poll, neighbours, [], "none"))
        for kind in kinds or hostile_ports:
            tell(await measured(poll, neighbours, hostile(protocol, kind, hostile_ports[kind]), kind))
        together = [job for kind, port in hostile_ports.items() for job in hostile(protocol, kind, port)]
        tell(await measured(poll, neighbours, together, "all at once"))


def tell(cost: Cost) -> None:
    sys.stdout.write(msgspec.json.encode(cost).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable()
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
    os._exit(0)  # a thread that is still kept busy must not keep the measurement
