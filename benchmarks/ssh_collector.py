"""What a host over SSH costs: this collector beside paramiko's own client with the same probe, in one run.

Run it with `python benchmarks/ssh_collector.py`. Both log in to Debian's sshd on loopback with the
same key and check its host key; the plain client is used as its documentation shows, on as many threads, and
nothing is made of what the probe prints. CPU is this process's alone; wall time holds sshd's work as well, on
the same cores.
"""

import argparse
import asyncio
import base64
import io
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import paramiko
from sizes import QUICK
from targets import target

from local.devices.ssh_server import this_user
from local.servers.sshd import HOST, Sshd, generate_key, public_folder
from netvitals.collectors.ssh.collector import SshCollector
from netvitals.collectors.ssh.probe import Probe
from netvitals.collectors.ssh.protocol import SSH, SshCredential, SshSettings
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

IN_FLIGHT = (2,) if QUICK else (1, 20, 100)
type Bench = Callable[[int, int], None]
"""Polls so many hosts, so many at once."""


class Account:
    """Who logs in where."""

    def __init__(self, sshd: Sshd, user: str, key: str) -> None:
        self.sshd, self.user, self.key = sshd, user, key


def ours(account: Account) -> Bench:
    collector = SshCollector()
    settings = SshSettings(
        port=account.sshd.port, host_keys=(account.sshd.host_key,), connect_timeout_seconds=60
    )
    credential = SshCredential(user=account.user, private_key=Secret(account.key))
    memory = {"ssh": {"cpu": {"busy": 0, "total": 0, "uptime": 0.0, "at": int(time.time())}}}

    async def poll(slots: asyncio.Semaphore) -> None:
        reading = Reading()
        async with slots:
            await collector.collect(target(SSH, PollSettings(ssh=settings), credential, memory), reading)
        assert reading.reason is Reason.OK, reading.detail

    async def polls(hosts: int, at_once: int) -> None:
        slots = asyncio.Semaphore(at_once)
        await asyncio.gather(*(poll(slots) for _ in range(hosts)))

    return lambda hosts, at_once: asyncio.run(polls(hosts, at_once))


def plain(account: Account) -> Bench:
    def poll(_: int) -> None:
        client = paramiko.SSHClient()  # it rejects unknown host keys unless it is told otherwise
        kind, encoded = account.sshd.host_key.split()
        host_key = paramiko.Ed25519Key(data=base64.b64decode(encoded))
        client.get_host_keys().add(f"[{HOST}]:{account.sshd.port}", kind, host_key)
        key = paramiko.Ed25519Key.from_private_key(io.StringIO(account.key))
        client.connect(
            HOST, account.sshd.port, account.user, pkey=key, look_for_keys=False, allow_agent=False,
            timeout=60, banner_timeout=60, auth_timeout=60,
        )  # fmt: skip
        probe = Probe(second_sample=False, disks=True)
        stdin, stdout, _stderr = client.exec_command("sh")
        stdin.write(probe.stdin)
        stdin.channel.shutdown_write()
        assert stdout.read().endswith(probe.end)
        client.close()

    def polls(hosts: int, at_once: int) -> None:
        with ThreadPoolExecutor(at_once) as threads:
            list(threads.map(poll, range(hosts)))

    return polls


def measured(bench: Bench, hosts: int, at_once: int) -> tuple[float, float]:
    """Milliseconds per host: CPU of this process, and wall time."""
    wall, cpu = time.perf_counter(), time.process_time()
    bench(hosts, at_once)
    return (time.process_time() - cpu) * 1e3 / hosts, (time.perf_counter() - wall) * 1e3 / hosts


def report(account: Account, hosts: int, rounds: int) -> None:
    benches = {"paramiko's SSHClient": plain(account), "netvitals": ours(account)}
    for bench in benches.values():
        bench(2, 1)
    print(f"milliseconds per host, best of {rounds} x {hosts} hosts, in turn; CPU of the poller alone")
    for at_once in IN_FLIGHT:
        runs = [{name: measured(b, hosts, at_once) for name, b in benches.items()} for _ in range(rounds)]
        best = {name: [min(run[name][i] for run in runs) for i in (0, 1)] for name in benches}
        (plain_cpu, plain_wall), (cpu, wall) = best.values()
        for name, (its_cpu, its_wall) in best.items():
            print(f"{at_once:4} in flight  {name:22} CPU {its_cpu:6.1f}   wall {its_wall:6.1f}")
        print(f"{'':16}ratio{'':18} CPU {cpu / plain_cpu:6.2f}   wall {wall / plain_wall:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=2 if QUICK else 100)
    parser.add_argument("--rounds", type=int, default=1 if QUICK else 3)
    parser.add_argument("--quick", action="store_true", help="a few hosts, once")
    given = parser.parse_args()
    with public_folder() as folder, tempfile.TemporaryDirectory() as keys:
        sshd, user = Sshd(folder / "sshd", "PermitRootLogin prohibit-password"), this_user()
        sshd.allow(user, generate_key(Path(keys) / "key", "ed25519"))
        sshd.start()
        try:
            report(Account(sshd, user, (Path(keys) / "key").read_text()), given.hosts, given.rounds)
        finally:
            sshd.stop()


if __name__ == "__main__":
    main()
