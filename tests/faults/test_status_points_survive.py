"""InfluxDB is away from the status function, which has no spool: its points wait in the outbox, none is lost.

A real PostgreSQL and a real InfluxDB, the latter behind a proxy that misbehaves.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pytest

from fixtures.fleet import Fleet
from fixtures.influxdb import Influx
from local import http_faults as faults
from local.proxy import HttpProxy
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.store.influx.sink import InfluxSink

pytestmark = pytest.mark.integration

SETTINGS = InfluxSettings(
    timeout_seconds=0.3, retries=1, backoff_initial_seconds=0.01, backoff_maximum_seconds=0.02
)
OUTBOX = "SELECT count(*) FROM status_outbox WHERE published_at IS NULL"
FAULTS = {
    "refused": None,
    "reset before": faults.reset_unread,
    "reset after": faults.reset_after,
    "stall before": faults.stall,
    "stall after": faults.stall_after,
    "truncate": faults.truncate,
    "garbage": faults.garbage,
    "503": faults.said(503, "unavailable", "try later"),
    "429 for an hour": faults.answer(429, Retry_After="3600"),
    "401": faults.said(401, "unauthorized", "unauthorized access"),
    "404": faults.said(404, "not found", "bucket not found"),
}


class Scene(NamedTuple):
    fleet: Fleet
    influx: Influx
    proxy: HttpProxy

    def inflict(self, name: str) -> None:
        fault = FAULTS[name]
        if fault is None:
            self.proxy.refuse()
        else:
            self.proxy.inflict(fault)

    def transitions(self) -> list[tuple[str, str, float]]:
        """What was decided, and when, as the database has it."""
        query = "SELECT device_id, after, extract(epoch FROM at)::float8 FROM device_status_history"
        return self.fleet.execute(f"{query} ORDER BY at, device_id")

    def points(self) -> list[tuple[str, str, float]]:
        rows = self.influx.query("SELECT status, device_id FROM device_status")
        return sorted(
            ((row["device_id"], row["status"], row["time"] / 1e9) for row in rows), key=lambda p: p[2]
        )


@pytest.fixture
def scene(database_url: str, influx: Influx) -> Iterator[Scene]:
    with HttpProxy(influx.server.server_port) as proxy:
        access = msgspec.structs.replace(influx.access, url=f"http://127.0.0.1:{proxy.port}")
        fleet = Fleet(database_url, database_url, InfluxSink(lambda: access, SETTINGS))
        yield Scene(fleet, influx, proxy)
        fleet.close()


@pytest.mark.parametrize("name", FAULTS)
def test_every_transition_is_in_influxdb_once_at_its_own_time(
    scene: Scene, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = scene.fleet
    fleet.minutes(2)
    scene.inflict(name)
    for dead in ({"b"}, set(), {"b", "c"}, set()):
        fleet.dead = dead
        fleet.minutes(3)
    assert [text for text in caplog.messages if "were not written and are kept" in text]
    decided = scene.transitions()
    assert len(decided) == 3 + 2 + 4

    scene.proxy.heal()
    for _ in range(10):  # InfluxDB is waited for so briefly that a busy machine may not answer in time
        fleet.minutes(1)
        if (left := fleet.execute(OUTBOX)) == [(0,)]:
            break
    assert scene.transitions() == decided
    missing = set(decided) - set(scene.points())
    assert not missing
    assert left == [(0,)]


def test_a_heartbeat_that_was_not_taken_is_followed_by_the_next(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = scene.fleet
    fleet.minutes(1)
    scene.inflict("refused")
    fleet.minutes(10)
    assert [text for text in caplog.messages if text.startswith("heartbeats were not written")]
    before = len(scene.points())
    scene.proxy.heal()
    fleet.minutes(10)
    beats = scene.points()[before:]
    assert {device_id for device_id, _, _ in beats} == set(Fleet.IDS)
    assert {status for _, status, _ in beats} == {"online"}
