"""Poll a device over one protocol, within its share of the time, and keep what was read whatever happens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from netvitals.domain.errors import ConfigurationError, CredentialMissing, Unavailable
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.protocol import CredentialPart, Protocol
from netvitals.domain.ports import Collector, CredentialStore, target_of
from netvitals.domain.settings.credential import part_of
from netvitals.domain.settings.redaction import without_secrets
from netvitals.domain.text import printable
from netvitals.usecases.faults import log_fault

WIND_DOWN_SHARE = 0.05
"""Share of a collector's time by which its own deadline lies before the end, so that it ends by itself."""
SILENT_SECONDS = 3.0
"""Seconds for the first reply of a device that has been silent for long: two tries."""
CANCEL_GRACE_SECONDS = 0.5
"""Seconds that a cancelled task has before it is abandoned."""
_logger = logging.getLogger(__name__)


def seconds_left(end: float) -> float:
    """Return the seconds until `end`, which is on the event loop's clock; 0 once it is past."""
    return max(0.0, end - asyncio.get_running_loop().time())


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, wait CANCEL_GRACE_SECONDS for them to end, then abandon them."""
    cancelled = [task for task in tasks if task.cancel()]
    for task in cancelled:
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    if cancelled:
        await asyncio.wait(cancelled, timeout=CANCEL_GRACE_SECONDS)


class Query(NamedTuple):
    """One poll of a device over one protocol: what is polled, where results go, how long it may take."""

    job: Job
    protocol: Protocol[Any, Any]
    address: str
    reading: Reading
    end: float
    """End of the poll, on the event loop's clock."""
    patience_seconds: float
    """Seconds for a device that does not reply at all."""


class ProtocolRunner:
    """Runs the collector of a query's protocol; the outcome is in the query's reading."""

    def __init__(
        self,
        resolve: Callable[[str], Awaitable[str]],
        credentials: CredentialStore,
        collector_for: Callable[[str], Collector],
    ) -> None:
        self._resolve = resolve
        self._credentials = credentials
        self._collector_for = collector_for

    async def run(self, query: Query) -> None:
        """Poll the device, once more with a credential that was renewed; its faults are in the reading.

        Raises:
            Unavailable: the credential store can't be read.
        """
        reading = query.reading
        try:
            credential = await self._credential(query)
            collector = self._collector_for(query.protocol.name)
        except CredentialMissing as error:
            return reading.fail(Reason.BAD_CREDENTIAL, str(error))
        except ConfigurationError as error:
            return reading.fail(Reason.UNSUPPORTED, str(error))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001, a collector that can't even be loaded
            return self._crashed(query, error)
        await self._collect(query, collector, credential)
        if reading.reason is Reason.AUTH and not reading.points:
            renewed = await self._renewed(query, credential)
            if renewed is not None:
                reading.fail(Reason.TIMEOUT, "")
                await self._collect(query, collector, renewed)
        return None

    async def _collect(self, query: Query, collector: Collector, credential: CredentialPart) -> None:
        job, protocol, address, reading, end, patience_seconds = query
        wind_down = seconds_left(end) * WIND_DOWN_SHARE
        target = target_of(
            protocol,
            job,
            address=address,
            credential=credential,
            deadline=end - wind_down,
            resolve=self._resolve,
        )
        task = asyncio.create_task(collector.collect(target, reading))
        try:
            patience = min(SILENT_SECONDS, patience_seconds) if job.silent else patience_seconds
            done, _ = await asyncio.wait({task}, timeout=min(patience, seconds_left(end)))
            if not done and reading.alive:
                done, _ = await asyncio.wait({task}, timeout=seconds_left(end))
        finally:
            await stop(task)
        # A device may repeat what it was given, in any protocol; and may say what a terminal obeys.
        reading.detail = without_secrets(printable(reading.detail), credential)
        if not done:
            return _report_cut_short(reading, protocol.name)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            self._crashed(query, error)
        return None

    def _crashed(self, query: Query, error: BaseException) -> None:
        kind = type(error).__name__
        query.reading.fail(Reason.INTERNAL, f"a fault of netvitals itself ({kind}), see its log")
        log_fault(_logger, f"collecting over {query.protocol.name}, device {query.job.device_id}", error)

    async def _credential(self, query: Query) -> CredentialPart:
        name = query.job.credential
        try:
            credential = self._credentials.get(name)
        except CredentialMissing:
            await self._refresh(query.end)
            credential = self._credentials.get(name)
        if not name:
            raise CredentialMissing(
                f"the device names no credential, and {query.protocol.name} needs one: set `credential`"
            )
        part: CredentialPart = part_of(credential, query.protocol, name)
        return part

    async def _renewed(self, query: Query, refused: CredentialPart) -> CredentialPart | None:
        """Return what the store holds now, if it differs: passwords are rotated while a process lives."""
        try:
            await self._refresh(query.end)
            credential = self._credentials.get(query.job.credential)
        except (CredentialMissing, Unavailable):
            return None
        part = query.protocol.part_of(credential)
        return part if part != refused else None

    async def _refresh(self, end: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(end):
                await asyncio.to_thread(self._credentials.refresh)


def _report_cut_short(reading: Reading, protocol: str) -> None:
    """Put into the reading that time ran out, unless the collector has given a reason of its own."""
    if reading.reason is not Reason.TIMEOUT:
        return
    if reading.points:
        reading.fail(
            Reason.PARTIAL, f"{protocol} was cut short by the device's time limit, the rest is missing"
        )
    elif not reading.detail:
        reading.detail = f"{protocol} gave nothing within the device's time limit"
