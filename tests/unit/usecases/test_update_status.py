"""Runs of the status function over a fleet in memory: what changes, and what the world hears of it."""

from collections import Counter

import pytest

from fixtures.status_bench import Bench, fleet
from fixtures.status_store import device
from netvitals.domain.polling.observation import Reason


def test_a_device_that_dies_and_returns_is_two_transitions_two_events_and_two_points() -> None:
    bench = Bench(*fleet(3))
    bench.minutes(2)
    bench.events.messages.clear()
    bench.store.history.clear()
    bench.sink.lines.clear()
    bench.dead = {"d01"}
    bench.minutes(4)
    bench.dead = set()
    bench.minutes(2)
    assert bench.told == [("d01", "online", "offline"), ("d01", "offline", "online")]
    assert [row[:3] for row in bench.store.history] == bench.told
    assert sum('status="offline",up=0i' in line for line in bench.sink.lines) >= 1


def test_a_run_says_what_changed() -> None:
    bench = Bench(*fleet(2))
    bench.minutes(2)
    bench.dead = {"d01"}
    reports = [bench.minutes(1) for _ in range(4)]
    changes = [change for report in reports for change in report.changes]
    assert len(changes) == 1
    assert changes[0].startswith("d01: online → offline: ")
    assert "polls failed (timeout), last seen" in changes[0]
    assert reports[-1].statuses == {"online": 1, "offline": 1}


def test_an_event_tells_who_what_why_and_since_when() -> None:
    bench = Bench(device("sw-1", hostname="core", site="hq", device_type="network"))
    bench.minutes(2)
    bench.dead = {"sw-1"}
    bench.minutes(4)
    event = bench.events.bodies[-1]
    assert event | {"id": "", "detail": "", "decided_at": ""} == {
        "version": 1,
        "id": "",
        "scope": "device",
        "device": {"id": "sw-1", "hostname": "core", "type": "network"},
        "site": "hq",
        "before": "online",
        "after": "offline",
        "cause": "no_answer",
        "detail": "",
        "since": "2026-11-23T16:02:30.000Z",
        "decided_at": "",
        "notice": {
            "title": "core at hq is offline",
            "text": event["detail"],
            "slack": f"core at hq is offline: {event['detail']}",
            "severity": "critical",
            "key": "device/sw-1",
        },
    }


def test_a_dead_parent_is_one_event_and_its_children_are_unreachable() -> None:
    bench = Bench(*fleet(10, site="hq"), parents={f"d{n:02}": "d00" for n in range(1, 10)})
    bench.minutes(2)
    bench.events.messages.clear()
    bench.dead = set(bench.store.devices)
    bench.minutes(4)
    assert bench.told == [("d00", "online", "offline")]
    after = Counter(each.record.status.value for each in bench.store.devices.values())
    assert after == {"offline": 1, "unreachable": 9}
    bench.dead = set()
    bench.minutes(3)
    assert bench.told == [("d00", "online", "offline"), ("d00", "offline", "online")]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_parents_in_a_circle_of_any_length_silence_no_outage(size: int) -> None:
    circle = {f"d{n:02}": f"d{(n + 1) % size:02}" for n in range(size)}
    bench = Bench(*fleet(size + 1), parents=circle | {f"d{size:02}": "d00"})
    bench.minutes(2)
    bench.events.messages.clear()
    bench.dead = set(bench.store.devices)
    bench.minutes(4)
    assert sorted(bench.told) == [(name, "online", "offline") for name in sorted(circle)]
    assert bench.store.devices[f"d{size:02}"].record.status == "unreachable"


def test_a_circle_that_answers_somewhere_explains_what_is_behind_the_silent_one() -> None:
    bench = Bench(*fleet(3), parents={"d00": "d01", "d01": "d02", "d02": "d00"})
    bench.minutes(2)
    bench.events.messages.clear()
    bench.dead = {"d00", "d01"}
    bench.minutes(4)
    assert bench.told == [("d01", "online", "offline")]


