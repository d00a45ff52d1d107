"""Does anything stay behind when hosts are polled over SSH and WinRM again and again?

    python benchmarks/leaks.py [POLLS]

Polls a simulated host of each protocol 10,000 times, 20 at once, every fifth with a wrong secret, and prints
descriptors, threads and memory of this process, which plays the servers too, after each tenth.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local.demo.windows import domain_controller
from local.devices.ssh_host import SshHost, new_key, this_user
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service
from netvitals.collectors.ssh.collector import SshCollector
from netvitals.collectors.ssh.protocol import SSH, SshCredential, SshSettings
from netvitals.collectors.winrm.collector import WinrmCollector
from netvitals.collectors.winrm.protocol import WINRM, WinrmCredential, WinrmSettings
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.protocol import CredentialPart, Protocol
from netvitals.domain.ports import Collector, target_of
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

ADDRESS = "127.0.0.1"
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
        now = int(time.time())
        job = Job(
            kind="metrics", device_id=f"host-{number}", address=ADDRESS, due_at=now, expires_at=now + 60,
            credential="lab", settings=settings, memory=dict(memory),
        )  # fmt: skip
        reading = Reading()
        credential = right if number % 5 else wrong
        deadline = time.monotonic() + 60
        target = target_of(protocol, job, address=ADDRESS, credential=credential, deadline=deadline)
        await collector.collect(target, reading)
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
        await asyncio.sleep(1)
        print(f"{name:<6} {(tenth + 1) * polls // 10:>6} polls  {state()}  {reasons}", flush=True)


def main(polls: int) -> None:
    login, other, host_key = new_key(), new_key(), new_key()
    user = this_user()
    with SshHost(ADDRESS, 0, login=login, host_key=host_key, sshd=None) as ssh:
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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
