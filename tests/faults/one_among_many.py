"""What one hostile host costs a hundred devices that are polled beside it.

Run as `python tests/faults/one_among_many.py PROTOCOL metrics|status KIND …`, with `tests` and the project on
PYTHONPATH: polls a hundred devices for metrics or status, again and again while hosts of one kind attack,
and prints a `Cost` for each kind as one line of JSON, the first one without any. The kind `all at once` is
what it says. Processor time is measured and not time, so that a busy machine changes nothing.
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
from faults.hostile_hosts import PASSWORD, USER, Endpoint
from faults.measuring import Stretches, begin_peak_anew, memory_mb

from fixtures.whole_poll import job_for, whole_poll
from netvitals.domain.polling.job import Job, Kind
from netvitals.domain.polling.observation import PollResult, Reason
from netvitals.usecases.poll_device import PollDevice

HOSTS_PROGRAM = Path(__file__).with_name("hostile_hosts.py")
CREDENTIAL: dict[str, Any] = {
    "snmp": {"community": "public"},
    "ssh": {"user": USER, "password": PASSWORD},
    "winrm": {"user": USER, "password": PASSWORD},
}
HOSTILE_SECONDS = {"snmp": 3.0, "chassis": 40.0}
"""For the hostile host alone, `device_timeout_seconds` by kind or protocol; else 2."""
PAUSE_SECONDS = 0.3
"""Between two polls of the others while it goes on."""
TOGETHER = "all at once"


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
def served(which: str) -> Iterator[dict[str, list[Endpoint]]]:
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


def well_behaved(hosts: dict[str, list[Endpoint]]) -> list[Job]:
    return [
        job_for(f"{name}-{address}", address, name.partition("-")[0], port=port, **_trust(name))
        for name, endpoints in hosts.items()
        for address, port in endpoints
    ]


def hostile(protocol: str, kind: str, endpoint: Endpoint) -> list[Job]:
    """Both kinds of jobs for one host."""
    address, port = endpoint
    job = job_for(f"hostile-{kind}-{address}", address, protocol, port=port, **_trust(protocol, kind))
    seconds = HOSTILE_SECONDS.get(kind, HOSTILE_SECONDS.get(protocol, 2.0))
    limited = msgspec.structs.replace(job.settings, device_timeout_seconds=seconds)
    job = msgspec.structs.replace(job, settings=limited)
    return [job, msgspec.structs.replace(job, device_id=f"{job.device_id}-status", kind="status")]


def _trust(protocol: str, kind: str = "") -> dict[str, bool]:
    if protocol.startswith("winrm"):
        return {"tls": kind.startswith("tls")}
    return {"trust_on_first_use": True} if protocol.startswith("ssh") else {}


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
    lost: list[str] = []
    results: list[PollResult] = []
    with Stretches() as stretches:
        attack = asyncio.ensure_future(polled(poll, attackers))
        while not (results and attack.done()):
            results = await polled(poll, neighbours.jobs)
            lost += neighbours.what_was_lost(results)
            await asyncio.wait([attack], timeout=PAUSE_SECONDS)
    results = [*attack.result(), *results]
    return Cost(
        kind=kind,
        loop_ms=stretches.loop_ms,
        held_ms=stretches.held_ms,
        memory_mb=memory_mb("VmHWM") - before,
        lost=lost,
        reached=[result.reachable for result in results[: len(attackers)]],
        reason=results[0].reason,
        detail=results[0].detail,
        points=len(results[0].points),
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - cpu,
    )


async def main(protocol: str, polled_for: Kind, *kinds: str) -> None:
    with served("neighbours") as others, served(protocol) as attackers:
        poll = whole_poll(CREDENTIAL)
        known = Neighbours(await polled(poll, well_behaved(others)))  # whatever is made once is made now
        jobs = [msgspec.structs.replace(job, kind=polled_for) for job in known.jobs]
        neighbours = Neighbours(await polled(poll, jobs))
        gc.freeze()  # as `wiring.parts` does
        tell(await measured(poll, neighbours, [], "none"))
        attackers[TOGETHER] = [endpoint for endpoints in attackers.values() for endpoint in endpoints]
        for kind in kinds:
            attack = [job for each in attackers[kind] for job in hostile(protocol, kind, each)]
            tell(await measured(poll, neighbours, attack, kind))


def tell(cost: Cost) -> None:
    sys.stdout.write(msgspec.json.encode(cost).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable()
    asyncio.run(main(*sys.argv[1:]))  # type: ignore[arg-type]  # words of the usage
    os._exit(0)  # a thread that is still kept busy must not keep the measurement
