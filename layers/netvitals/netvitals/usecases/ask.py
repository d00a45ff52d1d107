"""Ask a device over one protocol, within its share of the time, and keep what was read whatever happens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from netvitals.domain.errors import ConfigurationError, CredentialMissing, Unavailable
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import Collector, CredentialStore, Target
from netvitals.domain.settings.credential import Credential
from netvitals.usecases.faults import log_fault

WIND_DOWN_SHARE = 0.05
"""A collector's own deadline lies this share of its time before the end, so that it ends by itself."""
CANCEL_GRACE_SECONDS = 0.5
"""What a cancelled task is given before it is left behind."""
_logger = logging.getLogger(__name__)


def seconds_left(end: float) -> float:
    return max(0.0, end - asyncio.get_running_loop().time())


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and wait for them no longer than they deserve."""
    cancelled = [task for task in tasks if task.cancel()]
    for task in cancelled:
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    if cancelled:
        await asyncio.wait(cancelled, timeout=CANCEL_GRACE_SECONDS)


class Question(NamedTuple):
    """What is asked of whom, where the answer goes, and how long it may take."""

    job: Job
    protocol: str
    address: str
    reading: Reading
    end: float
    """On the event loop's clock."""
    patience: float
    """Seconds, for a device that does not reply at all."""


class AskProtocol:
    """Puts a question through the protocol's collector; the outcome stands in the question's reading."""

    def __init__(
        self,
        resolve: Callable[[str], Awaitable[str]],
        credentials: CredentialStore,
        collector_for: Callable[[str], Collector],
    ) -> None:
        self._resolve = resolve
        self._credentials = credentials
        self._collector_for = collector_for

    async def ask(self, question: Question) -> None:
        """The device's faults are in the reading.

        Raises:
            Unavailable: the credential store can't be read.
        """
        reading = question.reading
        try:
            credential = await self._credential(question)
            collector = self._collector_for(question.protocol)
        except CredentialMissing as error:
            return reading.fail(Reason.BAD_CREDENTIAL, str(error))
        except ConfigurationError as error:
            return reading.fail(Reason.UNSUPPORTED, str(error))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001, a collector that can't even be loaded
            return self._crashed(question, error)
        await self._collect(question, collector, credential)
        if reading.reason is Reason.AUTH and not reading.points:
            renewed = await self._renewed(question, credential)
            if renewed is not None:
                reading.fail(Reason.TIMEOUT, "")
                await self._collect(question, collector, renewed)
        return None

    async def _collect(self, question: Question, collector: Collector, credential: Credential) -> None:
        job, protocol, address, reading, end, patience = question
        wind_down = seconds_left(end) * WIND_DOWN_SHARE
        target = Target(
            job=job,
            address=address,
            credential=credential,
            deadline=end - wind_down,
            resolve=self._resolve,
        )
        task = asyncio.create_task(collector.collect(target, reading))
        try:
            done, _ = await asyncio.wait({task}, timeout=min(patience, seconds_left(end)))
            if not done and reading.alive:
                done, _ = await asyncio.wait({task}, timeout=seconds_left(end))
        finally:
            await stop(task)
        if not done:
            return _cut_short(reading, protocol)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            self._crashed(question, error)
        return None

    def _crashed(self, question: Question, error: BaseException) -> None:
        kind = type(error).__name__
        question.reading.fail(Reason.INTERNAL, f"a fault of netvitals itself ({kind}), see its log")
        log_fault(_logger, f"collecting over {question.protocol}, device {question.job.device_id}", error)

    async def _credential(self, question: Question) -> Credential:
        name, protocol = question.job.credential, question.protocol
        try:
            credential = self._credentials.get(name)
        except CredentialMissing:
            await self._refresh(question.end)
            credential = self._credentials.get(name)
        if not name:
            raise CredentialMissing(
                f"the device names no credential, and {protocol} needs one: set `credential`"
            )
        if getattr(credential, protocol) is None:
            raise CredentialMissing(
                f"credential {name!r} has no {protocol!r} part: add it to the credential map"
            )
        return credential

    async def _renewed(self, question: Question, refused: Credential) -> Credential | None:
        """What the store holds now, if something else: passwords are rotated while a process lives."""
        try:
            await self._refresh(question.end)
            credential = self._credentials.get(question.job.credential)
        except (CredentialMissing, Unavailable):
            return None
        return credential if credential != refused else None

    async def _refresh(self, end: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(end):
                await asyncio.to_thread(self._credentials.refresh)


def _cut_short(reading: Reading, protocol: str) -> None:
    """Time ran out under the collector: say so, unless it has said something better itself."""
    if reading.reason is not Reason.TIMEOUT:
        return
    if reading.points:
        reading.fail(
            Reason.PARTIAL, f"{protocol} was cut short by the device's time limit, the rest is missing"
        )
    elif not reading.detail:
        reading.detail = f"{protocol} gave nothing within the device's time limit"
