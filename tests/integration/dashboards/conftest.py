import time
import uuid
from collections.abc import Iterator

import pytest

from fixtures.influxdb import Influx
from fixtures.known_fleet import INTERVAL, KnownFleet, set_clock
from fixtures.known_stores import Stores
from fixtures.postgres import create_database, database_name, drop_database
from local.influx.http import InfluxServer
from local.influx.real import RealInflux


@pytest.fixture(scope="session")
def stores(
    real_influx: tuple[RealInflux, InfluxServer], postgres_url: str, template_url: str
) -> Iterator[Stores]:
    """Fills the stores, for all tests of the folder: one process runs them (fixtures/long_first.py)."""
    server, front = real_influx
    bucket = f"dashboards_{uuid.uuid4().hex[:8]}"
    server.create(bucket)
    url = create_database(postgres_url, template=database_name(template_url))
    influx = Influx(front, bucket)
    fleet = KnownFleet(url, influx.sink(), int(time.time()) // INTERVAL * INTERVAL)
    with pytest.MonkeyPatch.context() as patch:
        set_clock(fleet, patch)
        fleet.play()
    yield Stores(fleet, influx, url)
    server.drop(bucket)
    drop_database(postgres_url, url)
