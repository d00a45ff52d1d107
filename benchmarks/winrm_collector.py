"""What a Windows host costs: this collector beside pywinrm's `run_ps` with the same questions, in one run.

Run it with `python benchmarks/winrm_collector.py`. Both log in by NTLM with message encryption to a simulated
host in another process, on as many threads. CPU is this process's alone. The host's PowerShell takes no time
here; on Windows it takes 0.2 to 2 s and a process of its own, which is not in these numbers.
"""

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import winrm
from sizes import QUICK
from targets import ADDRESS, target

from local.demo.hosts import domain_controller
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service
from netvitals.collectors.winrm import powershell
from netvitals.collectors.winrm.collector import WinrmCollector
from netvitals.collectors.winrm.protocol import WINRM, WinrmCredential, WinrmSettings
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

USER, PASSWORD = "monitor", "S3cret!pässword"
IN_FLIGHT = (2,) if QUICK else (1, 20, 100)
CREDENTIAL = WinrmCredential(user=USER, password=Secret(PASSWORD))
type Bench = Callable[[int, int], None]
"""Polls so many hosts, so many at once."""


class Host(NamedTuple):
    """A simulated host in another process."""

    port: int
    pipe: Connection

    def requests(self) -> int:
        self.pipe.send(None)
        return int(self.pipe.recv())


def serve(pipe: Connection) -> None:
    with WinrmHost(Service(domain_controller(1e6).machine), ADDRESS, users={USER: PASSWORD}) as host:
        pipe.send(host.port)
        with suppress(EOFError):  # the other end has what it wants
            while True:
                pipe.recv()
                pipe.send(host.requests)


def ours(host: Host) -> Bench:
    collector = WinrmCollector()
    settings = WinrmSettings(port=host.port, tls=False)
    memory = dict(asyncio.run(polled(collector, settings, {})).memory)

    async def many(hosts: int, in_flight: int) -> None:
        slots = asyncio.Semaphore(in_flight)

        async def one() -> None:
            async with slots:
                await polled(collector, settings, memory)

        await asyncio.gather(*(one() for _ in range(hosts)))

    return lambda hosts, in_flight: asyncio.run(many(hosts, in_flight))


async def polled(collector: WinrmCollector, settings: WinrmSettings, memory: dict[str, object]) -> Reading:
    reading = Reading()
    await collector.collect(target(WINRM, PollSettings(winrm=settings), CREDENTIAL, memory), reading)
    assert reading.reason is Reason.OK, reading.detail
    return reading


def run_ps(host: Host) -> Bench:
    script = powershell.script()

    def one(_: int) -> None:
        session = winrm.Session(
            f"http://{ADDRESS}:{host.port}/wsman", auth=(USER, PASSWORD), transport="ntlm"
        )
        answer = session.run_ps(script)
        assert answer.status_code == 0
        assert b"@@{" in answer.std_out

    def many(hosts: int, in_flight: int) -> None:
        with ThreadPoolExecutor(min(in_flight, 64)) as threads:
            list(threads.map(one, range(hosts)))

    return many


def measured(name: str, bench: Bench, host: Host, hosts: int, in_flight: int) -> None:
    before, cpu, wall = host.requests(), time.process_time(), time.perf_counter()
    bench(hosts, in_flight)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    requests = (host.requests() - before) / hosts
    print(f"{in_flight:9}  {name:10}  {requests:8.1f}  {1e3 * cpu / hosts:8.1f}  {1e3 * wall / hosts:8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=2 if QUICK else 100, help="polled per measurement")
    parser.add_argument("--quick", action="store_true", help="a few hosts")
    hosts = parser.parse_args().hosts
    multiprocessing.set_start_method("spawn")
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    host = Host(mine.recv(), mine)
    benches = {"netvitals": ours(host), "run_ps": run_ps(host)}
    for bench in benches.values():
        bench(2, 1)
    print("in flight  with        requests  CPU ms    wall ms   per host")
    for in_flight in IN_FLIGHT:
        for name, bench in benches.items():
            measured(name, bench, host, hosts, in_flight)
    mine.close()
    process.join(10)


if __name__ == "__main__":
    main()
