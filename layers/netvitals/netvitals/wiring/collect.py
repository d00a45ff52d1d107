"""Wire the collector: polls of devices, stored in InfluxDB and `device_state`."""

import netvitals.collectors.snmp.collector  # noqa: F401, nearly every process needs it; the others come when asked
from netvitals import settings
from netvitals.adapters.aws.job_redelivery import LeftToTheQueue, SqsRedelivery
from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.postgres.samples import PostgresSampleStore
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.registry import collector_for
from netvitals.domain.ports import Redelivery
from netvitals.usecases.bundles import MAX_JOBS
from netvitals.usecases.collect import Collect
from netvitals.usecases.poll_device import PollDevice
from netvitals.usecases.store_points import StoreObservations, StorePoints
from netvitals.usecases.store_results import StoreResults
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import rejects, sink, spool

WHOLE_PROCESSOR_MB = 1769
"""Memory in MB at which a function gets one whole processor; less memory gets a proportional share."""
METRICS_POLL_SECONDS = 0.0056
"""Processor seconds of one poll of a switch with 24 ports (benchmarks/collector_invocation.py)."""
ANSWER_SECONDS = 0.5
"""Seconds that an answer may wait for the processor before its device looks slow."""
FEWEST_AT_ONCE = 8


def collect(parts: Parts) -> Collect:
    state = PostgresObservationStore(parts.database)
    store = StoreResults(
        StorePoints(parts.use(sink), parts.use(spool), parts.use(rejects)),
        StoreObservations(state, parts.use(spool)),
        PostgresSampleStore(parts.database) if parts.configuration.collector.store == "changes" else None,
    )
    return Collect(
        PollDevice(Resolver(parts.guard).resolve, parts.use(credentials), HostProber(), collector_for),
        state,
        store,
        _redelivery(parts),
        at_once={"status": MAX_JOBS["status"], "metrics": _metrics_at_once(parts)},
        per_site=parts.configuration.collector.max_concurrent_per_site,
    )


def credentials(parts: Parts) -> CredentialMap:
    own = parts.variables(settings.CredentialVariables)
    source = JsonFile(own.file) if own.file else parts.secret(str(own.secret_arn))
    source.read()  # now: while devices are being polled, nothing else may block
    return CredentialMap(source)


def _metrics_at_once(parts: Parts) -> int:
    """Return how many devices the function's share of a processor can poll at once without delay."""
    memory = parts.variables(settings.LambdaVariables).memory_mb or WHOLE_PROCESSOR_MB
    share = min(memory / WHOLE_PROCESSOR_MB, 1.0)
    return max(FEWEST_AT_ONCE, int(ANSWER_SECONDS * share / METRICS_POLL_SECONDS))


def _redelivery(parts: Parts) -> Redelivery:
    url = parts.variables(settings.JobQueueVariables).url
    return SqsRedelivery(parts.client("sqs"), url) if url else LeftToTheQueue()
