"""Make the destinations of points: InfluxDB, the spool, the reject queue."""

from typing import Any

from netvitals import settings
from netvitals.adapters.aws.spool import SqsSpool
from netvitals.adapters.files.credential_map import JsonObject
from netvitals.adapters.refused_lines_log import NoSpool, RejectLog
from netvitals.store.access import InfluxAccess, influx_access
from netvitals.store.influx.sink import InfluxSink
from netvitals.wiring.parts import Parts


def sink(parts: Parts) -> InfluxSink:
    secret = parts.use(_secret)
    return InfluxSink(lambda: access(parts), parts.configuration.influxdb, secret.refresh)


def access(parts: Parts) -> InfluxAccess:
    """Return the secret's access to InfluxDB, with the overrides of the environment and the document."""
    own, secret = parts.variables(settings.InfluxVariables), parts.use(_secret)
    over = {
        "url": own.url,
        "token": own.token.reveal() if own.token else None,
        "org": own.org,
        "bucket": parts.configuration.influxdb.bucket,
    }
    return influx_access({**secret.read(), **{key: text for key, text in over.items() if text}}, secret.where)


def spool(parts: Parts) -> SqsSpool | NoSpool:
    url = parts.variables(settings.SpoolVariables).spool
    return SqsSpool(parts.client("sqs"), url) if url else NoSpool()


def rejects(parts: Parts) -> SqsSpool | RejectLog:
    url = parts.variables(settings.SpoolVariables).reject
    return SqsSpool(parts.client("sqs"), url) if url else RejectLog()


def _secret(parts: Parts) -> JsonObject:
    arn = parts.variables(settings.InfluxVariables).secret_arn
    return parts.secret(arn) if arn else _NoSecret()


class _NoSecret:
    """Stands in for the secret where the environment holds all of it; a refresh changes nothing."""

    where = "INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORG"

    def read(self) -> dict[str, Any]:
        return {}

    def refresh(self) -> bool:
        return False
