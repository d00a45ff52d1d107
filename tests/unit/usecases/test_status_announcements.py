"""What the status function sends and writes: digests, heartbeats, events and points, and what waits."""

from collections import Counter

import pytest

from fixtures.status_bench import START, Bench, fleet
from fixtures.status_store import device
from netvitals.domain.settings.status import StatusSettings


def test_a_digest_is_one_message_for_all_that_changed() -> None:
    bench = Bench(*fleet(60))
    bench.minutes(2)
    bench.digests.messages.clear()
    bench.dead = {f"d{n:02}" for n in range(40)}
    bench.minutes(4)
    [digest] = bench.digests.bodies
    assert digest["subject"] == "netvitals: 40 offline"
    assert "d00: " in digest["message"]
    assert "… and 15 more" in digest["message"]
    assert len(digest["message"].splitlines()) < 40


def test_a_digest_s_line_names_the_device_and_its_site() -> None:
    bench = Bench(device("sw-1", hostname="core-1", site="hq"), device("sw-2"))
    bench.minutes(1)
    assert "  sw-1 (core-1) at hq: answers, was unknown" in bench.digests.bodies[0]["message"]


def test_every_device_has_a_heartbeat_in_each_interval() -> None:
    bench = Bench(*fleet(50), settings=StatusSettings(heartbeat_seconds=300))
    bench.minutes(1)
    bench.sink.lines.clear()
    counts = [bench.minutes(1).heartbeats for _ in range(10)]
    assert sum(counts) == 100
    assert max(counts) < 50
    per_device = Counter(line.split(" ")[0] for line in bench.sink.lines)
    assert set(per_device.values()) == {2}


def test_events_go_out_while_influxdb_is_away_and_its_points_later(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(*fleet(2))
    bench.minutes(2)
    bench.dead = {"d01"}
    bench.sink.away = True
    report = bench.minutes(4)
    assert bench.told[-1] == ("d01", "online", "offline")
    assert (report.unpublished, report.announcement_wait_seconds) == (1, 0), "a point is no announcement"
    assert any("no route" in said for said in caplog.messages)
    bench.sink.away = False
    report = bench.minutes(1)
    assert (report.points_published, report.unpublished) == (1, 0)
    [line] = [line for line in bench.sink.lines if 'status="offline"' in line][:1]
    assert int(line.rsplit(" ", 1)[1]) < (bench.now - 60) * 1e9


def test_a_line_that_influxdb_will_never_take_is_said_and_done_with(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(*fleet(2))
    bench.sink.refuses = "d01"
    bench.minutes(2)
    assert bench.store.messages == []
    assert any("type conflict" in said for said in caplog.messages)


def test_events_that_the_bus_does_not_take_are_sent_by_a_later_run_under_the_same_id() -> None:
    bench = Bench(*fleet(2))
    bench.events.away = True
    report = bench.minutes(1)
    assert report.unpublished == 2
    assert report.announcement_wait_seconds > 0
    waiting = {message.id for message in bench.store.messages}
    bench.events.away = False
    bench.minutes(1)
    assert {message.id for message in bench.events.messages} == waiting
    assert len(bench.events.messages) == 2
    assert bench.minutes(1).announcement_wait_seconds == 0


def test_without_a_bus_and_a_topic_only_points_are_kept() -> None:
    bench = Bench(*fleet(2))
    bench.poll()
    bench.use_case(events=None, digests=None).run(START)
    assert bench.store.messages == []
    assert len(bench.store.history) == 2


def test_a_run_beside_another_decides_nothing_and_still_publishes() -> None:
    bench = Bench(*fleet(2))
    bench.events.away = True
    bench.minutes(1)
    bench.events.away, bench.store.busy = False, True
    report = bench.use_case().run(bench.now)
    assert (report.busy, report.transitions, report.events_published) == (True, 0, 2)


def test_a_device_that_is_announced_after_its_maintenance_has_its_heartbeat_in_that_run() -> None:
    muted = device("d01", maintenance_until=START + 600)
    bench = Bench(device("d00"), muted, settings=StatusSettings(heartbeat_seconds=60))
    bench.minutes(2)
    bench.dead = {"d01"}
    for _ in range(10):
        bench.sink.lines.clear()
        bench.minutes(1)
        assert {line.split(" ")[0].split("=")[-1] for line in bench.sink.lines} == {"d00", "d01"}
    assert bench.told[-1] == ("d01", "unknown", "offline")
