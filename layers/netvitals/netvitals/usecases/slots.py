"""Limit how many devices are polled at once: in all, per site, and never one device twice."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from netvitals.domain.polling.job import Job
from netvitals.domain.protocols import PROTOCOLS
from netvitals.domain.settings.policy import PollSettings


class Slots:
    """Limits the polls of one run; a poll that waits for its device or site takes no other's slot."""

    def __init__(self, at_once: int, per_site: int) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._sites: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(per_site))
        self._devices: defaultdict[tuple[object, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def taken(self, job: Job) -> AsyncIterator[None]:
        """Wait for a slot, and hold it while the block runs."""
        async with self._devices[endpoint(job.address, job.settings)]:
            if not job.site:  # no site, so no per-site limit
                async with self._all:
                    yield
                return
            async with self._sites[job.site], self._all:
                yield


def endpoint(address: str, settings: PollSettings) -> tuple[object, ...]:
    """Return a device's address and ports: behind address translation many devices share an address."""
    ports = (each.port(each.settings_of(settings)) for each in PROTOCOLS.values())
    return address, *ports
