"""Poll one hostile SNMP device among healthy ones, for real, and print what it cost the others.

    python tests/faults/hostile_snmp.py KIND [HOSTILE_DEVICES [metrics|status [SECONDS]]]

One line of JSON: `read` healthy polls that were complete, of `healthy`; `stretch` the most processor seconds
of the loop's thread that one callback took while the hostile device was polled; `grown` by how many MB the
process had grown at its largest; `slowest` the longest healthy poll, in seconds; and of each hostile device
reason, detail, points and seconds.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.registry import collector_for
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult
from netvitals.domain.settings.credential import Credential, credential_from
from netvitals.domain.settings.policy import PollSettings
from netvitals.usecases.poll_device import PollDevice

HEALTHY = [f"127.0.9.{number}" for number in range(1, 100)]
HEAD_START_SECONDS = 0.3
PAUSE_SECONDS = 0.5
ROUNDS = 2


class Credentials:
    def get(self, name: str) -> Credential:
        return credential_from(name, {"snmp": {"community": "public"}})

    def refresh(self) -> bool:
        return False


def job(address: str, port: int, kind: str, memory: dict[str, Any] | None = None) -> Job:
    settings = {"protocols": ["snmp"], "ping": {"enabled": False}, "snmp": {"port": port}}
    given = {
        "kind": kind,
        "device_id": address,
        "address": address,
        "due_at": int(time.time()),
        "expires_at": int(time.time()) + 300,
        "credential": "lab",
        "settings": msgspec.to_builtins(msgspec.convert(settings, PollSettings)),
        "memory": memory or {},
    }
    return msgspec.convert(given, Job)


class Stretch:
    """The most processor time of this thread that one callback of the loop has taken."""

    def __init__(self) -> None:
        self.worst = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        run = asyncio.Handle._run  # where every callback and every step of a task passes

        def timed(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.worst = max(self.worst, time.thread_time() - began)

        asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]  # to look at what passes
        try:
            yield
        finally:
            asyncio.Handle._run = run  # type: ignore[method-assign]  # as it was


def megabytes(key: str) -> float:
    """`VmRSS`, what the process holds now, or `VmHWM`, the most that it ever held."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key)]
    return int(line.split()[1]) / 1024


def forget_peak() -> None:
    """Let `VmHWM` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


async def measure(kind: str, hostile: list[str], port: int, poll_kind: str, seconds: float) -> dict[str, Any]:
    poller = PollDevice(
        Resolver(Guard(["127.0.0.0/8"], allow_local=True)).resolve, Credentials(), HostProber(), collector_for
    )

    async def healthy() -> tuple[int, float]:
        results = await asyncio.gather(*(poller.poll(job(address, port, poll_kind)) for address in HEALTHY))
        return sum(r.reason == "ok" for r in results), max(r.duration_ms for r in results) / 1000

    async def attacked(address: str) -> PollResult:
        return await poller.poll(job(address, port, poll_kind), time.monotonic() + seconds)

    await healthy()  # whatever is made once is made now
    gc.freeze()  # as `wiring.parts` does
    before, stretch = megabytes("VmRSS"), Stretch()
    forget_peak()
    with stretch.measured():
        evil = [asyncio.ensure_future(attacked(address)) for address in hostile]
        await asyncio.sleep(HEAD_START_SECONDS)
        rounds = [await healthy() for _ in range(ROUNDS)]
        while not all(task.done() for task in evil):
            await asyncio.sleep(PAUSE_SECONDS)
            rounds.append(await healthy())
        results = [task.result() for task in evil]
    return {
        "kind": kind,
        "healthy": len(HEALTHY) * len(rounds),
        "read": sum(read for read, _ in rounds),
        "slowest": round(max(slowest for _, slowest in rounds), 2),
        "stretch": round(stretch.worst, 3),
        "grown": round(megabytes("VmHWM") - before, 1),
        "hostile": [
            [r.reason.value, r.detail, len(r.points), round(r.duration_ms / 1000, 1)] for r in results
        ],
    }


def main(kind: str, hostile_devices: str = "1", poll_kind: str = "metrics", seconds: str = "4") -> None:
    hostile = [f"127.0.8.{number}" for number in range(1, int(hostile_devices) + 1)]
    command = [sys.executable, "-m", "local.devices.snmp_hostile", kind, ",".join(hostile), *HEALTHY]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as agents:
        assert agents.stdout is not None
        try:
            port = int(agents.stdout.readline())
            sys.stdout.write(
                json.dumps(asyncio.run(measure(kind, hostile, port, poll_kind, float(seconds)))) + "\n"
            )
        finally:
            agents.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
