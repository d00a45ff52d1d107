"""The demo's InfluxDB: a small one of its own that can be away, or the real one that is given."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.influx.client import InfluxClient
from local.influx.http import InfluxServer
from local.influx.store import MemoryStore
from netvitals.store.access import DEFAULT_BUCKET, influx_access

TOKEN = "demo"


def given_influx(environ: Mapping[str, str]) -> InfluxClient:
    """Return the one that the environment names.

    Raises:
        ValueError: something is missing.
        NetvitalsError: it can't be used to read points back.
    """
    wanted = {"url": "INFLUXDB_URL", "token": "INFLUXDB_TOKEN", "org": "INFLUXDB_ORG"}
    missing = [name for name in wanted.values() if not environ.get(name)]
    if missing:
        raise ValueError(f"INFLUXDB_URL is set, so {', '.join(missing)} must be as well")
    access = {key: environ[name] for key, name in wanted.items()}
    bucket = environ.get("INFLUXDB_BUCKET") or DEFAULT_BUCKET
    influx = InfluxClient(influx_access({**access, "bucket": bucket}, "INFLUXDB_URL and others"))
    influx.query("SELECT value FROM device_metrics LIMIT 1")
    return influx


@contextmanager
def own_influx(retention_seconds: float) -> Iterator[InfluxClient]:
    with InfluxServer(MemoryStore(retention_seconds=retention_seconds), TOKEN) as server:
        yield InfluxClient(server.access(), server)
