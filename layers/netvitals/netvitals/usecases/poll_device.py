"""Poll one device: is it there, and what does it say."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import time_ns

import msgspec

from netvitals.domain.errors import AddressDenied, NameNotResolved
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult, Reading, Reason
from netvitals.domain.ports import Collector, CredentialStore, Prober
from netvitals.domain.settings.policy import PingSettings, PollSettings
from netvitals.usecases.ask import AskProtocol, Question, seconds_left, stop
from netvitals.usecases.faults import log_fault
from netvitals.usecases.verdict import Verdict, is_loopback, tells_something, vetted

_logger = logging.getLogger(__name__)


class PollDevice:
    """Polls a device with the host probe and the device's protocols, within its time.

    `resolve` gives the vetted address to dial and raises AddressDenied or NameNotResolved;
    `collector_for` gives the collector of a protocol and raises ConfigurationError where there is none.
    """

    def __init__(
        self,
        resolve: Callable[[str], Awaitable[str]],
        credentials: CredentialStore,
        prober: Prober,
        collector_for: Callable[[str], Collector],
    ) -> None:
        self._resolve = resolve
        self._prober = prober
        self._protocol = AskProtocol(resolve, credentials, collector_for)

    async def poll(self, job: Job, deadline: float | None = None) -> PollResult:
        """What the device answered until its time ran out; a device's faults are in the result.

        The deadline is on the event loop's clock, `time.monotonic`.

        Raises:
            Unavailable: the credential store can't be read, which is no fault of the device.
        """
        loop = asyncio.get_running_loop()
        started, attempted_at_ns = loop.time(), time_ns()
        end = started + job.settings.device_timeout_seconds
        verdict = Verdict(job)
        await self._ask(verdict, end if deadline is None else min(end, deadline))
        duration_ms = (loop.time() - started) * 1e3
        points, faults = vetted(verdict.points(duration_ms, time_ns()))
        return PollResult(
            job=job,
            reachable=verdict.reachable,
            method=verdict.method,
            reason=verdict.reason,
            detail=verdict.detail or _told(faults),
            attempted_at_ns=attempted_at_ns,
            duration_ms=duration_ms,
            points=points,
            point_faults=faults,
            memory=verdict.memory,
        )

    async def _ask(self, verdict: Verdict, end: float) -> None:
        address = await self._address(verdict, end)
        if address is None:
            return
        probe = asyncio.create_task(self._probe(verdict, address))
        try:
            await self._ask_protocols(verdict, address, probe, end)
            # An echo that is late counts as lost; a TCP probe has nothing to add to a protocol's reply.
            if not verdict.replied or self._prober.method(address) == "icmp":
                await asyncio.wait({probe}, timeout=seconds_left(end))
        finally:
            await stop(probe)

    async def _address(self, verdict: Verdict, end: float) -> str | None:
        host = verdict.job.address
        try:
            async with asyncio.timeout_at(end):
                return await self._resolve(host)
        except (AddressDenied, NameNotResolved) as error:
            cause = str(error)
        except TimeoutError:
            cause = f"{host} was not resolved within the device's time limit"
        refused = Reading()
        refused.fail(Reason.BAD_ADDRESS, cause)
        verdict.add("", refused)
        return None

    async def _ask_protocols(
        self, verdict: Verdict, address: str, probe: asyncio.Task[None], end: float
    ) -> None:
        """One protocol after another, until one gives something or nothing at all is alive there."""
        job = verdict.job
        for place, protocol in enumerate(job.settings.protocols):
            reading = Reading()
            verdict.add(protocol, reading)
            patience = seconds_left(end) / (len(job.settings.protocols) - place)
            await self._protocol.ask(Question(job, protocol, address, reading, end, patience))
            if tells_something(reading, job.kind):
                return
            await asyncio.wait({probe}, timeout=seconds_left(end))
            if verdict.dead:
                return

    async def _probe(self, verdict: Verdict, address: str) -> None:
        """Probe the host; on loopback only an accepted connection counts where there are protocols to ask.

        The local kernel answers ping and refuses TCP for every address of 127.0.0.0/8, so neither says
        anything about a device that is simulated there; its protocol's reply does.
        """
        settings = verdict.job.settings
        if not settings.ping.enabled:
            return
        simulated = is_loopback(address) and bool(settings.protocols)
        try:
            reach = await self._prober.probe(address, _with_own_ports(settings), connect_only=simulated)
        except Exception as error:  # noqa: BLE001, a prober's fault must not cost the protocols' readings
            log_fault(_logger, f"probing the host, device {verdict.job.device_id}", error)
            return
        if not simulated or reach.accepted:
            verdict.saw(reach, time_ns())


def _told(faults: Sequence[str]) -> str:
    return f"{len(faults)} values were unfit to be stored: {faults[0]} …" if faults else ""


def _with_own_ports(settings: PollSettings) -> PingSettings:
    """The ports of the device's own protocols are knocked at as well: they are the likeliest to be open."""
    own = {"ssh": settings.ssh.port, "winrm": settings.winrm.port or (5986 if settings.winrm.tls else 5985)}
    ports = dict.fromkeys(
        (*(own[name] for name in settings.protocols if name in own), *settings.ping.tcp_ports)
    )
    return msgspec.structs.replace(settings.ping, tcp_ports=tuple(ports))
