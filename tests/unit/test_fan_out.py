"""Fan-out: which jobs a tick gives, and what it says of rows that give none."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netvitals.collectors.snmp.protocol import SNMP
from netvitals.domain.errors import ConfigurationError, Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.inventory.row import BadRow, bad_row
from netvitals.domain.polling.job import Job, decode_jobs, deflated_body
from netvitals.domain.polling.schedule import slot_seconds
from netvitals.domain.polling.tick import Tick, tick_from
from netvitals.domain.ports import QueuedJobs
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.policy import Policy
from netvitals.usecases.fan_out import FanOut, FanOutReport

START = 1_795_449_600
RATES = st.integers(1, 14).map(lambda n: f"rate({n} minute{'s' if n > 1 else ''})")


class ListedInventory:
    def __init__(self, devices: Sequence[Device], bad: Sequence[BadRow] = ()) -> None:
        self._listed = devices
        self._bad = bad

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:
        for row in self._bad:
            report(row)
        for start in range(0, len(self._listed), 7):
            yield self._listed[start : start + 7]


class KeptQueue:
    def __init__(self) -> None:
        self.messages: list[QueuedJobs] = []

    def send(self, messages: Iterable[QueuedJobs]) -> int:
        before = len(self.messages)
        self.messages += messages
        return len(self.messages) - before

    @property
    def jobs(self) -> list[Job]:
        return [job for message in self.messages for job in jobs_of(message)]


def jobs_of(message: QueuedJobs) -> list[Job]:
    """Return the jobs as the collector decodes them."""
    decoded = decode_jobs(deflated_body(message.jobs))
    assert decoded.faults == []
    return decoded.jobs


class Bench:
    """A fan-out of the given devices, with what it sent."""

    def __init__(self, *devices: Device, now: float = START) -> None:
        self.devices = devices
        self.bad: list[BadRow] = []
        self.now = now
        self.status, self.metrics = KeptQueue(), KeptQueue()

    def run(self, kind: Any = "status", schedule: str = "rate(1 minute)", start: int = START) -> FanOutReport:
        tick = Tick(kind=kind, schedule=schedule, scheduled_time=datetime.fromtimestamp(start, UTC))
        return FanOut(
            inventory=ListedInventory(self.devices, self.bad),
            queues={"status": self.status, "metrics": self.metrics},
            policy=Configuration().policy,
            guard=Guard(["10.0.0.0/8"]).check,
            clock=lambda: self.now,
        ).run(tick)


def device(name: str = "sw-1", **more: Any) -> Device:
    """Return a device that was polled and seen just now."""
    polled = {"last_seen_at": START, "status_attempt_at": START, "metrics_attempt_at": START}
    return Device(id=name, **{"ip_address": "10.0.0.1"} | polled | more)


def test_a_device_polled_every_30_seconds_gets_two_jobs_a_minute() -> None:
    bench = Bench(device())
    report = bench.run()
    first, second = bench.status.jobs
    assert second.due_at - first.due_at == 30
    assert START + 60 <= first.due_at < START + 90
    assert (report.devices, report.jobs, report.messages) == (1, 2, 2)


def test_status_and_metrics_go_to_their_own_queues() -> None:
    bench = Bench(device())
    bench.run("metrics", "rate(5 minutes)")
    assert [job.kind for job in bench.metrics.jobs] == ["metrics"]
    assert bench.status.jobs == []


def test_a_message_is_delivered_when_its_jobs_are_due() -> None:
    bench = Bench(*(device(f"d{n}") for n in range(50)))
    bench.run()
    for message in bench.status.messages:
        assert {job.due_at for job in jobs_of(message)} == {message.due_at}


def test_a_job_expires_when_the_next_one_is_due() -> None:
    bench = Bench(device())
    bench.run()
    assert all(job.expires_at == job.due_at + 30 for job in bench.status.jobs)


def test_a_long_interval_does_not_keep_its_job_for_ever() -> None:
    bench = Bench(device(settings={"metrics_interval_seconds": 3600}))
    for hour in range(60):
        bench.run("metrics", "rate(1 minute)", START + 60 * hour)
    (job,) = bench.metrics.jobs
    assert (job.expires_at - job.due_at, job.interval) == (900, 3600)


def test_a_tick_that_comes_much_too_late_skips_what_has_expired_and_counts_it() -> None:
    bench = Bench(device(), now=START + 600)
    report = bench.run()
    assert (report.jobs, report.expired, report.skipped) == (0, 2, 0)
    assert bench.status.jobs == []


@pytest.mark.parametrize("late", [0, 5.5, 31, 45, 59.9])
def test_a_tick_that_comes_late_by_up_to_a_minute_loses_nothing_and_doubles_nothing(late: float) -> None:
    devices = [device(f"sw-{n}") for n in range(100)]
    punctual, behind = Bench(*devices), Bench(*devices, now=START + late)
    punctual.run()
    report = behind.run()
    assert behind.status.jobs == punctual.status.jobs
    assert (report.jobs, report.expired) == (200, 0)
    assert min(message.due_at for message in behind.status.messages) >= START + 60


def test_the_same_tick_twice_gives_the_same_jobs() -> None:
    devices = [device(f"sw-{n}") for n in range(20)]
    once, again = Bench(*devices), Bench(*devices, now=START + 5)
    once.run()
    again.run()
    assert once.status.jobs == again.status.jobs


def test_a_device_that_is_not_due_in_this_window_is_counted_as_skipped() -> None:
    bench = Bench(device(settings={"metrics_interval_seconds": 86400}))
    counts = [bench.run("metrics", "rate(10 minutes)", START + 600 * n) for n in range(144)]
    assert [(report.jobs, report.skipped) for report in counts].count((1, 0)) == 1
    assert [(report.jobs, report.skipped) for report in counts].count((0, 1)) == 143


def test_an_unusable_row_is_reported_once_and_costs_the_others_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(
        device("local", ip_address="127.0.0.1"),
        device("odd", device_type="toaster"),
        device("lost", ip_address=None),
        device("wrong", settings={"snmp": {"port": "x"}}),
        device("fine"),
    )
    report = bench.run()
    assert {job.device_id for job in bench.status.jobs} == {"fine"}
    assert (report.bad_rows, len(caplog.messages)) == (4, 4)
    assert "neither ip_address nor hostname" in "".join(caplog.messages)
    assert "snmp.port" in "".join(caplog.messages)


def test_a_row_with_two_faults_is_one_bad_row(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(device())
    bench.bad = [
        bad_row("device 'x'", "enabled", "perhaps", "true or false"),
        bad_row("device 'x'", "site", 7, "text"),
    ]
    report = bench.run()
    assert (report.devices, report.bad_rows, report.jobs) == (2, 1, 2)
    assert len(caplog.messages) == 2


def test_a_thousand_rows_with_the_same_problem_are_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(*(device(f"d{n}", ip_address=f"11.0.{n // 250}.{n % 250}") for n in range(1000)))
    report = bench.run()
    assert report.bad_rows == 1000
    assert len(caplog.messages) == 4
    assert "997 more" in caplog.messages[-1]


def test_a_host_name_is_left_to_the_collector_and_a_number_that_looks_like_one_is_not() -> None:
    bench = Bench(
        device("named", ip_address=None, hostname="core-1.example.net"),
        device("tricky", ip_address=None, hostname="0x7f.1"),
    )
    bench.run()
    assert {job.address for job in bench.status.jobs} == {"core-1.example.net"}


def test_a_job_names_its_credential_and_carries_the_device_s_own_settings() -> None:
    bench = Bench(device(credential="lab", site="hq", settings={"snmp": {"port": 1161}}))
    bench.run()
    job = bench.status.jobs[0]
    assert (job.credential, job.site, SNMP.settings_of(job.settings).port) == ("lab", "hq", 1161)


def test_a_job_carries_the_memory_that_was_read_for_it() -> None:
    memory = {"ssh_host_keys": ["ssh-ed25519 AAAA"]}
    bench = Bench(device(memory=memory))
    bench.run("status")
    assert bench.status.jobs[0].memory == memory


def test_memory_that_can_t_be_written_is_left_out() -> None:
    bench = Bench(device("odd", memory={"cpu": "\ud800"}), device("fine"))
    bench.run("metrics", "rate(5 minutes)")
    assert {job.device_id: job.memory for job in bench.metrics.jobs} == {"odd": {}, "fine": {}}


@pytest.mark.parametrize("value", [10**30, "\ud800"])
def test_settings_that_can_t_be_written_make_a_bad_row(value: Any) -> None:
    bench = Bench(device("odd", settings={"snmp": {"profile": value}}), device("fine"))
    report = bench.run()
    assert report.bad_rows == 1
    assert {job.device_id for job in bench.status.jobs} == {"fine"}


def test_settings_too_large_for_a_message_make_a_bad_row() -> None:
    bench = Bench(device(settings={"snmp": {"profile": "x" * 300_000}}), device("fine"))
    report = bench.run()
    assert report.bad_rows == 1
    assert {job.device_id for job in bench.status.jobs} == {"fine"}


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


# --- Silence and quarantine

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


def test_a_policy_is_made_once_for_devices_with_the_same_settings() -> None:
    calls: list[str] = []

    def policy(device_type: str, overrides: Mapping[str, Any]) -> Policy:
        calls.append(device_type)
        return Configuration().policy(device_type, overrides)

    bench = Bench()
    FanOut(
        inventory=ListedInventory([device(f"d{n}", settings={"snmp": {"port": 1161}}) for n in range(50)]),
        queues={"status": bench.status},
        policy=policy,
        guard=Guard(["10.0.0.0/8"]).check,
        clock=lambda: START,
    ).run(Tick(kind="status", schedule="rate(1 minute)", scheduled_time=datetime.fromtimestamp(START, UTC)))
    assert calls == ["network"]


def test_problems_are_said_even_when_the_queue_fails(caplog: pytest.LogCaptureFixture) -> None:
    class DeadQueue:
        def send(self, messages: Iterable[QueuedJobs]) -> int:
            raise Unavailable(f"{len(list(messages))} not sent")

    listed = [device(f"d{n}", ip_address="8.8.8.8") for n in range(10)]
    with pytest.raises(Unavailable):
        FanOut(
            inventory=ListedInventory(listed),
            queues={"status": DeadQueue()},
            policy=Configuration().policy,
            guard=Guard(["10.0.0.0/8"]).check,
            clock=lambda: START,
        ).run(
            Tick(kind="status", schedule="rate(1 minute)", scheduled_time=datetime.fromtimestamp(START, UTC))
        )
    assert "7 more" in caplog.messages[-1]


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
