"""Wire the collector: devices over their protocols, into InfluxDB and `device_state`."""

import netvitals.collectors.snmp.collector  # noqa: F401, nearly every process needs it; the others come when asked
from netvitals import settings
from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.registry import collector_for
from netvitals.usecases.collect import Collect
from netvitals.usecases.poll_device import PollDevice
from netvitals.usecases.store_points import StoreObservations, StorePoints
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import rejects, sink, spool


def collect(parts: Parts) -> Collect:
    poller = PollDevice(
        Resolver(parts.guard).resolve,
        parts.use(credentials),
        HostProber(),
        collector_for,
    )
    return Collect(
        poller,
        StorePoints(parts.use(sink), parts.use(spool), parts.use(rejects)),
        StoreObservations(PostgresObservationStore(parts.database), parts.use(spool)),
        limits=parts.configuration.collector,
    )


def credentials(parts: Parts) -> CredentialMap:
    own = parts.variables(settings.CredentialVariables)
    source = JsonFile(own.file) if own.file else parts.secret(str(own.secret_arn))
    source.read()  # now: once devices are waited for, nothing else may be
    return CredentialMap(source)
