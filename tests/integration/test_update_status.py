"""Status on a real PostgreSQL: one row of history and one event for each transition, whatever dies when."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fixtures.status_store import status_poll
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.decision.status import OutboxMessage
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.secret import Secret
from netvitals.store.outcome import WriteOutcome
from netvitals.usecases.status_pass import StatusReport
from netvitals.usecases.update_status import UpdateStatus

pytestmark = pytest.mark.integration

START = 1_700_000_040
Open = Callable[[str], Database]


class Ears:
    """Takes events and points, and dies when told to."""

    def __init__(self) -> None:
        self.events: list[OutboxMessage] = []
        self.lines: list[str] = []
        self.dies: str = ""
        self.lock = threading.Lock()

    def send(self, messages: Sequence[OutboxMessage]) -> Collection[str]:
        if self.dies == "before sending":
            raise KeyboardInterrupt
        with self.lock:
            self.events += messages
        if self.dies == "after sending":
            raise KeyboardInterrupt
        return {message.id for message in messages}

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:  # noqa: ARG002, the port's
        with self.lock:
            self.lines += lines
        return WriteOutcome(accepted=len(lines))

    @property
    def told(self) -> list[tuple[str, str, str]]:
        bodies = [json.loads(message.body) for message in self.events]
        return [
            ((body["device"] or {}).get("id", body["site"]), body["before"], body["after"]) for body in bodies
        ]


class Fleet:
    """Devices in a database, polled every 30 s."""

    def __init__(self, url: str, open_database: Open) -> None:
        self.database = open_database(url)
        self.ears = Ears()
        self.now = START
        self.dead: set[str] = set()
        self.ids: list[str] = []

    def add(self, *ids: str, site: str = "", parent: str | None = None) -> None:
        self.ids += ids
        self.execute(
            "INSERT INTO devices (id, site, parent_id) SELECT id, %s, %s FROM unnest(%s::text[]) AS u (id)",
            [site, parent, list(ids)],
        )

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        def work(cursor: Any) -> list[tuple[Any, ...]]:
            cursor.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

        return self.database.run(work)

    def poll(self, database: Database | None = None) -> None:
        PostgresObservationStore(database or self.database).record(
            [status_poll(each, self.now, answers=each not in self.dead) for each in self.ids]
        )

    def judge(self, database: Database | None = None) -> StatusReport:
        return UpdateStatus(
            store=PostgresStatusStore(database or self.database),
            policy=Configuration().policy,
            sink=self.ears,
            events=self.ears,
        ).run(self.now)

    def minutes(self, count: int) -> StatusReport:
        report = StatusReport()
        for _ in range(count):
            self.polls(2)
            report = self.judge()
        return report

    def polls(self, count: int) -> None:
        for _ in range(count):
            self.now += 30
            self.poll()

    def up(self) -> None:
        """Everything online, and nothing of it remembered."""
        self.minutes(2)
        self.execute("DELETE FROM device_status_history")
        self.ears.events.clear()

    @property
    def history(self) -> list[tuple[Any, ...]]:
        query = "SELECT device_id, before, after, cause FROM device_status_history ORDER BY number"
        return self.execute(query)

    @property
    def statuses(self) -> dict[str, str]:
        return dict(self.execute("SELECT device_id, status FROM device_state"))


@pytest.fixture
def fleet(database_url: str, open_database: Open) -> Fleet:
    return Fleet(database_url, open_database)


@pytest.fixture
def another(database_url: str, open_database: Open) -> Database:
    return open_database(database_url)


def test_an_outage_and_a_return_are_each_one_row_one_event_and_one_point(fleet: Fleet) -> None:
    fleet.add("a", "b")
    fleet.up()
    fleet.dead = {"a"}
    fleet.minutes(4)
    fleet.dead = set()
    fleet.minutes(2)
    assert fleet.history == [("a", "online", "offline", "no_answer"), ("a", "offline", "online", "answered")]
    assert fleet.ears.told == [("a", "online", "offline"), ("a", "offline", "online")]
    [point, *_heartbeats] = [line for line in fleet.ears.lines if "offline" in line]
    assert point == f'device_status,device_id=a status="offline",up=0i {(START + 240) * 10**9}'
    assert fleet.statuses == {"a": "online", "b": "online"}


def test_children_behind_a_dead_parent_are_unreachable_in_the_same_run(fleet: Fleet) -> None:
    fleet.add("core", site="hq")
    fleet.add("access", site="hq", parent="core")
    fleet.add("leaf-1", "leaf-2", site="annex", parent="access")
    fleet.up()
    fleet.dead = set(fleet.ids)
    fleet.minutes(2)
    assert fleet.ears.told == [("core", "online", "offline")]
    assert fleet.statuses == {
        "core": "offline", "access": "unreachable", "leaf-1": "unreachable", "leaf-2": "unreachable",
    }  # fmt: skip
    fleet.dead = set()
    fleet.minutes(2)
    assert fleet.ears.told[1:] == [("core", "offline", "online")]
    assert set(fleet.statuses.values()) == {"online"}


def test_a_lost_path_and_its_return_are_one_event_each(fleet: Fleet) -> None:
    fleet.add(*(f"d{n}" for n in range(30)), site="hq")
    fleet.up()
    fleet.dead = set(fleet.ids)
    fleet.minutes(4)
    assert fleet.ears.told == [("hq", "reachable", "lost")]
    assert set(fleet.statuses.values()) == {"unknown"}
    fleet.dead = set()
    fleet.minutes(3)
    assert fleet.ears.told == [("hq", "reachable", "lost"), ("hq", "lost", "reachable")]
    assert set(fleet.statuses.values()) == {"online"}


def test_two_runs_at_once_make_each_transition_once(fleet: Fleet, another: Database) -> None:
    fleet.add(*(f"d{n}" for n in range(200)))
    fleet.up()
    fleet.dead = set(fleet.ids[:100])
    fleet.polls(4)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            list(pool.map(fleet.judge, [fleet.database, another]))
    assert Counter(fleet.ears.told) == Counter((name, "online", "offline") for name in fleet.ids[:100])
    assert len(fleet.history) == 100


def test_a_run_that_is_repeated_changes_nothing_more(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.up()
    fleet.dead = {"a"}
    fleet.polls(4)
    reports = [fleet.judge() for _ in range(3)]
    assert [report.transitions for report in reports] == [1, 0, 0]
    assert len(fleet.ears.events) == 1


def test_a_run_that_dies_before_it_has_decided_leaves_nothing(fleet: Fleet, monkeypatch: Any) -> None:
    fleet.add("a")
    fleet.up()
    fleet.dead = {"a"}
    fleet.polls(4)
    with monkeypatch.context() as patch:
        patch.setattr("netvitals.adapters.postgres.status.PostgresStatusRun.save", _die)
        with pytest.raises(KeyboardInterrupt):
            fleet.judge()
    assert (fleet.history, fleet.ears.events, fleet.statuses) == ([], [], {"a": "online"})
    fleet.judge()
    assert fleet.ears.told == [("a", "online", "offline")]
    assert len(fleet.history) == 1


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_run_that_dies_before_it_has_published_is_published_by_the_next(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.up()
    fleet.dead = {"a"}
    fleet.polls(4)
    fleet.ears.dies = "before sending"
    with pytest.raises(KeyboardInterrupt):
        fleet.judge()
    fleet.ears.dies = ""
    assert fleet.statuses == {"a": "offline"}
    assert fleet.judge().transitions == 0
    assert fleet.ears.told == [("a", "online", "offline")]


def test_a_run_that_dies_between_sending_and_noting_it_sends_again_under_the_same_id(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.up()
    fleet.dead = {"a"}
    fleet.polls(4)
    fleet.ears.dies = "after sending"
    with pytest.raises(KeyboardInterrupt):
        fleet.judge()
    fleet.ears.dies = ""
    fleet.judge()
    fleet.judge()
    first, second = fleet.ears.events
    assert first == second
    assert len(fleet.history) == 1


def test_polls_that_are_recorded_during_runs_are_all_kept_and_stop_nothing(
    fleet: Fleet, another: Database
) -> None:
    fleet.add(*(f"d{n:03}" for n in range(300)))
    fleet.up()
    fleet.dead = set(fleet.ids)
    fleet.polls(4)
    failed_before = 4
    rounds = 20

    def poll() -> None:
        for _ in range(rounds):
            fleet.now += 1
            fleet.ids.reverse()
            fleet.poll(another)

    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(poll)
        while not polling.done():
            fleet.judge()
        polling.result()
    fleet.judge()
    assert fleet.execute("SELECT DISTINCT failures FROM device_state") == [(failed_before + rounds,)]
    assert Counter(fleet.ears.told) == Counter((name, "online", "offline") for name in fleet.ids)


def test_a_database_that_is_away_changes_no_device(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.up()
    gone = Database(lambda: Secret("postgresql://127.0.0.1:1/x"))
    with pytest.raises(Unavailable):
        fleet.judge(gone)
    assert (fleet.history, fleet.ears.events) == ([], [])


def test_a_restored_database_and_a_jump_of_the_clock_change_no_device(fleet: Fleet) -> None:
    fleet.add(*(f"d{n}" for n in range(10)), site="hq")
    fleet.up()
    fleet.now += 86_400
    fleet.judge()
    fleet.now += 30
    fleet.poll()
    fleet.judge()
    assert (fleet.history, fleet.ears.events) == ([], [])


def test_a_device_that_leaves_maintenance_dead_is_told_of_then(fleet: Fleet) -> None:
    fleet.add("a", "b")
    fleet.up()
    fleet.execute("UPDATE devices SET maintenance_until = to_timestamp(%s) WHERE id = 'a'", [fleet.now + 600])
    fleet.dead = {"a"}
    fleet.minutes(5)
    assert [row[:3] for row in fleet.history] == [("a", "online", "offline")]
    assert fleet.ears.told == []
    fleet.minutes(6)
    assert fleet.ears.told == [("a", "online", "offline")]
    assert len(fleet.history) == 1


def test_a_status_that_others_have_written_counts_as_announced(fleet: Fleet) -> None:
    fleet.add("a", "b")
    fleet.execute(
        "INSERT INTO device_state (device_id, status, last_seen_at, last_attempt_at, failures, successes)"
        " SELECT id, 'online', to_timestamp(%s), to_timestamp(%s), f, s"
        " FROM (VALUES ('a', 5, 0), ('b', 0, 5)) AS v (id, f, s)",
        [START - 600, START],
    )
    fleet.judge()
    assert fleet.ears.told == [("a", "online", "offline")]
    assert len(fleet.history) == 1
