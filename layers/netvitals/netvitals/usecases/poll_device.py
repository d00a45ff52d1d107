"""Poll one device: decide whether it is reachable, and read its vital signs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import time, time_ns

import msgspec

from netvitals.domain.errors import AddressDenied, NameNotResolved
from netvitals.domain.polling.instances import Admitted, admitted, instances_of
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult, Reading, Reason
from netvitals.domain.ports import Collector, CredentialStore, Prober
from netvitals.domain.protocols import PROTOCOLS
from netvitals.domain.settings.policy import PingSettings, PollSettings
from netvitals.usecases.faults import log_fault
from netvitals.usecases.late_task import LateTask
from netvitals.usecases.poll_outcome import PollOutcome, has_answer, is_loopback
from netvitals.usecases.protocol_runner import ProtocolRunner, Query, seconds_left
from netvitals.usecases.turns import in_turns

HEAD_START_SECONDS = 1.0
"""Seconds for the first protocol to reply before the host is probed by TCP, which adds nothing to a reply."""
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
        self._runner = ProtocolRunner(resolve, credentials, collector_for)

    async def poll(self, job: Job, deadline: float | None = None) -> PollResult:
        """Return what the device answered until its time ran out; a device's faults are in the result.

        The deadline is on the event loop's clock, `time.monotonic`.

        Raises:
            Unavailable: the credential store can't be read, which is no fault of the device.
        """
        loop = asyncio.get_running_loop()
        started, attempted_at_ns = loop.time(), time_ns()
        end = started + job.settings.device_timeout_seconds
        outcome = PollOutcome(job)
        await self._ask(outcome, end if deadline is None else min(end, deadline))
        duration_ms = (loop.time() - started) * 1e3
        admission = await in_turns(admitted(outcome.measured, instances_of(job.memory), time()))
        outcome.keep(admission)
        return PollResult(
            job=job,
            reachable=outcome.reachable,
            method=outcome.method,
            reason=outcome.reason,
            detail=outcome.detail or _invalid_points(admission),
            attempted_at_ns=attempted_at_ns,
            duration_ms=duration_ms,
            points=outcome.points(duration_ms, time_ns()),
            interfaces=outcome.interfaces,
            point_faults=admission.faults,
            points_unfit=admission.unfit + admission.surplus,
            instances_refused=admission.refused,
            memory=outcome.memory,
        )

    async def _ask(self, outcome: PollOutcome, end: float) -> None:
        address = await self._address(outcome, end)
        if address is None:
            return
        echoes = self._prober.method(address) == "icmp"
        probe = LateTask(lambda: self._probe(outcome, address))
        if echoes:
            probe.start()
        else:
            probe.start_after(HEAD_START_SECONDS, unless=lambda: outcome.replied)
        try:
            await self._ask_protocols(outcome, address, probe, end)
            # An echo that is late counts as lost; a TCP probe has nothing to add to a protocol's reply.
            if echoes or not outcome.replied:
                await probe.wait(end)
        finally:
            await probe.stop()

    async def _address(self, outcome: PollOutcome, end: float) -> str | None:
        host = outcome.job.address
        try:
            async with asyncio.timeout_at(end):
                return await self._resolve(host)
        except (AddressDenied, NameNotResolved) as error:
            cause = str(error)
        except TimeoutError:
            cause = f"{host} was not resolved within the device's time limit"
        refused = Reading()
        refused.fail(Reason.BAD_ADDRESS, cause)
        outcome.add_reading("", refused)
        return None

    async def _ask_protocols(self, outcome: PollOutcome, address: str, probe: LateTask, end: float) -> None:
        """Try one protocol after another, until one has an answer or the device is found dead."""
        job = outcome.job
        for place, name in enumerate(job.settings.protocols):
            reading = Reading()
            outcome.add_reading(name, reading)
            patience_seconds = seconds_left(end) / (len(job.settings.protocols) - place)
            await self._runner.run(Query(job, PROTOCOLS[name], address, reading, end, patience_seconds))
            if has_answer(reading, job.kind):
                return
            if not outcome.replied:
                await probe.wait(end)
            if outcome.dead:
                return

    async def _probe(self, outcome: PollOutcome, address: str) -> None:
        """Probe the host; on loopback only an accepted connection counts where there are protocols to ask.

        The local kernel answers ping and refuses TCP for every address of 127.0.0.0/8, so neither says
        anything about a device that is simulated there; its protocol's reply does.
        """
        settings = outcome.job.settings
        if not settings.ping.enabled:
            return
        simulated = is_loopback(address) and bool(settings.protocols)
        try:
            reach = await self._prober.probe(address, _with_own_ports(settings), connect_only=simulated)
        except Exception as error:  # noqa: BLE001, a prober's fault must not cost the protocols' readings
            log_fault(_logger, f"probing the host, device {outcome.job.device_id}", error)
            return
        if not simulated or reach.accepted:
            outcome.add_reach(reach, time_ns())


def _invalid_points(admission: Admitted) -> str:
    return (
        f"{admission.unfit} values were unfit to be stored: {admission.faults[0]} …"
        if admission.unfit
        else ""
    )


def _with_own_ports(settings: PollSettings) -> PingSettings:
    """Return the probe's settings with the ports of the device's protocols first, as likely to be open."""
    own = [PROTOCOLS[name] for name in settings.protocols]
    tcp = [each.port(each.settings_of(settings)) for each in own if each.transport == "tcp"]
    ports = dict.fromkeys((*tcp, *settings.ping.tcp_ports))
    return msgspec.structs.replace(settings.ping, tcp_ports=tuple(ports))
