"""Collecting: devices over their protocols, into InfluxDB and `device_state`."""

import logging

import netvitals.collectors.snmp.collector  # noqa: F401, nearly every process needs it; the others come when asked
from netvitals import settings
from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.registry import collector_for
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult
from netvitals.usecases.collect import Collect, Poller
from netvitals.usecases.poll_device import PollDevice
from netvitals.usecases.store_points import StoreObservations, StorePoints
from netvitals.wiring.parts import Parts, fault
from netvitals.wiring.points import rejects, sink, spool

_logger = logging.getLogger("netvitals.collect")


class Told:
    """A poller whose incomplete polls are told, with what to do about them.

    Those of status polls only to who debugs: what comes of them is the status function's to say, once.
    """

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    async def poll(self, job: Job, deadline: float | None = None) -> PollResult:
        result = await self._poller.poll(job, deadline)
        if not result.complete:
            about = {"device_id": job.device_id, "kind": job.kind, "reason": result.reason.value}
            level = logging.WARNING if job.kind == "metrics" else logging.DEBUG
            _logger.log(level, "%s: %s: %s", job.device_id, result.reason, result.detail[:500], extra=about)
        return result


def collect(parts: Parts) -> Collect:
    poller = PollDevice(
        Resolver(parts.guard).resolve,
        parts.use(credentials),
        HostProber(),
        collector_for,
        lambda device_id, what, error: fault(f"{what}, device {device_id}", error),
    )
    return Collect(
        Told(poller),
        StorePoints(parts.use(sink), parts.use(spool), parts.use(rejects)),
        StoreObservations(PostgresObservationStore(parts.database), parts.use(spool)),
        fault,
        limits=parts.configuration.collector,
    )


def credentials(parts: Parts) -> CredentialMap:
    own = parts.variables(settings.CredentialVariables)
    source = JsonFile(own.file) if own.file else parts.secret(str(own.secret_arn))
    source.read()  # now: once devices are waited for, nothing else may be
    return CredentialMap(source)
