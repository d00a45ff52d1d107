"""One invocation: what it polls, what it stores, and what it asks to have again."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.polling import (
    Behaviour,
    Bench,
    FakeCredentials,
    FakeProber,
    Scripted,
    crashing,
    hanging,
    healthy,
    job,
    silent,
    uncancellable,
)
from fixtures.virtual_time import NeverReturns, run
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.job import Job, encode_jobs
from netvitals.domain.polling.observation import Observation, PollResult, Reading
from netvitals.domain.ports import Target
from netvitals.domain.settings.configuration import CollectorSettings
from netvitals.domain.settings.credential import Credential
from netvitals.store.outcome import StoreReport
from netvitals.usecases.collect import Collect, CollectReport, QueueMessage

NOW = 1_500.0


class Points:
    def __init__(self, error: Exception | None = None, detail: str = "") -> None:
        self.writes: list[list[str]] = []
        self._error, self._detail = error, detail

    def keep(self, lines: Sequence[str], deadline: float) -> StoreReport:
        assert deadline > 0
        self.writes.append(list(lines))
        if self._error:
            raise self._error
        return StoreReport(written=len(lines), detail=self._detail)


class Observations:
    def __init__(self, error: Exception | None = None) -> None:
        self.records: list[list[Observation]] = []
        self._error = error

    def record(self, observations: Sequence[Observation]) -> None:
        self.records.append(list(observations))
        if self._error:
            raise self._error


class Scene:
    """A collector's invocation with everything around it; `finished` has when each device's poll ended."""

    def __init__(self, script: Mapping[str, Behaviour] | None = None, **limits: Any) -> None:
        self.collector = Scripted(script or {})
        self.stage = Bench(collectors={"snmp": self.collector}, prober=FakeProber(seconds=0.0))
        self.points, self.observations = Points(), Observations()
        self.limits = CollectorSettings(**limits)
        self.finished: dict[str, float] = {}

    async def poll(self, what: Job, deadline: float | None = None) -> PollResult:
        result = await self.stage.device.poll(what, deadline)
        self.finished[what.device_id] = asyncio.get_running_loop().time()
        return result

    def run(self, messages: Sequence[QueueMessage], seconds: float = 60.0) -> CollectReport:
        async def main() -> CollectReport:
            collect = Collect(
                self,
                self.points,
                self.observations,
                limits=self.limits,
                clock=lambda: NOW,
            )
            report = await collect.run(messages, asyncio.get_running_loop().time() + seconds)
            self.ended = asyncio.get_running_loop().time() - 1000
            return report

        return run(main())


def message(*jobs: Job, name: str = "") -> QueueMessage:
    return QueueMessage(name or jobs[0].device_id, encode_jobs(jobs))


def fleet(count: int, **changes: Any) -> list[QueueMessage]:
    return [
        message(job(f"sw-{n}", address=f"10.0.{n // 250}.{n % 250 + 1}", **changes)) for n in range(count)
    ]


def test_a_batch_is_polled_at_once_and_stored_with_one_write_and_one_statement() -> None:
    scene = Scene()
    report = scene.run(fleet(100))
    assert (report.devices_polled, report.devices_unreachable, report.failed_ids) == (100, 0, [])
    assert report.reasons == {"ok": 100}
    assert len(report.poll_seconds) == 100
    assert scene.ended == pytest.approx(0.02)
    assert [len(lines) for lines in scene.points.writes] == [report.points_written]
    assert [len(records) for records in scene.observations.records] == [100]


@pytest.mark.parametrize(
    "behaviour", [silent, crashing, hanging, uncancellable], ids=lambda behaviour: behaviour.__name__
)
def test_one_dead_slow_crashing_or_hostile_device_costs_the_other_99_nothing(behaviour: Behaviour) -> None:
    alone, together = Scene(), Scene({"sw-0": behaviour})
    alone.run(fleet(100)[1:])
    report = together.run(fleet(100))
    del together.finished["sw-0"]
    assert together.finished == alone.finished
    assert (report.devices_polled, report.failed_ids) == (100, [])
    together_lines, alone_lines = (
        sorted(line.rsplit(" ", 1)[0] for line in scene.points.writes[0] if "device_id=sw-0," not in line)
        for scene in (together, alone)
    )
    assert together_lines == alone_lines


def test_a_dead_site_holds_up_no_other() -> None:
    scene = Scene(
        {f"sw-{n}": silent for n in range(100)}, max_concurrent_devices=20, max_concurrent_per_site=10
    )
    dead = fleet(100, site="dead")
    well = [message(job(f"well-{n}", address=f"10.9.0.{n + 1}", site="well")) for n in range(10)]
    scene.run([*dead, *well], seconds=120)
    assert {scene.finished[f"well-{n}"] for n in range(10)} == {1000.02}


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.floats(0.1, 5)), min_size=1, max_size=40),
    st.integers(1, 8),
    st.integers(1, 8),
)
def test_bounds_hold_for_the_invocation_and_each_site_and_every_device_gets_its_turn(
    devices: list[tuple[str, float]], at_once: int, per_site: int
) -> None:
    busy: list[str] = []
    peaks = {"all": 0, "a": 0, "b": 0}

    async def measured(target: Target, reading: Reading) -> None:
        busy.append(target.job.site)
        peaks["all"] = max(peaks["all"], len(busy))
        for site in ("a", "b"):
            peaks[site] = max(peaks[site], busy.count(site))
        await asyncio.sleep(devices[int(target.job.device_id)][1])
        busy.remove(target.job.site)
        await healthy(target, reading)

    scene = Scene(max_concurrent_devices=at_once, max_concurrent_per_site=per_site)
    scene.stage.collectors["snmp"] = Scripted({}, measured)
    report = scene.run(
        [message(job(str(n), address=f"10.0.0.{n + 1}", site=site)) for n, (site, _) in enumerate(devices)],
        seconds=1000,
    )
    assert report.devices_polled == len(devices)
    assert peaks["all"] <= at_once
    assert max(peaks["a"], peaks["b"]) <= per_site


def test_one_box_is_not_polled_twice_at_once() -> None:
    scene = Scene()
    scene.run([message(job("a", kind="metrics")), message(job("a", kind="status"), name="2")])
    assert scene.ended == pytest.approx(0.04)


def test_two_devices_behind_one_address_are_told_apart_by_their_port() -> None:
    scene = Scene()
    scene.run([message(job("a", snmp={"port": 1161})), message(job("b", snmp={"port": 1162}))])
    assert scene.ended == pytest.approx(0.02)


def test_a_job_that_a_queue_delivers_twice_is_done_once_and_both_messages_with_it() -> None:
    scene = Scene()
    scene.points = Points(Unavailable("InfluxDB is away"))
    report = scene.run([message(job(), name="first"), message(job(), name="second")])
    assert report.devices_polled == 1
    assert report.failed_ids == ["first", "second"]


def test_an_expired_job_is_dropped_and_counted_and_its_message_is_done() -> None:
    scene = Scene()
    report = scene.run([message(job(expires_at=int(NOW) - 1)), message(job("fresh"))])
    assert (report.jobs_expired, report.devices_polled, report.failed_ids) == (1, 1, [])
    assert [target.job.device_id for target in scene.collector.targets] == ["fresh"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"version": 2, "jobs": []}', '{"version": 1, "jobs": [{"kind": "x"}]}', "\udcff"]
)
def test_a_malformed_message_is_counted_told_once_and_left_for_the_dead_letter_queue(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene()
    report = scene.run([QueueMessage("bad", body), *fleet(2)])
    assert (report.jobs_rejected, report.failed_ids, report.devices_polled) == (1, ["bad"], 2)
    assert [text.partition(": ")[0] for text in caplog.messages] == ["reading message bad"]


def test_an_unreachable_device_is_a_result_and_no_failed_message() -> None:
    report = Scene({"sw-0": silent}).run(fleet(2))
    assert (report.devices_unreachable, report.failed_ids) == (1, [])
    assert report.reasons == {"ok": 1, "timeout": 1}


def test_points_that_are_not_safe_send_all_messages_back_and_observations_are_kept_all_the_same() -> None:
    scene = Scene()
    scene.points = Points(Unavailable("InfluxDB and the spool are away"))
    report = scene.run(fleet(3))
    assert report.failed_ids == ["sw-0", "sw-1", "sw-2"]
    assert (report.jobs_failed, report.points_written) == (3, 0)
    assert [len(records) for records in scene.observations.records] == [3]


def test_observations_that_are_not_kept_send_all_messages_back_and_points_are_written_all_the_same() -> None:
    scene = Scene()
    scene.observations = Observations(Unavailable("PostgreSQL is away"))
    report = scene.run(fleet(3))
    assert len(report.failed_ids) == 3
    assert report.points_written == len(scene.points.writes[0]) > 0


def test_why_points_went_to_the_spool_is_told(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.points = Points(detail="InfluxDB said 503")
    scene.run(fleet(1))
    assert caplog.messages == ["writing points: InfluxDB said 503"]


def test_a_store_that_hangs_is_left_in_time_to_report() -> None:
    scene = Scene()
    scene.points = Points(NeverReturns())
    report = scene.run(fleet(2), seconds=60)
    assert scene.ended == pytest.approx(59)
    assert len(report.failed_ids) == 2


def test_a_device_that_our_own_time_cut_short_is_no_outage_but_a_message_to_come_again() -> None:
    scene = Scene({"sw-0": silent})
    report = scene.run(fleet(2), seconds=18)  # 3 seconds of it are for polling
    assert (report.failed_ids, report.jobs_failed, report.devices_unreachable) == (["sw-0"], 1, 0)
    assert [o.device_id for o in scene.observations.records[0]] == ["sw-1"]


def test_what_a_cut_short_device_had_answered_is_kept() -> None:
    scene = Scene({"sw-0": hanging})
    report = scene.run(fleet(1), seconds=18)
    assert (report.failed_ids, report.reasons) == ([], {"partial": 1})


def test_devices_that_never_got_their_turn_come_again() -> None:
    scene = Scene({"sw-0": hanging}, max_concurrent_devices=1)
    report = scene.run(fleet(3), seconds=18)
    assert (report.devices_polled, report.failed_ids) == (1, ["sw-1", "sw-2"])


def test_an_invocation_of_hanging_and_uncancellable_devices_ends_within_its_time() -> None:
    scene = Scene({f"sw-{n}": uncancellable if n % 2 else hanging for n in range(100)})
    scene.run(fleet(100), seconds=30)
    assert scene.ended <= 30 - 15 + 1
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
