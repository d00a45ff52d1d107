"""What one invocation leaves to another: messages that come again, and jobs that were done already."""

import logging
from collections.abc import Sequence

import pytest

from fixtures.collect_scene import Points, Queue, Scene, State, fleet, message
from fixtures.polling import (
    FakeCredentials,
    hanging,
    job,
    silent,
    uncancellable,
)
from fixtures.virtual_time import NeverReturns
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import KnownState
from netvitals.domain.ports import QueueMessage
from netvitals.domain.settings.credential import Credential


def test_a_device_that_our_own_time_cut_short_is_no_outage_but_a_message_to_come_again() -> None:
    scene = Scene({"sw-0": silent})
    report = scene.run(fleet(2), seconds=27)  # 3 seconds of it are for polling
    assert (report.failed_ids, report.jobs_failed, report.devices_unreachable) == (["sw-0"], 1, 0)
    assert [o.device_id for o in scene.observations.records[0]] == ["sw-1"]


def test_what_a_cut_short_device_had_answered_is_kept() -> None:
    scene = Scene({"sw-0": hanging})
    report = scene.run(fleet(1), seconds=27)
    assert (report.failed_ids, report.reasons) == ([], {"partial": 1})


def test_devices_that_never_got_their_turn_come_again() -> None:
    scene = Scene({"sw-0": hanging}, at_once=1)
    report = scene.run(fleet(3), seconds=27)
    assert (report.devices_polled, report.failed_ids) == (1, ["sw-1", "sw-2"])


def test_an_invocation_of_hanging_and_uncancellable_devices_ends_within_its_time() -> None:
    scene = Scene({f"sw-{n}": uncancellable if n % 2 else hanging for n in range(100)})
    scene.run(fleet(100), seconds=30)
    assert scene.ended <= 30 - 24 + 1
    assert len(scene.points.writes) == 1


def test_a_credential_store_that_is_away_sends_the_messages_back_and_records_nothing() -> None:
    class Away(FakeCredentials):
        def get(self, name: str) -> Credential:
            raise Unavailable(f"no secret store for {name}")

    scene = Scene()
    scene.stage.credentials = Away({})
    report = scene.run(fleet(2))
    assert report.failed_ids == ["sw-0", "sw-1"]
    assert not scene.points.writes
    assert not scene.observations.records


def test_an_empty_batch_stores_nothing() -> None:
    scene = Scene()
    assert scene.run([]).devices_polled == 0
    assert not scene.points.writes


def test_a_job_that_was_done_already_is_not_polled_again_and_its_message_is_done() -> None:
    scene = Scene()
    scene.state = State({"sw-0": KnownState(metrics_due_at=1000)})
    report = scene.run(fleet(2))
    assert (report.devices_polled, report.jobs_repeated, report.failed_ids) == (1, 1, [])
    assert [target.job.device_id for target in scene.collector.targets] == ["sw-1"]


def test_of_several_due_times_of_one_device_only_the_newest_is_polled() -> None:
    scene = Scene()
    report = scene.run([message(job(due_at=due_at), name=str(due_at)) for due_at in (1030, 1060, 1000)])
    assert (report.devices_polled, report.jobs_repeated, report.failed_ids) == (1, 2, [])
    assert [target.job.due_at for target in scene.collector.targets] == [1060]


def test_status_and_metrics_of_one_device_are_both_polled() -> None:
    report = Scene().run([message(job(), name="1"), message(job(kind="status"), name="2")])
    assert report.devices_polled == 2


def test_what_was_not_done_comes_again_in_seconds_and_what_can_never_be_done_does_not() -> None:
    scene = Scene()
    scene.points = Points(Unavailable("InfluxDB and the spool are away"))
    report = scene.run([QueueMessage("bad", "{"), *fleet(1)])
    assert report.failed_ids == ["bad", "sw-0"]
    assert scene.queue.redelivered == {"sw-0": 5}


def test_a_queue_that_hangs_does_not_keep_a_collector_from_saying_what_failed() -> None:
    class Hanging(Queue):
        def redeliver(self, messages: Sequence[QueueMessage], seconds: int) -> None:  # noqa: ARG002, the port's
            raise NeverReturns

    scene = Scene()
    scene.points, scene.queue = Points(Unavailable("InfluxDB and the spool are away")), Hanging()
    assert scene.run(fleet(2), seconds=60).failed_ids == ["sw-0", "sw-1"]
    assert scene.ended < 60


def test_a_poll_whose_points_are_not_safe_is_not_marked_as_done() -> None:
    scene = Scene()
    scene.points = Points(Unavailable("InfluxDB and the spool are away"))
    scene.run(fleet(1))
    assert [each.due_at for each in scene.observations.records[0]] == [0]
    assert scene.samples.records == []


def test_a_store_that_takes_all_the_time_that_is_left_is_one_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()
    scene.points = Points(NeverReturns())
    with caplog.at_level(logging.ERROR):
        assert scene.run(fleet(1)).failed_ids == ["sw-0"]
    assert caplog.messages == [
        "writing points: no time was left in the invocation; jobs that are not safe are delivered again"
    ]
    assert "Traceback" not in caplog.text


def test_a_store_that_fails_with_a_timeout_of_its_own_is_logged_as_a_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()
    scene.points = Points(TimeoutError("a socket"))
    scene.run(fleet(1))
    assert caplog.messages == ["writing points: TimeoutError"]