def test_a_device_behind_a_parent_that_is_back_is_part_of_its_site_s_lost_path() -> None:
    site = [f"d{n:02}" for n in range(8)]
    bench = Bench(*fleet(8, site="hq"), device("core"), parents={"d00": "core"})
    bench.minutes(2)
    bench.dead = {"core", "d00"}
    bench.minutes(4)
    assert bench.store.devices["d00"].record.status == "unreachable"
    bench.dead = set(site)
    bench.minutes(6)
    causes = {name: bench.store.devices[name].record.cause.value for name in site}
    assert causes == dict.fromkeys(site, "path_lost")


def test_a_device_that_was_never_seen_has_its_whole_time_out_from_its_first_poll() -> None:
    bench = Bench(device("new"))
    bench.dead = {"new"}
    bench.minutes(1)
    assert (bench.store.devices["new"].polls.failures, bench.told) == (2, [])
    bench.minutes(1)
    assert bench.told == [("new", "unknown", "offline")]
    assert bench.events.bodies[0]["since"] == "2026-11-23T16:00:30.000Z"
    assert bench.events.bodies[0]["decided_at"] == "2026-11-23T16:02:00.000Z"


def test_a_device_that_is_enabled_again_is_not_missed_before_its_first_poll() -> None:
    bench = Bench(*fleet(3))
    bench.minutes(2)
    bench.events.messages.clear()
    bench.store.disabled = {"d01"}
    bench.minutes(60, skip=["d01"])
    bench.store.disabled = set()
    bench.minutes(6, skip=["d01"])
    assert bench.told == []
    bench.minutes(1, skip=["d01"])
    assert bench.told == [("d01", "online", "unknown")]


def test_a_device_that_is_enabled_again_and_dead_has_its_whole_time_out() -> None:
    bench = Bench(*fleet(3))
    bench.minutes(2)
    bench.events.messages.clear()
    bench.store.disabled = {"d01"}
    bench.minutes(60, skip=["d01"])
    bench.store.disabled, bench.dead = set(), {"d01"}
    bench.minutes(2)
    assert (bench.store.devices["d01"].polls.failures, bench.told) == (4, [])
    bench.minutes(1)
    assert bench.told == [("d01", "online", "offline")]


def test_a_fleet_that_is_disabled_for_a_night_is_no_silent_fleet() -> None:
    bench = Bench(*fleet(3))
    bench.minutes(2)
    bench.events.messages.clear()
    bench.store.disabled = set(bench.store.devices)
    bench.minutes(60, polling=False)
    bench.store.disabled = set()
    bench.minutes(2, polling=False)
    bench.minutes(5)
    assert bench.told == []


def test_a_credential_that_is_repaired_gives_a_silent_device_its_whole_time_out() -> None:
    bench = Bench(*fleet(2))
    bench.minutes(2)
    bench.dead, bench.reason = {"d00"}, Reason.BAD_CREDENTIAL
    bench.minutes(30)
    assert bench.told[-1] == ("d00", "online", "unknown")
    bench.reason = Reason.TIMEOUT
    bench.minutes(1)
    assert bench.told[-1] == ("d00", "online", "unknown")
    bench.minutes(2)
    assert bench.told[-1] == ("d00", "unknown", "offline")


def test_a_site_that_fails_together_is_one_event_and_its_return_another() -> None:
    bench = Bench(*fleet(20, site="hq"), device("other", site="lab"))
    bench.minutes(2)
    bench.events.messages.clear()
    bench.dead = {name for name in bench.store.devices if name != "other"}
    report = bench.minutes(5)
    assert bench.told == [("hq", "reachable", "lost")]
    assert report.statuses == {"unknown": 20, "online": 1}
    assert report.sites_lost == 1
    bench.dead = {"d07"}
    report = bench.minutes(1)
    assert bench.told[1:] == [("hq", "lost", "reachable")]
    assert report.statuses["online"] == 20
    bench.minutes(3)
    assert bench.told[2:] == [("d07", "online", "offline")]


