"""Set the demo up and take it down: simulated devices, database, InfluxDB, AWS, and the functions."""

import os
import socket
import sysconfig
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import sql

from local.aws.server import running
from local.demo.cloud import Cloud
from local.demo.devices import CREDENTIALS, DemoDevice, demo_devices
from local.demo.influx import given_influx, own_influx
from local.influx.client import InfluxClient
from local.lambda_.sandbox import Function, Sandbox
from local.servers.postgres import packaged_binaries, postgres_server
from netvitals.adapters.postgres.access import database_url
from netvitals.adapters.postgres.database import Database, connection_parameters
from netvitals.adapters.postgres.inventory_writer import plan_import, write_import
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.inventory.device import Device
from netvitals.domain.settings.configuration import configuration_from, merged
from netvitals.domain.settings.secret import Secret

FUNCTIONS = ("fanout", "collector-status", "collector-metrics", "status", "replay")
"""Each a process; the collector has one for each of its queues."""
RETENTION_SECONDS = 900
INVOCATION_SECONDS = 60
ROOT = Path(__file__).parents[2]
_COLUMNS = ("hostname", "ip_address", "device_type", "credential", "parent_id", "settings")


class Environment(NamedTuple):
    """The servers, devices and functions that run."""

    devices: Sequence[DemoDevice]
    cloud: Cloud
    database: Database
    database_url: str
    database_is_own: bool
    influx: InfluxClient
    functions: dict[str, Sandbox]
    logs: Path
    document: dict[str, Any]
    """The functions' configuration."""


def configuration(metrics_seconds: int, store: str = "changes") -> dict[str, Any]:
    """Return the configuration document: the product's defaults, with shorter times."""
    return {
        "allowed_networks": ["127.0.0.0/8"],
        "collector": {"store": store},
        "defaults": {
            "status_interval_seconds": 10,
            "metrics_interval_seconds": metrics_seconds,
            "offline_timeout_seconds": 10,
            "device_timeout_seconds": 12,
            "ping": {"timeout_seconds": 0.5},
            "snmp": {"timeout_seconds": 1, "retries": 2},
        },
    }


@contextmanager
def environment(
    metrics_seconds: int, store: str = "changes", retention_seconds: float = RETENTION_SECONDS
) -> Iterator[Environment]:
    """Start everything, and stop and remove it at the end."""
    document = configuration(metrics_seconds, store)
    configuration_from(document, "the demo's configuration")
    with ExitStack() as stack:
        folder = stack.enter_context(_temporary_folder())
        influx = stack.enter_context(_influx(retention_seconds))
        given = os.environ.get("DATABASE_URL")
        own = postgres_server(folder / "postgresql", binaries=packaged_binaries())
        url = stack.enter_context(_schema_in(given) if given else own)
        database = Database(lambda: Secret(url))
        stack.callback(database.close)
        devices = demo_devices()
        migrate(database)
        rows = [_listening(stack, device, number) for number, device in enumerate(devices, 1)]
        write_import(database, plan_import(rows, _COLUMNS, {}, disable_missing=False))
        secrets = {"credentials": CREDENTIALS, "influxdb": influx.secret, "database": {"url": url}}
        account = Cloud(stack.enter_context(running()), secrets, document)
        functions = {
            name: _function(stack, name, account.environment(), folder / f"{name}.log") for name in FUNCTIONS
        }
        for function in functions.values():
            function.start()
        for function in functions.values():
            function.wait_until_ready()
        yield Environment(devices, account, database, url, not given, influx, functions, folder, document)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="netvitals-demo-")
    except OSError as error:
        raise RuntimeError(f"set TMPDIR to a folder that you may write to: {error}") from error
    with folder:
        yield Path(folder.name)


@contextmanager
def _schema_in(url: str) -> Iterator[str]:
    """Yield the URL with a new schema as search path: no inventory that is there is polled or changed.

    Raises:
        ConfigurationError: the URL is not valid, or has options.
        Unavailable: the database can't be used.
    """
    secret = database_url({"url": url}, "DATABASE_URL")
    if "options" in connection_parameters(secret):
        raise ConfigurationError("the demo sets DATABASE_URL's options itself: leave them out")
    schema = f"netvitals_demo_{uuid.uuid4().hex[:8]}"
    create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
    with closing(Database(lambda: secret)) as database:
        database.run(lambda cursor: cursor.execute(create))
        try:
            yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
        finally:
            database.run(lambda cursor: cursor.execute(drop))


@contextmanager
def _influx(retention_seconds: float) -> Iterator[InfluxClient]:
    if os.environ.get("INFLUXDB_URL"):
        yield given_influx(os.environ)
    else:
        with own_influx(retention_seconds) as influx:
            yield influx


def _function(stack: ExitStack, name: str, environment: dict[str, str], log: Path) -> Sandbox:
    """Make the environment of a function that runs from its sources."""
    function = Function(
        name=name,
        code=ROOT / "functions" / name.partition("-")[0],
        path=[ROOT / "layers" / "netvitals", Path(sysconfig.get_path("purelib"))],
        environment={**environment, "POWERTOOLS_SERVICE_NAME": name},
        timeout_seconds=INVOCATION_SECONDS,
    )
    return stack.enter_context(Sandbox(function, log))


def _listening(stack: ExitStack, device: DemoDevice, number: int) -> Device:
    """Start a device's simulation and return its row of the inventory."""
    address = _address(number)
    stack.callback(device.simulated.stop)
    settings = merged(device.settings, device.simulated.start(address))
    device.simulated.plug(in_=device.plugged_in)
    return Device(
        id=device.id,
        hostname=device.hostname,
        ip_address=address,
        device_type=device.device_type,
        credential=device.credential,
        parent_id=device.parent_id,
        settings=settings,
    )


def _address(number: int) -> str:
    """Return an address for this device alone, or 127.0.0.1 where the system has no other (macOS)."""
    address = f"127.20.0.{number}"
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return address
    return "127.0.0.1"
