"""How many devices are polled at once: in all, per site, and never one device twice."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from netvitals.domain.polling.job import Job


class Slots:
    """Bounds for the polls of one run. Waiting for a busy device or site takes no slot from the others."""

    def __init__(self, at_once: int, per_site: int) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._sites: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(per_site))
        self._devices: defaultdict[tuple[object, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def taken(self, job: Job) -> AsyncIterator[None]:
        async with self._devices[_box(job)]:
            if not job.site:  # no site named, no line to spare
                async with self._all:
                    yield
                return
            async with self._sites[job.site], self._all:
                yield


def _box(job: Job) -> tuple[object, ...]:
    """What is one device to the network; behind address translation, one address has many."""
    settings = job.settings
    return job.address, settings.snmp.port, settings.ssh.port, settings.winrm.port
