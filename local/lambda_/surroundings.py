"""What functions in containers work with, on the address at which they see this machine."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from local.demo.influx import Influx, own_influx
from local.lambda_ import docker
from local.proxy import TcpProxy
from local.servers.postgres import packaged_binaries, postgres_server
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.settings.secret import Secret

COMMUNITY = "public"
TEN_YEARS = 10 * 366 * 86_400.0


class Surroundings(NamedTuple):
    """Docker, and the servers of this machine that containers reach."""

    docker: Mapping[str, str]
    """The variables by which Docker's clients reach it."""
    bridge: docker.Bridge
    relay: Callable[[str], str]
    """Lets containers reach a server of 127.0.0.1; returns its URL for them."""
    database_url: str
    """For this machine."""
    influx: Influx
    secrets: Mapping[str, Any]
    """By name (`database`, `influxdb`, `credentials`) what a secret holds, with the URLs of containers."""

    @property
    def gateway(self) -> str:
        """The address of this machine that containers see."""
        return self.bridge.gateway

    def stored(self, metric: str) -> list[float]:
        """Return the values that InfluxDB holds of a metric."""
        rows = self.influx.query("SELECT metric_name, value FROM device_metrics")
        return [row["value"] for row in rows if row["metric_name"] == metric]

    def add_device(self, device_id: str, address: str, port: int, site: str = "here") -> None:
        """Put a network device that speaks SNMP into the inventory."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "INSERT INTO devices (id, ip_address, device_type, credential, site, settings)"
                " VALUES (%s, %s, 'network', 'lab', %s, %s)",
                (device_id, address, site, json.dumps({"snmp": {"port": port}})),
            )


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Start them, with an empty inventory, and stop them at the end.

    Raises:
        RuntimeError: there is no Docker and none can be started, or a server does not start.
    """
    with ExitStack() as stack:
        variables = stack.enter_context(docker.daemon())
        bridge = docker.bridge(variables)

        def relay(url: str) -> str:
            port = int(url.rpartition(":")[2].partition("/")[0])
            proxy = stack.enter_context(TcpProxy(port, bridge.gateway))
            return url.replace(f"127.0.0.1:{port}", f"{bridge.gateway}:{proxy.port}")

        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surroundings-")))
        server = postgres_server(folder / "pg", password="local", binaries=packaged_binaries())
        url = stack.enter_context(server)
        database = Database(lambda: Secret(url))
        migrate(database)
        database.close()
        influx = stack.enter_context(own_influx(TEN_YEARS))
        secrets = {
            "database": {"url": relay(url)},
            "influxdb": {**influx.access, "url": relay(influx.access["url"])},
            "credentials": {"lab": {"snmp": {"version": "2c", "community": COMMUNITY}}},
        }
        yield Surroundings(variables, bridge, relay, url, influx, secrets)
