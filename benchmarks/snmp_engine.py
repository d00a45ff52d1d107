"""What the SNMP engine costs, beside gufo-snmp's asyncio client and Debian's snmp_exporter, in one run.

CPU is what the client's own process used, the simulated devices being in another one. Run it with
`python benchmarks/snmp_engine.py`; figures of one machine are comparable with each other only.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from agents import switches
from engines import Engine, Netvitals, all_engines
from sizes import QUICK

from netvitals.collectors.snmp.wire.transport import endpoint_to

IN_FLIGHT = 50
ROUNDS = 1 if QUICK else 5
RTT_SECONDS = 0.05
CROWD = 20 if QUICK else 500

SIZES = ((24, 2, 1),) if QUICK else ((24, 50, 1), (48, 50, 1), (500, 10, 1))
"""Ports, devices, and how often each is walked."""

type Poll = Callable[[str, int], Awaitable[int]]


async def poll_all(
    poll: Poll, addresses: Sequence[str], port: int, in_flight: int = IN_FLIGHT
) -> Counter[str]:
    """How many polls ended how; the sum of values under `values`."""
    outcome: Counter[str] = Counter()
    gate = asyncio.Semaphore(in_flight)

    async def one(address: str) -> None:
        async with gate:
            try:
                values = await poll(address, port)
                outcome.update(ok=1, values=values)
            except Exception as error:  # noqa: BLE001, whatever a peer raises is a failed poll
                outcome[type(error).__name__] += 1

    await asyncio.gather(*map(one, addresses))
    return outcome


async def cpu_milliseconds(engine: Engine, poll: Poll, addresses: Sequence[str], port: int) -> float:
    """Per device, with `IN_FLIGHT` at a time."""
    before = engine.cpu_seconds()
    outcome = await poll_all(poll, addresses, port)
    assert outcome["ok"] == len(addresses), (engine.name, outcome)
    return (engine.cpu_seconds() - before) * 1000 / len(addresses)


def table(title: str, columns: Sequence[str], rows: dict[str, list[str]]) -> None:
    print(f"\n{title}\n")
    print(f"| {'':<34} |" + "".join(f" {column:>15} |" for column in columns))
    print(f"|{'-' * 36}|" + f"{'-' * 17}|" * len(columns))
    for name, cells in rows.items():
        print(f"| {name:<34} |" + "".join(f" {cell:>15} |" for cell in cells))


def _cells(figures: Sequence[float], form: str) -> list[str]:
    """The figures, and the first one as a ratio of each of the others, if that was long enough to measure."""
    ratios = [f"{figures[0] / other:.2f}" if other else "-" for other in figures[1:]]
    return [*(format(figure, form) for figure in figures), *ratios]


async def measure_cpu(engines: Sequence[Engine]) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for ports, devices, repeats in SIZES:
        with switches(ports, devices) as (addresses, port):
            tasks = ["walk"] if ports > 24 else ["get", "walk"]
            for task in tasks:
                many = addresses * (20 if task == "get" else repeats)
                samples: list[list[float]] = [[] for _ in engines]
                for _ in range(ROUNDS):
                    for engine, figures in zip(engines, samples, strict=True):
                        figures.append(await cpu_milliseconds(engine, getattr(engine, task), many, port))
                name = (
                    "GET of 10 objects"
                    if task == "get"
                    else f"walk, {ports} interfaces, {ports * 41} objects"
                )
                rows[name] = _cells([statistics.median(figures) for figures in samples], ".3f")
    return rows


async def measure_wall(engines: Sequence[Engine]) -> dict[str, list[str]]:
    with switches(48, 1, RTT_SECONDS) as (addresses, port):
        samples: list[list[float]] = [[] for _ in engines]
        for _ in range(ROUNDS):
            for engine, figures in zip(engines, samples, strict=True):
                started = time.perf_counter()
                await engine.collect(addresses[0], port)
                figures.append((time.perf_counter() - started) * 1000)
    return {"48 ports, 16 columns": _cells([statistics.median(figures) for figures in samples], ".0f")}


async def measure_crowd(engines: Sequence[Engine]) -> dict[str, list[str]]:
    rows = {}
    with switches(24, CROWD, RTT_SECONDS) as (addresses, port):
        for engine in engines:
            started = time.perf_counter()
            outcome = await poll_all(engine.collect, addresses, port, CROWD)
            seconds = time.perf_counter() - started
            rows[engine.name] = [str(outcome["ok"]), str(CROWD - outcome["ok"]), f"{seconds:.1f}"]
    return rows


def rss_mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def measure_rss(rounds: int = 10, devices: int = 2 if QUICK else 200) -> dict[str, list[str]]:
    engine, figures = Netvitals(), []
    with switches(24, devices) as (addresses, port):
        for _ in range(rounds):
            await poll_all(engine.walk, addresses, port)
            figures.append(rss_mebibytes())
        strays = endpoint_to(addresses[0]).strays
    cells = [f"{figures[0]:.1f}", f"{figures[rounds // 2]:.1f}", f"{figures[-1]:.1f}", str(strays)]
    return {f"{rounds * devices} walks": cells}


async def main() -> None:
    async with all_engines() as engines:
        names = [engine.name for engine in engines]
        ratios = [f"÷ {name}" for name in names[1:]]
        table(f"CPU ms per device, {IN_FLIGHT} in flight", [*names, *ratios], await measure_cpu(engines))
        wall = await measure_wall(engines)
        table(f"Wall ms, {RTT_SECONDS * 1000:.0f} ms round trip", [*names, *ratios], wall)
        crowd = await measure_crowd(engines)
        table(f"{CROWD} devices at once, 24 ports, 50 ms", ["complete", "failed", "seconds"], crowd)
    table("RSS MiB of netvitals after", ["round 1", "round 6", "round 10", "strays"], await measure_rss())


if __name__ == "__main__":
    asyncio.run(main())
