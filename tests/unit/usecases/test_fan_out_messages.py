"""How fan-out shares jobs among messages: by slot, by points, and apart from silent devices."""

from collections import Counter
from typing import Any

import pytest

from fixtures.fan_out_bench import START, Bench, device, jobs_of


def test_jobs_of_the_same_slot_share_a_message_whatever_their_site() -> None:
    bench = Bench(*(device(f"d{n}", site=f"s{n}") for n in range(400)))
    report = bench.run()
    assert (report.jobs, report.messages) == (800, 12)
    assert {job.due_at % 5 for job in bench.status.jobs} == {0}


def test_a_large_fleet_fills_its_messages() -> None:
    bench = Bench(*(device(f"d{n}") for n in range(12_000)))
    report = bench.run()
    sizes = [len(message.jobs) for message in bench.status.messages]
    assert max(sizes) == 300
    assert len({job.key for job in bench.status.jobs}) == report.jobs == 24_000
    assert report.messages < 100


def test_many_messages_of_one_slot_are_spread_over_it() -> None:
    bench = Bench(*(device(f"d{n}") for n in range(60_000)))
    bench.run()
    starts = Counter(message.due_at for message in bench.status.messages)
    assert max(starts.values()) <= 20


def test_devices_that_give_many_points_share_a_message_with_fewer() -> None:
    bench = Bench(*(device(f"d{n}", points=9000) for n in range(400)))
    bench.run("metrics", "rate(5 minutes)")
    assert len(bench.metrics.jobs) == 400
    assert max(len(message.jobs) for message in bench.metrics.messages) == 2


def test_devices_that_were_never_read_count_as_ordinary_switches() -> None:
    bench = Bench(*(device(f"d{n}") for n in range(4000)))
    bench.run("metrics", "rate(5 minutes)")
    assert max(len(message.jobs) for message in bench.metrics.messages) == 100


SILENT: dict[str, Any] = {"failures": 5, "reason": "timeout", "last_seen_at": START - 121}


def test_devices_that_have_been_silent_for_longer_than_their_time_out_travel_apart() -> None:
    bench = Bench(*(device(f"d{n}") for n in range(100)), *(device(f"s{n}", **SILENT) for n in range(100)))
    report = bench.run()
    assert report.silent == 100
    for message in bench.status.messages:
        jobs = jobs_of(message)
        assert len({job.device_id[0] for job in jobs}) == 1
        assert {job.silent for job in jobs} == {jobs[0].device_id.startswith("s")}


@pytest.mark.parametrize(
    ("kind", "schedule", "slot"), [("status", "rate(1 minute)", 15), ("metrics", "rate(5 minutes)", 60)]
)
def test_silent_devices_wait_for_company_and_are_polled_before_they_are_due(
    kind: str, schedule: str, slot: int
) -> None:
    bench = Bench(*(device(f"s{n}", **SILENT) for n in range(100)))
    bench.run(kind, schedule)
    messages = getattr(bench, kind).messages
    period = 60 if kind == "status" else 300
    assert len(messages) == period // slot
    for message in messages:
        assert message.due_at % slot == 0
        assert all(0 <= job.due_at - message.due_at < slot for job in jobs_of(message))


def test_a_silent_device_that_is_back_is_polled_within_one_interval() -> None:
    bench = Bench(*(device(f"s{n}", **SILENT) for n in range(100)))
    bench.run()
    polled: dict[str, list[float]] = {}
    for message in bench.status.messages:
        for job in jobs_of(message):
            polled.setdefault(job.device_id, []).append(message.due_at)
    assert len(polled) == 100
    for first, second in map(sorted, polled.values()):
        assert second - first == 30
        assert first < START + 60 + 30


@pytest.mark.parametrize(
    "changes",
    [
        {"failures": 2},
        {"last_seen_at": START - 119},
        {"reason": "bad_credential"},
        {"settings": {"offline_after_failures": 6}},
        {"settings": {"offline_timeout_seconds": 600}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_bad_luck_is_no_silence(changes: dict[str, Any]) -> None:
    bench = Bench(device(**SILENT | changes))
    assert bench.run().silent == 0


def test_a_device_that_was_never_seen_is_silent_after_its_failures() -> None:
    assert Bench(device(**SILENT | {"last_seen_at": None})).run().silent == 1


def test_devices_that_nobody_got_to_are_searched_for_the_one_that_ends_its_invocations() -> None:
    def attempted(seconds_ago: float) -> dict[str, float]:
        return {"status_attempt_at": START - seconds_ago}

    bench = Bench(
        *(device(f"live-{n}") for n in range(600)),
        *(device(f"overdue-{n}", **attempted(170)) for n in range(100)),
        *(device(f"alone-{n}", **attempted(300)) for n in range(20)),
    )
    assert bench.run().overdue == 120
    sizes: dict[str, int] = {}
    for message in bench.status.messages:
        (group,) = {job.device_id.partition("-")[0] for job in jobs_of(message)}
        sizes[group] = max(sizes.get(group, 0), len(message.jobs))
    assert sizes["live"] > 50
    assert 1 < sizes["overdue"] <= 16
    assert sizes["alone"] == 1


def test_a_device_that_was_never_attempted_travels_alone() -> None:
    bench = Bench(device("new", status_attempt_at=None), device("old"))
    bench.run()
    assert max(len(message.jobs) for message in bench.status.messages) == 1


def test_an_outage_of_our_own_does_not_break_up_the_fleet() -> None:
    bench = Bench(*(device(f"d{n}", status_attempt_at=START - 3600) for n in range(3000)))
    report = bench.run()
    assert report.overdue == 3000
    assert report.messages < 30
    assert len({job.key for job in bench.status.jobs}) == 6000
