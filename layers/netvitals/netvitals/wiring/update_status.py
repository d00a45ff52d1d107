"""Wire the status function: state in PostgreSQL, publication to InfluxDB, EventBridge and SNS."""

from netvitals import settings
from netvitals.adapters.aws.digest_topic import DigestTopic
from netvitals.adapters.aws.event_bus import EventBus
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.usecases.update_status import UpdateStatus
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import sink


def update_status(parts: Parts) -> UpdateStatus:
    notices = parts.variables(settings.NoticeVariables)
    group = parts.variables(settings.GroupVariables).collector
    bus, topic = notices.event_bus, notices.digest_topic
    return UpdateStatus(
        store=PostgresStatusStore(parts.database, collector=group or ""),
        policy=parts.configuration.policy,
        sink=parts.use(sink),
        settings=parts.configuration.status,
        events=EventBus(parts.client("events"), bus) if bus else None,
        digests=DigestTopic(parts.client("sns"), topic) if topic else None,
    )
