"""One invocation: what it polls, what it stores, and what it asks to have again."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from time import time_ns
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.polling import (
    ALIVE,
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
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.collectors.ssh.protocol import SSH
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.changes import Sample, Samples
from netvitals.domain.polling.job import Job, Kind, encode_jobs
from netvitals.domain.polling.observation import KnownState, Observation, PollResult, Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import QueueMessage, SampleRecord, Target
from netvitals.domain.settings.credential import Credential
from netvitals.store.outcome import StoreReport
from netvitals.usecases.collect import Collect, CollectReport
from netvitals.usecases.store_results import StoreResults

NOW = 1_500.0


class Points:
    def __init__(self, error: Exception | None = None, detail: str = "", spooled: int = 0) -> None:
        self.writes: list[list[str]] = []
        self.error, self._detail, self._spooled = error, detail, spooled

    def keep(self, lines: Sequence[str], deadline: float) -> StoreReport:
        assert deadline > 0
        self.writes.append(list(lines))
        if self.error:
            raise self.error
        return StoreReport(written=len(lines) - self._spooled, spooled=self._spooled, detail=self._detail)


class Observations:
    def __init__(self, error: Exception | None = None) -> None:
        self.records: list[list[Observation]] = []
        self._error = error

    def keep(self, observations: Sequence[Observation]) -> int:
        self.records.append(list(observations))
        if self._error:
            raise self._error
        return 0


class State:
    """A `StateReader`."""

    def __init__(self, known: Mapping[str, KnownState] | None = None, error: Exception | None = None) -> None:
        self._known, self._error = known or {}, error
        self.reads: list[list[str]] = []

    def known(self, device_ids: Collection[str], *, samples: bool = False) -> Mapping[str, KnownState]:
        self.reads.append(sorted(device_ids))
        if self._error:
            raise self._error
        return {
            each: self._known[each] if samples else msgspec.structs.replace(self._known[each], samples=None)
            for each in device_ids
            if each in self._known
        }


class SampleTable:
    """A `SampleStore` that takes what it is given, or what `refused` does not name."""

    def __init__(self) -> None:
        self.records: list[SampleRecord] = []
        self.refused: frozenset[str] = frozenset()
        self.error: Exception | None = None

    def record(self, records: Sequence[SampleRecord]) -> frozenset[str]:
        if self.error:
            raise self.error
        self.records += records
        return frozenset(each.device_id for each in records) - self.refused


class Queue:
    """A `Redelivery`."""

    def __init__(self) -> None:
        self.redelivered: dict[str, int] = {}

    def redeliver(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        self.redelivered |= {message.id: seconds for message in messages}


class Scene:
    """A collector's invocation with everything around it; `finished` has when each device's poll ended."""

    def __init__(
        self,
        script: Mapping[str, Behaviour] | None = None,
        *,
        at_once: int = 200,
        metrics_at_once: int | None = None,
        per_site: int = 50,
    ) -> None:
        self.collector = Scripted(script or {})
        self.stage = Bench(collectors={"snmp": self.collector}, prober=FakeProber(seconds=0.0))
        self.points, self.observations, self.samples = Points(), Observations(), SampleTable()
        self.state, self.queue = State(), Queue()
        self.store_everything = False
        self.at_once, self.per_site = at_once, per_site
        self.metrics_at_once = metrics_at_once or at_once
        self.finished: dict[str, float] = {}

    async def poll(self, what: Job, deadline: float | None = None) -> PollResult:
        result = await self.stage.device.poll(what, deadline)
        self.finished[what.device_id] = asyncio.get_running_loop().time()
        return result

    def run(self, messages: Sequence[QueueMessage], seconds: float = 60.0) -> CollectReport:
        async def main() -> CollectReport:
            collect = Collect(
                self,
                self.state,
                StoreResults(self.points, self.observations, None if self.store_everything else self.samples),
                self.queue,
                at_once={"status": self.at_once, "metrics": self.metrics_at_once},
                per_site=self.per_site,
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
    scene = Scene({f"sw-{n}": silent for n in range(100)}, at_once=20, per_site=10)
    dead = fleet(100, site="dead")
    well = [message(job(f"well-{n}", address=f"10.9.0.{n + 1}", site="well")) for n in range(10)]
    scene.run([*dead, *well], seconds=120)
    assert {scene.finished[f"well-{n}"] for n in range(10)} == {1000.02}


def test_devices_known_to_be_silent_are_all_waited_for_at_once() -> None:
    scene = Scene({f"sw-{n}": silent for n in range(40)}, metrics_at_once=8)
    scene.run(fleet(40, kind="metrics"), seconds=120)
    assert scene.ended == pytest.approx(5 * 6)
    scene = Scene({f"sw-{n}": silent for n in range(40)}, metrics_at_once=8)
    scene.run(fleet(40, kind="metrics", silent=True), seconds=120)
    assert scene.ended == pytest.approx(3)


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

    scene = Scene(at_once=at_once, per_site=per_site)
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
    scene.run([message(job("a")), message(job("b"), name="2")])
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
    scene.points = Points(detail="InfluxDB said 503", spooled=2)
    report = scene.run(fleet(1))
    assert caplog.messages == ["2 lines are safe in the spool and will be written later: InfluxDB said 503"]
    assert report.points_spooled == 2


def test_a_store_that_hangs_is_left_in_time_to_report() -> None:
    scene = Scene()
    scene.points = Points(NeverReturns())
    report = scene.run(fleet(2), seconds=60)
    assert scene.ended <= 59
    assert len(report.failed_ids) == 2
    assert [len(records) for records in scene.observations.records] == [2]


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


@pytest.mark.parametrize(
    ("kind", "failures", "silent", "tries"),
    [("status", 0, False, 3), ("status", 1, False, 10), ("status", 9, True, 3), ("metrics", 1, False, 3)],
)
def test_the_status_of_a_device_that_did_not_answer_is_asked_for_more_often_in_the_same_time(
    *, kind: Kind, failures: int, silent: bool, tries: int
) -> None:
    scene = Scene()
    scene.state = State({"sw-1": KnownState(failures=failures)})
    scene.run([message(job(kind=kind, silent=silent))])
    snmp = SNMP.settings_of(scene.collector.targets[0].job.settings)
    assert snmp.retries + 1 == tries
    assert snmp.timeout_seconds * tries == pytest.approx(6)


def test_a_poll_knows_what_earlier_ones_left_even_where_the_job_says_otherwise() -> None:
    scene = Scene()
    scene.state = State({"sw-1": KnownState(memory={"snmp": {"profile": "cisco"}})})
    scene.run([message(job(memory={"ssh_refused": {"times": 1}}))])
    assert scene.collector.targets[0].job.memory == {"snmp": {"profile": "cisco"}}
    assert scene.state.reads == [["sw-1"]]


def test_a_state_that_can_not_be_read_costs_no_poll_and_nothing_is_trusted_on_first_use() -> None:
    scene = Scene()
    scene.state = State(error=Unavailable("PostgreSQL is away"))
    known = {"ssh_host_keys": ["ssh-ed25519 AAAA"]}
    report = scene.run([message(job(memory=known, ssh={"trust_on_first_use": True}))])
    (target,) = scene.collector.targets
    assert report.failed_ids == []
    assert target.job.memory == known
    assert not SSH.settings_of(target.job.settings).trust_on_first_use


def test_a_state_that_hangs_holds_polls_up_for_seconds_only() -> None:
    scene = Scene()
    scene.state = State(error=NeverReturns())
    assert scene.run(fleet(1)).devices_polled == 1
    assert scene.finished["sw-0"] - 1000 <= 3.1


def test_what_was_not_done_comes_again_in_seconds_and_what_can_never_be_done_does_not() -> None:
    scene = Scene()
    scene.points = Points(Unavailable("InfluxDB and the spool are away"))
    report = scene.run([QueueMessage("bad", "{"), *fleet(1)])
    assert report.failed_ids == ["bad", "sw-0"]
    assert scene.queue.redelivered == {"sw-0": 5}


def test_a_queue_that_hangs_does_not_keep_a_collector_from_saying_what_failed() -> None:
    class Hanging(Queue):
        def redeliver(self, messages: Sequence[QueueMessage], seconds: int) -> None:  # noqa: ARG002, port
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


def test_a_bad_job_costs_the_others_of_its_message_nothing() -> None:
    scene = Scene()
    body = encode_jobs([job("a"), job("b", address="10.0.0.2")]).replace('"kind":"metrics"', '"kind":"x"', 1)
    report = scene.run([QueueMessage("m", body)])
    assert (report.devices_polled, report.jobs_rejected, report.failed_ids) == (1, 1, ["m"])
    assert scene.queue.redelivered == {}


def test_values_that_are_unfit_are_told_with_their_device(caplog: pytest.LogCaptureFixture) -> None:
    async def odd(_: Target, reading: Reading) -> None:
        await healthy(_, reading)
        reading.points.append(Point("net_oper_status", 0, time_ns(), "Gi0/1"))

    report = Scene({"sw-0": odd}).run(fleet(1))
    assert report.points_invalid == 1
    assert "sw-0: ok: 1 values were unfit to be stored: net_oper_status is 0, below 1" in caplog.messages[0]


# --- Report by exception


async def standing_still(_: Target, reading: Reading) -> None:
    reading.alive = True
    reading.points += [Point("net_bytes_in", 5, time_ns(), "Gi0/1"), Point("cpu_percent", 3.0, time_ns())]
    reading.reason = Reason.OK


def after_one_poll(**changes: Any) -> Scene:
    """A scene in which the device's counter stood still since the poll before."""
    series = {("net_bytes_in", "Gi0/1", ""): Sample(5, 1, None, held=False)}
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
