"""The demo's InfluxDB: a small one of its own that can be away, or the real one that is given."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.influx.client import InfluxClient
from local.influx.http import InfluxServer
from local.influx.store import MemoryStore

BUCKET = "network_metrics"
TOKEN = "demo"


class Influx(InfluxClient):
    """InfluxDB that points are written to and read from; `own` is the demo's server, unless one was given."""

    def __init__(self, access: Mapping[str, str], own: InfluxServer | None = None) -> None:
        super().__init__(access)
        self._own = own

    @property
    def is_own(self) -> bool:
        return self._own is not None

    def go_away(self, *, away: bool) -> None:
        """Answer 503 for a while; only the demo's own does."""
        if self._own is not None:
            self._own.away = away


def given_influx(environ: Mapping[str, str]) -> Influx:
    """Return the one that the environment names.

    Raises:
        ValueError: something is missing.
        Unreadable: it can't be used to read points back.
    """
    wanted = {"url": "INFLUXDB_URL", "token": "INFLUXDB_TOKEN", "org": "INFLUXDB_ORG"}
    missing = [name for name in wanted.values() if not environ.get(name)]
    if missing:
        raise ValueError(f"INFLUXDB_URL is set, so {', '.join(missing)} must be as well")
    access = {key: environ[name] for key, name in wanted.items()}
    influx = Influx({**access, "bucket": environ.get("INFLUXDB_BUCKET") or BUCKET})
    influx.query("SELECT value FROM device_metrics LIMIT 1")
    return influx


@contextmanager
def own_influx(retention_seconds: float) -> Iterator[Influx]:
    with InfluxServer(MemoryStore([BUCKET], retention_seconds), TOKEN) as server:
        yield Influx({"url": server.url, "token": TOKEN, "org": server.org, "bucket": BUCKET}, server)
