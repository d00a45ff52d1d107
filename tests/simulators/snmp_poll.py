"""One poll of a simulated agent by the SNMP collector, as a job asks for it."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from local.simulators.snmp_agent import Agent
from local.simulators.snmp_host import AgentHost
from netvitals.collectors.snmp.collector import SnmpCollector
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading
from netvitals.domain.ports import Target
from netvitals.domain.settings.credential import Credential, credential_from
from netvitals.domain.settings.policy import PollSettings

ADDRESS = "127.0.77.1"
PUBLIC = credential_from("lab", {"snmp": {"community": "public"}})


@asynccontextmanager
async def served(
    agent: Agent,
    *,
    kind: str = "metrics",
    snmp: Mapping[str, Any] | None = None,
    memory: dict[str, Any] | None = None,
    credential: Credential = PUBLIC,
    seconds: float = 5.0,
) -> AsyncIterator[Target]:
    """The agent on its address, as a collector is told of it."""
    async with AgentHost({ADDRESS: agent}) as host:
        settings = {"snmp": {"port": host.port, "timeout_seconds": 0.3, "retries": 1, **(snmp or {})}}
        job = msgspec.convert(
            {
                "kind": kind,
                "device_id": "sw-1",
                "address": ADDRESS,
                "due_at": 0,
                "expires_at": 1,
                "settings": msgspec.to_builtins(msgspec.convert(settings, PollSettings)),
                "memory": memory or {},
                "credential": "lab",
            },
            Job,
        )
        deadline = time.monotonic() + seconds
        yield Target(job=job, address=ADDRESS, credential=credential, deadline=deadline)


async def poll(agent: Agent, *, profiles: ProfileBook | None = None, **given: Any) -> Reading:
    """What the collector reads; `given` is as for `served`."""
    reading = Reading()
    async with served(agent, **given) as target:
        await SnmpCollector(profiles).collect(target, reading)
    return reading


def values(reading: Reading, metric: str) -> dict[str, float]:
    return {p.instance: p.value for p in reading.points if p.metric_name == metric}
