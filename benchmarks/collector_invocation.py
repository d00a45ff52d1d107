"""One invocation of the collector with 500 devices 50 ms away: time, CPU and memory.

The devices are simulated in a process of their own; guard, host probe, engine, profiles, and the encoding
of lines are the real ones, and the stores take everything at once. Each case runs in a fresh process, as a
cold Lambda does. Run it with `python benchmarks/collector_invocation.py`.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Collection, Sequence

from agents import switches
from sizes import QUICK

from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.registry import collector_for
from netvitals.collectors.snmp.protocol import SnmpCredential, SnmpSettings
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.polling.job import Job, Kind, encode_jobs
from netvitals.domain.polling.observation import KnownState, Observation
from netvitals.domain.polling.samples_codec import pack
from netvitals.domain.ports import QueueMessage, SampleRecord
from netvitals.domain.settings.credential import Credential
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret
from netvitals.store.outcome import StoreReport
from netvitals.usecases.collect import Collect, CollectReport
from netvitals.usecases.poll_device import PollDevice
from netvitals.usecases.store_results import StoreResults

DEVICES, DEAD = (20, 0) if QUICK else (500, 25)
PORTS, RTT_SECONDS = 24, 0.05
INVOCATION_SECONDS = 120.0
COLUMNS = [
    "   kind", "at once", "dead", "wall s", "CPU s", "CPU ms per device",
    "slowest device s", "peak MB", "points",
]  # fmt: skip


class Stores:
    """Take everything, and know the credential that the simulated devices take."""

    def keep(self, lines: Sequence[str], deadline: float) -> StoreReport:
        assert deadline
        return StoreReport(written=len(lines))

    def known(self, device_ids: Collection[str], *, samples: bool = False) -> dict[str, KnownState]:
        assert samples or device_ids
        return {}

    def record(self, records: Sequence[SampleRecord]) -> frozenset[str]:
        return frozenset(each.device_id for each in records if pack(each.samples))

    def redeliver(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        raise AssertionError(messages, seconds)

    def get(self, name: str) -> Credential:
        assert name
        return Credential(snmp=SnmpCredential(community=Secret("public")))

    def refresh(self) -> bool:
        return False


class Observations:
    """Take everything."""

    def keep(self, observations: Sequence[Observation]) -> int:
        assert observations
        return 0


def messages(addresses: Sequence[str], port: int, kind: Kind) -> list[QueueMessage]:
    now = int(time.time())
    settings = PollSettings(snmp=SnmpSettings(port=port))
    jobs = [
        Job(
            kind=kind, device_id=address, address=address, credential="c",
            due_at=now, expires_at=now + 300, interval=300, settings=settings,
        )
        for address in addresses
    ]  # fmt: skip
    return [QueueMessage(job.device_id, encode_jobs([job])) for job in jobs]


async def invoke(batch: Sequence[QueueMessage], at_once: int) -> CollectReport:
    stores = Stores()
    resolve = Resolver(Guard([], allow_local=True)).resolve
    device = PollDevice(resolve, stores, HostProber(), collector_for)
    store = StoreResults(stores, Observations(), stores)
    limits: dict[Kind, int] = {"status": at_once, "metrics": at_once}
    collect = Collect(device, stores, store, stores, at_once=limits, per_site=at_once)
    return await collect.run(batch, asyncio.get_running_loop().time() + INVOCATION_SECONDS)


def measured(case: dict[str, int | str]) -> dict[str, float]:
    """A first invocation, and a second in the same process, of which the figures are."""
    kind: Kind = "status" if case["kind"] == "status" else "metrics"
    with switches(PORTS, DEVICES, RTT_SECONDS, "127.30") as (addresses, port):
        dead = [f"127.31.0.{n + 1}" for n in range(int(case["dead"]))]
        batch = messages([*addresses[: DEVICES - len(dead)], *dead], port, kind)
        with asyncio.Runner() as runner:
            runner.run(invoke(batch[:20], 20))
            wall, cpu = time.perf_counter(), time.process_time()
            report = runner.run(invoke(batch, int(case["at_once"])))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert report.devices_unreachable == len(dead), report
    assert report.reasons["ok"] == len(batch) - len(dead), report.reasons
    return {
        "wall": wall,
        "cpu": cpu,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "points": report.points_written,
        "slowest": max(report.poll_seconds),
    }


def main() -> None:
    print(f"One invocation, {DEVICES} switches of {PORTS} ports, {RTT_SECONDS * 1000:.0f} ms away\n")
    for row in (COLUMNS, ["-" * len(column) for column in COLUMNS]):
        print("| " + " | ".join(row) + " |")
    for kind in ("status", "metrics"):
        for at_once, dead in ((500, DEAD),) if QUICK else ((50, 0), (200, 0), (500, 0), (500, DEAD)):
            case = {"kind": kind, "at_once": at_once, "dead": dead}
            done = subprocess.run(
                [sys.executable, __file__, json.dumps(case), *sys.argv[1:]],
                check=True,
                stdout=subprocess.PIPE,
            )
            found = json.loads(done.stdout)
            figures = (
                kind, at_once, dead, f"{found['wall']:.2f}", f"{found['cpu']:.2f}",
                f"{found['cpu'] * 1000 / DEVICES:.2f}", f"{found['slowest']:.2f}", f"{found['rss']:.0f}",
                f"{found['points']:.0f}",
            )  # fmt: skip
            cells = (str(figure).rjust(len(name)) for figure, name in zip(figures, COLUMNS, strict=True))
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] not in ([], ["--quick"]):
        print(json.dumps(measured(json.loads(sys.argv[1]))))
    else:
        main()
