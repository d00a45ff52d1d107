"""Runs of the status function over a fleet in memory: what changes, and what the world hears of it."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from fixtures.status_store import MemoryStatusStore
from netvitals.domain.decision.status import Monitored, OutboxMessage, Polls, StatusRecord
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.status import StatusSettings
from netvitals.store.outcome import Obstacle, Refusal, WriteOutcome
from netvitals.usecases.status_pass import StatusReport
from netvitals.usecases.update_status import UpdateStatus

START = 1_795_449_600.0


class KeptSink:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.away = False
        self.refuses = ""

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:  # noqa: ARG002, the port's
        if self.away:
            return WriteOutcome(unsent=list(lines), obstacle=Obstacle.UNREACHABLE, detail="no route")
        refused = [Refusal(line, "type conflict") for line in lines if self.refuses and self.refuses in line]
        self.lines += lines
        return WriteOutcome(accepted=len(lines) - len(refused), refused=refused)


class KeptMessages:
    def __init__(self) -> None:
        self.messages: list[OutboxMessage] = []
        self.away = False

    def send(self, messages: Sequence[OutboxMessage]) -> Collection[str]:
        if self.away:
            return set()
        self.messages += messages
        return {message.id for message in messages}

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(message.body) for message in self.messages]


class Bench:
    """A fleet, polled every 30 s and judged every 60 s."""

    def __init__(
        self,
        *devices: Monitored,
        parents: Mapping[str, str] | None = None,
        settings: StatusSettings | None = None,
    ) -> None:
        self.store = MemoryStatusStore(*devices, parents=parents)
        self.sink, self.events, self.digests = KeptSink(), KeptMessages(), KeptMessages()
        self.now = START
        self.dead: set[str] = set()
        self.reason = Reason.TIMEOUT
        self.settings = settings

    def use_case(self, **changes: Any) -> UpdateStatus:
        parts: dict[str, Any] = {
            "store": self.store,
            "policy": Configuration().policy,
            "sink": self.sink,
            "settings": self.settings,
            "events": self.events,
            "digests": self.digests,
        }
        return UpdateStatus(**parts | changes)

    def poll(self, *, skip: Collection[str] = ()) -> None:
        for device_id in self.store.devices:
            if device_id not in skip:
                answers = device_id not in self.dead
                self.store.poll(device_id, self.now, answers=answers, reason=self.reason)

    def minutes(self, count: int, *, polling: bool = True, skip: Collection[str] = ()) -> StatusReport:
        report = StatusReport()
        for _ in range(count):
            for _ in range(2):
                self.now += 30
                if polling:
                    self.poll(skip=skip)
            report = self.use_case().run(self.now)
        return report

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What events said: of whom, before, after."""
        return [
            ((body["device"] or {}).get("id") or body["site"] or "fleet", body["before"], body["after"])
            for body in self.events.bodies
        ]


def device(name: str, **more: Any) -> Monitored:
    return Monitored(id=name, polls=Polls(), record=StatusRecord(), **more)


def fleet(count: int, **more: Any) -> list[Monitored]:
    return [device(f"d{n:02}", **more) for n in range(count)]


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


def flap(bench: Bench, times: int, minutes: int = 3) -> None:
    """Take `d00` down and up again, each time for so many minutes."""
    for _ in range(times):
        bench.dead = {"d00"}
        bench.minutes(minutes)
        bench.dead = set()
        bench.minutes(minutes)


def test_of_a_device_that_flaps_every_announced_outage_has_its_end_and_one_event_says_that_it_flaps() -> None:
    bench = Bench(device("d00"))
    bench.minutes(2)
    bench.events.messages.clear()
    flap(bench, 8, minutes=2)
    down, up = ("d00", "online", "offline"), ("d00", "offline", "online")
    assert bench.told == [down, up, down, up]
    assert [body.get("flapping") for body in bench.events.bodies] == [None, None, None, True]
    assert "it flaps" in bench.events.bodies[-1]["detail"]
    assert len(bench.store.history) == 1 + 16


def test_an_outage_that_makes_a_device_flap_is_announced_and_its_end_as_well() -> None:
    bench = Bench(device("d00"))
    bench.minutes(2)
    flap(bench, 1)
    bench.minutes(6)
    flap(bench, 1)
    bench.events.messages.clear()
    flap(bench, 2)
    assert bench.told == [("d00", "online", "offline"), ("d00", "offline", "online")]
    assert [body.get("flapping") for body in bench.events.bodies] == [True, None]


def test_a_flapping_device_that_stays_down_is_announced_when_it_is_steady() -> None:
    bench = Bench(device("d00"))
    bench.minutes(2)
    flap(bench, 4)
    bench.events.messages.clear()
    bench.dead = {"d00"}
    bench.minutes(5)
    assert (bench.told, bench.store.devices["d00"].record.status) == ([], "offline")
    bench.minutes(30)
    assert bench.told == [("d00", "online", "offline")]
    assert not bench.store.devices["d00"].record.flapping


def test_what_flaps_under_maintenance_is_no_flapping_after_it() -> None:
    bench = Bench(device("d00", maintenance_until=START + 3600))
    bench.minutes(2)
    flap(bench, 9)
    bench.now = START + 3600
    bench.minutes(1)
    bench.events.messages.clear()
    flap(bench, 1)
    assert [body.get("flapping") for body in bench.events.bodies] == [None, None]


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
