"""Simulated switches in a process of their own, so that what they cost is on nobody's bill.

Run as `python benchmarks/agents.py '{"ports": 24, "count": 50, "delay": 0.05, "network": "127.10"}'`: prints
its UDP port and serves until its input ends. `addresses` says where.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import switch_objects
from local.devices.snmp_host import AgentHost
from local.devices.snmp_mib import Mib


def addresses(network: str, count: int) -> list[str]:
    return [f"{network}.{number // 250}.{number % 250 + 1}" for number in range(count)]


@contextmanager
def switches(
    ports: int, count: int, delay: float = 0.0, network: str = "127.10"
) -> Iterator[tuple[list[str], int]]:
    """The addresses of so many switches, and their UDP port."""
    wanted = json.dumps({"ports": ports, "count": count, "delay": delay, "network": network})
    command = [sys.executable, __file__, wanted]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield addresses(network, count), int(process.stdout.readline())
        finally:
            process.stdin.close()


async def _serve(ports: int, count: int, delay: float, network: str) -> None:
    mib = Mib(switch_objects(ports))
    async with AgentHost({address: Agent(mib, delay=delay) for address in addresses(network, count)}) as host:
        print(host.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(**json.loads(sys.argv[1])))