def test_devices_without_a_site_are_never_one_lost_path() -> None:
    bench = Bench(*fleet(20))
    bench.minutes(2)
    bench.dead = set(bench.store.devices)
    bench.minutes(4)
    assert Counter(after for _, _, after in bench.told) == {"online": 20, "offline": 20}


def test_a_paused_collector_is_one_event_of_the_fleet_and_no_device_s() -> None:
    bench = Bench(*fleet(10, site="hq"))
    bench.minutes(2)
    bench.events.messages.clear()
    report = bench.minutes(10, polling=False)
    assert report.fleet_silent
    assert report.statuses == {"unknown": 10}
    assert bench.told == [("fleet", "polled", "silent")]
    report = bench.minutes(6)
    assert report.statuses == {"online": 10}
    assert bench.told == [("fleet", "polled", "silent"), ("fleet", "silent", "polled")]


@pytest.mark.parametrize("pause_minutes", [1, 2, 3, 4, 5, 6])
def test_a_pause_of_any_length_changes_no_device(pause_minutes: int) -> None:
    bench = Bench(*fleet(10))
    bench.minutes(2)
    bench.events.messages.clear()
    bench.minutes(pause_minutes, polling=False)
    bench.minutes(1, skip=[f"d{n:02}" for n in range(5)])
    bench.minutes(10)
    assert [told for told in bench.told if told[0] != "fleet"] == []


@pytest.mark.parametrize("jump", [-86_400, -600, 600, 86_400])
def test_a_clock_that_jumps_changes_no_device(jump: int) -> None:
    bench = Bench(*fleet(10, site="hq"))
    bench.minutes(5)
    bench.dead = {"d03"}
    bench.now += 30
    bench.poll()
    bench.dead = set()
    bench.events.messages.clear()
    before = len(bench.store.history)
    bench.now += jump
    for _ in range(3):
        bench.minutes(1, polling=False)
    bench.minutes(10)
    assert bench.told == []
    assert len(bench.store.history) == before


def test_a_restored_database_changes_no_device() -> None:
    bench = Bench(*fleet(10, site="hq"))
    bench.minutes(2)
    bench.dead = {"d03"}
    bench.minutes(1)
    assert bench.store.devices["d03"].polls.failures == 2
    restore = bench.store.backup()
    bench.dead = set()
    bench.minutes(30)
    restore()
    told, history = len(bench.events.messages), len(bench.store.history)
    bench.use_case().run(bench.now)
    bench.dead = {"d03", "d04"}
    bench.now += 30
    bench.poll()
    bench.use_case().run(bench.now)
    assert (len(bench.events.messages), len(bench.store.history)) == (told, history)


def test_one_device_that_nobody_polls_is_unknown_and_told() -> None:
    bench = Bench(*fleet(5))
    bench.minutes(2)
    bench.events.messages.clear()
    bench.minutes(8, skip=["d02"])
    assert bench.told == [("d02", "online", "unknown")]


def test_a_device_whose_settings_can_t_be_used_is_judged_by_the_defaults(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(device("odd", settings='{"snmp": 7}'), device("worse", settings="{"), device("fine"))
    report = bench.minutes(1)
    assert report.bad_rows == 2
    assert report.statuses == {"online": 3}
    assert any("2 devices have settings" in said for said in caplog.messages)


def test_a_run_without_devices_is_no_error() -> None:
    report = Bench().minutes(2)
    assert (report.devices, report.fleet_silent) == (0, False)


def test_a_lost_site_whose_last_device_is_removed_is_counted_no_more() -> None:
    bench = Bench(*fleet(5, site="hq"), device("other", site="lab"))
    bench.minutes(2)
    bench.dead = {name for name in bench.store.devices if name != "other"}
    assert bench.minutes(5).sites_lost == 1
    bench.store.disabled = set(bench.dead)
    assert bench.minutes(1).sites_lost == 0
