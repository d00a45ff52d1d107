"""PostgreSQL and InfluxDB of this machine for a stack that is tried out here."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from local.demo.influx import own_influx
from local.influx.client import InfluxClient
from local.servers.postgres import packaged_binaries, postgres_server
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.settings.secret import Secret

COMMUNITY = "public"
TEN_YEARS = 10 * 366 * 86_400.0


class Stores(NamedTuple):
    database_url: str
    influx: InfluxClient
    secrets: Mapping[str, Any]
    """By name (`database`, `influxdb`, `credentials`) what a secret holds, with the URLs of functions."""

    def values(self, metric: str) -> list[float]:
        """Return the values that InfluxDB holds of a metric."""
        rows = self.influx.query("SELECT metric_name, value FROM device_metrics")
        return [row["value"] for row in rows if row["metric_name"] == metric]

    def add_device(self, device_id: str, address: str, settings: Mapping[str, Any], site: str) -> None:
        """Put a network device that speaks SNMP into the inventory."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "INSERT INTO devices (id, ip_address, device_type, credential, site, settings)"
                " VALUES (%s, %s, 'network', 'lab', %s, %s)",
                (device_id, address, site, json.dumps(settings)),
            )


@contextmanager
def stores(relay: Callable[[str], str] = str) -> Iterator[Stores]:
    """Start both, with an empty inventory, and stop them at the end.

    `relay` makes of a URL at 127.0.0.1 the one by which functions reach it.

    Raises:
        RuntimeError: a server does not start; says why.
    """
    with (
        tempfile.TemporaryDirectory(prefix="stores-") as folder,
        postgres_server(Path(folder) / "pg", password="local", binaries=packaged_binaries()) as url,
        own_influx(TEN_YEARS) as influx,
    ):
        database = Database(lambda: Secret(url))
        migrate(database)
        database.close()
        secrets = {
            "database": {"url": relay(url)},
            "influxdb": {**influx.secret, "url": relay(influx.url)},
            "credentials": {"lab": {"snmp": {"version": "2c", "community": COMMUNITY}}},
        }
        yield Stores(url, influx, secrets)
