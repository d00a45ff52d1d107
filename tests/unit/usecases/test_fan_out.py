"""Fan-out: which jobs a tick gives, and what it says of rows that give none."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.fan_out_bench import START, Bench, ListedInventory, device, jobs_of
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.inventory.row import bad_row
from netvitals.domain.polling.tick import Tick
from netvitals.domain.ports import QueuedJobs
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.policy import Policy
from netvitals.usecases.fan_out import FanOut


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
