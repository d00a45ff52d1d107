"""Fixtures: InfluxDBs to write to and to read from."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from local.influx_http import InfluxServer
from local.influx_store import MemoryStore
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.domain.settings.secret import Secret
from netvitals.store.access import InfluxAccess
from netvitals.store.influx import InfluxSink
from simulators import influxd
from simulators.influx_v2_shim import RealInflux

TOKEN = "canary-influx-token"
QUICK = InfluxSettings(
    timeout_seconds=2, retries=2, backoff_initial_seconds=0.01, backoff_maximum_seconds=0.05
)


class Influx:
    """A server with version 2's interface, and one bucket for one test."""

    def __init__(self, server: InfluxServer, bucket: str) -> None:
        self.server, self.bucket, self.url = server, bucket, server.url
        self.access = InfluxAccess(url=server.url, token=Secret(TOKEN), org=server.org, bucket=bucket)

    def sink(self, settings: InfluxSettings = QUICK, **more: Any) -> InfluxSink:
        return InfluxSink(lambda: self.access, settings, **more)

    def query(self, statement: str) -> list[dict[str, Any]]:
        """One dictionary per row: columns, and the tags of its group."""
        asked = urlencode({"db": self.bucket, "q": statement, "epoch": "ns"})
        url, headers = f"{self.url}/query?{asked}", {"Authorization": f"Token {TOKEN}"}
        answer = urllib3.request("GET", url, headers=headers, timeout=60).json()
        if "results" not in answer:
            raise RuntimeError(answer["message"])
        (result,) = answer["results"]
        return [
            dict(zip(series["columns"], row, strict=True)) | series.get("tags", {})
            for series in result.get("series", [])
            for row in series["values"]
        ]


@contextmanager
def served(server: InfluxServer) -> Iterator[InfluxServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def real_influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealInflux, InfluxServer]]:
    if not influxd.installed():
        pytest.skip("needs influxd: apt-get install influxdb")
    with influxd.running(tmp_path_factory.mktemp("influxd")) as url:
        store = RealInflux(url)
        with served(InfluxServer(store, TOKEN)) as server:
            yield store, server


@pytest.fixture
def influx(real_influx: tuple[RealInflux, InfluxServer]) -> Iterator[Influx]:
    """The real InfluxDB, with a bucket of the test's own."""
    store, server = real_influx
    bucket = f"test_{uuid.uuid4().hex[:12]}"
    store.create(bucket)
    yield Influx(server, bucket)
    store.drop(bucket)


@pytest.fixture
def memory_influx() -> Iterator[Influx]:
    """The demo's store."""
    with served(InfluxServer(MemoryStore(), TOKEN)) as server:
        yield Influx(server, "network_metrics")


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.integration)])
def any_influx(request: pytest.FixtureRequest) -> Influx:
    """Each of the two: what one does, the other does."""
    fixtures: dict[str, Callable[[], Influx]] = {
        "memory": lambda: request.getfixturevalue("memory_influx"),
        "real": lambda: request.getfixturevalue("influx"),
    }
    return fixtures[request.param]()
