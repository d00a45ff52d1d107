"""One invocation: what it polls, what it stores, and what it asks to have again."""

import asyncio
from time import time_ns

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.collect_scene import NOW, Observations, Points, Scene, State, fleet, message
from fixtures.polling import (
    Behaviour,
    Scripted,
    crashing,
    hanging,
    healthy,
    job,
    silent,
    uncancellable,
)
from fixtures.virtual_time import NeverReturns
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.collectors.ssh.protocol import SSH
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.job import Kind, encode_jobs
from netvitals.domain.polling.observation import KnownState, Reading
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import QueueMessage, Target


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


def test_an_expired_job_is_done_although_the_others_are_not_safe() -> None:
    scene = Scene()
    scene.points.error = Unavailable("no spool")
    expired, fresh = message(job(expires_at=int(NOW) - 1)), message(job("fresh"))
    report = scene.run([expired, fresh])
    assert (report.failed_ids, report.jobs_failed) == ([fresh.id], 1)


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
