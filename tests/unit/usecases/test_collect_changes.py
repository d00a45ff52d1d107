"""Report by exception: what stands still is held back, and when everything is written."""

from collections.abc import Sequence
from time import time_ns
from typing import Any

import pytest

from fixtures.collect_scene import Scene, State, message
from fixtures.polling import (
    ALIVE,
    FakeProber,
    job,
)
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.changes import Sample, Samples
from netvitals.domain.polling.observation import KnownState, Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Target


async def standing_still(_: Target, reading: Reading) -> None:
    reading.alive = True
    reading.points += [Point("net_bytes_in", 5, time_ns(), "Gi0/1"), Point("cpu_percent", 3.0, time_ns())]
    reading.reason = Reason.OK


def after_one_poll(**changes: Any) -> Scene:
    """A scene in which the device's counter stood still since the poll before."""
    series = {"net_bytes_in": {"Gi0/1": Sample(5, 1, None, held=False)}}
    samples = Samples(due_at=700, full_at=700, address="10.0.0.1", series=series)
    scene = Scene({"sw-1": standing_still})
    scene.state = State({"sw-1": KnownState(metrics_due_at=700, samples=samples, **changes)})
    return scene


def metrics_in(lines: Sequence[str]) -> list[str]:
    return [line.partition("metric_name=")[2].partition(" ")[0] for line in lines]


def test_what_stands_still_is_held_back_and_remembered() -> None:
    scene = after_one_poll()
    report = scene.run([message(job(interval=300))])
    assert "net_bytes_in" not in metrics_in(scene.points.writes[0])
    assert "cpu_percent" in metrics_in(scene.points.writes[0])
    assert report.points_held == 1
    (record,) = scene.samples.records
    assert (record.read_at, record.samples.due_at) == (700, 1000)


@pytest.mark.parametrize("fault", ["refused", "error"])
def test_what_was_held_back_is_written_where_nothing_remembers_it(fault: str) -> None:
    scene = after_one_poll()
    setattr(scene.samples, fault, frozenset({"sw-1"}) if fault == "refused" else Unavailable("away"))
    report = scene.run([message(job(interval=300))])
    assert metrics_in(scene.points.writes[1]) == ["net_bytes_in"]
    assert (report.points_held, report.failed_ids) == (0, [])


def test_everything_is_written_where_the_document_says_so_or_the_state_can_not_be_read() -> None:
    told, unread = after_one_poll(), after_one_poll()
    told.store_everything = True
    unread.state = State(error=Unavailable("away"))
    for scene in (told, unread):
        scene.run([message(job(interval=300))])
        assert "net_bytes_in" in metrics_in(scene.points.writes[0])


def test_a_status_poll_says_that_a_device_answers_only_where_the_one_before_did_not_say_so() -> None:
    def written(**known: Any) -> list[str]:
        scene = Scene()
        scene.stage.prober = FakeProber(ALIVE, seconds=0)
        scene.state = State({"sw-1": KnownState(**known)})
        scene.run([message(job(kind="status", interval=30))])
        return [name for name in metrics_in(scene.points.writes[0]) if name.startswith("ping_")]

    assert written(status_due_at=970) == ["ping_rtt_ms"]
    always = ["ping_status", "ping_rtt_ms", "ping_loss_percent"]
    assert written(status_due_at=970, failures=1) == always
    assert written(status_due_at=940) == always
    assert written(status_due_at=970, memory={"ping_lost": True}) == always
