"""Ticks: the windows that events stand for, in a row, and how they are decoded."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.fan_out_bench import START, Bench, device
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.polling.schedule import slot_seconds
from netvitals.domain.polling.tick import Tick, tick_from

RATES = st.integers(1, 14).map(lambda n: f"rate({n} minute{'s' if n > 1 else ''})")


@settings(max_examples=200, deadline=None)
@given(
    name=st.text(min_size=1, max_size=20),
    interval=st.integers(10, 86_400),
    schedule=RATES,
    start=st.integers(0, 2**31),
    kind=st.sampled_from(["status", "metrics"]),
)
def test_ticks_in_a_row_leave_no_gap_and_no_double(
    name: str, interval: int, schedule: str, start: int, kind: str
) -> None:
    settings = {f"{kind}_interval_seconds": interval, "offline_timeout_seconds": 86_400}
    bench = Bench(device(name, settings=settings), now=start)
    period = Tick(kind="status", schedule=schedule, scheduled_time=datetime.fromtimestamp(0, UTC)).period
    start -= 60
    ticks = min(max(2, 3 * interval // period), 60)
    for n in range(ticks):
        bench.run(kind, schedule, start + n * period)
    due = [job.due_at for job in (bench.status.jobs or bench.metrics.jobs)]
    start += 60
    end = start + ticks * period
    assert due == list(range(due[0], end, interval)) if due else interval > ticks * period
    if due:
        assert start <= due[0] < start + interval
        assert due[-1] + interval >= end


@settings(max_examples=20, deadline=None)
@given(interval=st.sampled_from([10, 30, 60, 300]), prefix=st.text(max_size=5))
def test_devices_are_spread_evenly_over_their_interval(interval: int, prefix: str) -> None:
    bench = Bench(
        *(device(f"{prefix}{n}", settings={"status_interval_seconds": interval}) for n in range(3000))
    )
    bench.run("status", "rate(5 minutes)")
    slot = slot_seconds(interval)
    per_slot = Counter(job.due_at for job in bench.status.jobs)
    mean = 3000 / interval * slot
    assert len(per_slot) == 300 / slot
    assert max(per_slot.values()) <= mean + 6 * mean**0.5


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        ({}, "kind"),
        ({"kind": "metrics", "schedule": "rate(15 minutes)"}, "at most 'rate.14 minutes.'"),
        ({"kind": "traps", "schedule": "rate(1 minute)", "scheduled_time": "2026-11-23T16:00:00Z"}, "traps"),
        (
            {"kind": "status", "schedule": "cron(* * * * ? *)", "scheduled_time": "2026-11-23T16:00:00Z"},
            "cron",
        ),
        (
            {
                "kind": "status",
                "schedule": "rate(1 minute)",
                "scheduled_time": "<aws.scheduler.scheduled-time>",
            },
            "time",
        ),
        ({"kind": "status", "schedule": "rate(1 minute)", "scheduled_time": "2026-11-23T16:00:00"}, "time"),
        ({"kind": "status", "schedule": "rate(0 minutes)", "scheduled_time": "2026-11-23T16:00:00Z"}, "rate"),
        ([], "object"),
    ],
)
def test_an_event_that_is_no_tick_is_refused_in_one_clear_line(event: Any, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=wrong):
        tick_from(event, START)


def test_an_event_is_decoded_to_its_window() -> None:
    tick = tick_from(
        {"kind": "status", "schedule": "rate(5 minutes)", "scheduled_time": "2026-11-23T16:00:00Z"}, 0.0
    )
    assert (tick.start, tick.period) == (1_795_449_660, 300)


def test_an_event_without_a_time_fires_now_and_may_do_without_the_lead() -> None:
    assert tick_from({"kind": "status", "schedule": "rate(1 minute)"}, START + 7).start == START + 67
    assert (
        tick_from({"kind": "status", "schedule": "rate(1 minute)", "lead": 0}, START + 7).start == START + 7
    )
