"""Does anything stay behind when hosts are polled over SSH and WinRM again and again?

    python benchmarks/leaks.py [POLLS]

Polls a simulated host of each protocol 10,000 times, 20 at once, every fifth with a wrong secret, and prints
descriptors, threads and memory of this process, which plays the servers too, after each tenth.
"""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sizes import QUICK, given
from targets import ADDRESS, target

from local.demo.hosts import domain_controller
from local.devices.ssh_server import new_key, this_machine, this_user
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service
from netvitals.collectors.ssh.collector import SshCollector
from netvitals.collectors.ssh.protocol import SSH, SshCredential, SshSettings
from netvitals.collectors.winrm.collector import WinrmCollector
from netvitals.collectors.winrm.protocol import WINRM, WinrmCredential, WinrmSettings
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.protocol import CredentialPart, Protocol
from netvitals.domain.ports import Collector
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

AT_ONCE = 20
type Poll = Callable[[int], Awaitable[str]]


def state() -> str:
    resident = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
    descriptors, mebibytes = len(list(Path("/proc/self/fd").iterdir())), int(resident.split()[1]) // 1024
    return f"{descriptors:>5} descriptors {threading.active_count():>4} threads {mebibytes:>5} MiB"


def poller[C: CredentialPart](
    protocol: Protocol[Any, C], collector: Collector, settings: PollSettings, right: C, wrong: C
) -> Poll:
    memory: dict[str, Any] = {}

    async def poll(number: int) -> str:
        reading, credential = Reading(), right if number % 5 else wrong
        await collector.collect(target(protocol, settings, credential, memory, f"host-{number}"), reading)
        if reading.reason is Reason.OK:
            memory.update(reading.memory)
        return reading.reason.value

    return poll


async def many(name: str, poll: Poll, polls: int) -> None:
    reasons: dict[str, int] = {}
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with slots:
            reason = await poll(number)
        reasons[reason] = reasons.get(reason, 0) + 1

    for tenth in range(10):
        await asyncio.gather(*(one(tenth * polls // 10 + n) for n in range(polls // 10)))
        await asyncio.sleep(0 if QUICK else 1)
        print(f"{name:<6} {(tenth + 1) * polls // 10:>6} polls  {state()}  {reasons}", flush=True)


def main(polls: int) -> None:
    login, other, host_key = new_key(), new_key(), new_key()
    user = this_user()
    with this_machine(ADDRESS, login=login, host_key=host_key) as ssh:
        settings = PollSettings(ssh=SshSettings(port=ssh.port, host_keys=(host_key.public,)))
        right, wrong = (SshCredential(user=user, private_key=Secret(key.private)) for key in (login, other))
        asyncio.run(many("ssh", poller(SSH, SshCollector(), settings, right, wrong), polls))
    host = WinrmHost(Service(domain_controller(1e6).machine), ADDRESS, users={"monitor": "secret-word"})
    with host:
        windows = PollSettings(winrm=WinrmSettings(port=host.port, tls=False))
        good, bad = (
            WinrmCredential(user="monitor", password=Secret(word)) for word in ("secret-word", "wrong-word")
        )
        asyncio.run(many("winrm", poller(WINRM, WinrmCollector(), windows, good, bad), polls))


if __name__ == "__main__":
    main(*given((10_000,), 40))
