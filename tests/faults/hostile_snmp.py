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
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.measuring import Stretches, begin_peak_anew, memory_mb

from fixtures.whole_poll import job_for, whole_poll
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult

HEALTHY = [f"127.0.9.{number}" for number in range(1, 100)]
HEAD_START_SECONDS = 0.3
PAUSE_SECONDS = 0.5
ROUNDS = 2


def job(address: str, port: int, kind: str) -> Job:
    return msgspec.structs.replace(job_for(address, address, "snmp", port=port), kind=kind)


async def measure(kind: str, hostile: list[str], port: int, poll_kind: str, seconds: float) -> dict[str, Any]:
    poller = whole_poll({"snmp": {"community": "public"}})

    async def healthy() -> tuple[int, float]:
        results = await asyncio.gather(*(poller.poll(job(address, port, poll_kind)) for address in HEALTHY))
        return sum(r.reason == "ok" for r in results), max(r.duration_ms for r in results) / 1000

    async def attacked(address: str) -> PollResult:
        return await poller.poll(job(address, port, poll_kind), time.monotonic() + seconds)

    await healthy()  # whatever is made once is made now
    gc.freeze()  # as `wiring.parts` does
    before = memory_mb("VmRSS")
    begin_peak_anew()
    with Stretches() as stretches:
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
        "stretch": round(stretches.loop_ms / 1000, 3),
        "grown": round(memory_mb("VmHWM") - before, 1),
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
