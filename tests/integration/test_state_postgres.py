"""Observations in a real `device_state`."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.domain.polling.observation import KnownState, Observation, Reason

pytestmark = pytest.mark.integration

START = 1_700_000_040
Row = dict[str, Any]


def seen(at: float, device_id: str = "a", **changes: Any) -> Observation:
    values: dict[str, Any] = {"kind": "status", "reachable": True, "reason": Reason.OK, "method": "snmp"}
    return Observation(device_id=device_id, attempted_at_ns=int((START + at) * 1e9), **values | changes)


def failed(at: float, device_id: str = "a", **changes: Any) -> Observation:
    return seen(at, device_id, **{"reachable": False, "reason": Reason.TIMEOUT} | changes)


@pytest.fixture
def store(database: Database) -> PostgresObservationStore:
    return PostgresObservationStore(database)


@pytest.fixture
def state(database: Database) -> Callable[[str], Row]:
    """A device's state, times as seconds after the start."""

    def read(device_id: str = "a") -> Row:
        query = "SELECT to_jsonb(s) FROM device_state s WHERE device_id = %s"
        rows = database.run(lambda cursor: cursor.execute(query, [device_id]).fetchall())
        times = database.run(
            lambda cursor: cursor.execute(
                "SELECT extract(epoch FROM last_seen_at), extract(epoch FROM last_attempt_at),"
                " extract(epoch FROM streak_since) FROM device_state WHERE device_id = %s",
                [device_id],
            ).fetchone()
        )
        row: Row = rows[0][0]
        names = ("last_seen_at", "last_attempt_at", "streak_since")
        return row | {
            name: None if time is None else float(time) - START
            for name, time in zip(names, times or (), strict=True)
        }

    return read


def test_failures_and_successes_in_a_row_are_counted_since_the_first(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    for observation in (seen(0), seen(30), failed(60, detail="no answer"), failed(90.5)):
        store.record([observation])
    row = state()
    assert (row["successes"], row["failures"], row["streak_since"]) == (0, 2, 60)
    assert (row["last_seen_at"], row["last_attempt_at"]) == (30, 90.5)
    assert (row["reason"], row["detail"], row["method"]) == ("timeout", "", "snmp")
    store.record([seen(120)])
    row = state()
    assert (row["successes"], row["failures"], row["streak_since"], row["last_seen_at"]) == (1, 0, 120, 120)


def test_a_late_observation_adds_to_no_count_and_replaces_no_memory(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([seen(60, memory={"a": 1})])
    before = state()
    for late in (failed(30, memory={"a": 2}), failed(60, memory={"a": 3}), seen(59.9, memory={"b": 1})):
        store.record([late])
        assert state() == before


def test_an_answer_that_arrives_late_is_when_the_device_was_seen(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    for observation in (seen(0), failed(90), seen(60), failed(120)):
        store.record([observation])
    row = state()
    assert (row["last_seen_at"], row["failures"], row["streak_since"]) == (60, 2, 90)


def test_an_answer_that_arrives_late_ends_the_row_of_failures_that_it_falls_into(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([seen(0), failed(30), failed(60), failed(120), failed(150)])
    store.record([seen(90)])
    row = state()
    assert (row["last_seen_at"], row["failures"], row["streak_since"]) == (90, 1, 150)
    assert row["reason"] == "timeout"


def test_of_several_polls_for_one_due_time_one_failure_counts(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([failed(0.5, due_at=START)])
    store.record([failed(5.5, due_at=START), failed(6.5, due_at=START)])
    row = state()
    assert (row["failures"], row["last_attempt_at"]) == (1, 6.5)
    store.record([failed(7.5, due_at=START, kind="metrics"), failed(30.5, due_at=START + 30)])
    assert state()["failures"] == 3


def test_an_answer_ends_a_row_of_failures_for_whatever_due_time(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([failed(0.5, due_at=START), seen(5.5, due_at=START), failed(9.5, due_at=START)])
    row = state()
    assert (row["failures"], row["successes"], row["last_seen_at"]) == (0, 1, 5.5)
    assert (row["reason"], row["last_attempt_at"]) == ("ok", 9.5)


def test_a_due_time_far_ahead_of_its_attempt_is_not_believed(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([failed(0, due_at=1 << 80), failed(30, due_at=START + 30)])
    assert state()["failures"] == 2
    assert store.known(["a"])["a"].status_due_at == START + 30


def test_the_first_failure_that_proves_silence_begins_a_new_row(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([failed(0, reason=Reason.BAD_CREDENTIAL), failed(30, reason=Reason.INTERNAL), failed(60)])
    row = state()
    assert (row["failures"], row["streak_since"]) == (1, 60)
    store.record([failed(90, reason=Reason.INTERNAL)])
    assert (state()["failures"], state()["streak_since"]) == (2, 60)


def test_answers_of_any_reason_are_one_row(store: PostgresObservationStore, state: Callable[[], Row]) -> None:
    store.record([seen(0, reason=Reason.AUTH), seen(30), seen(60, reason=Reason.PARTIAL)])
    assert (state()["successes"], state()["streak_since"]) == (3, 0)


def test_what_is_known_of_devices_is_read_in_one_statement(store: PostgresObservationStore) -> None:
    store.record([seen(0.5, due_at=START, memory={"profile": "x"}), failed(1, kind="metrics", due_at=START)])
    store.record([seen(0, "b")])
    known = store.known(["a", "b", "never polled", "\x00\ud800"])
    assert known == {"a": KnownState({"profile": "x"}, START, START, failures=1), "b": KnownState({})}
    assert known["a"].has_polled("status", START)
    assert known["a"].has_polled("metrics", START - 30)
    assert not known["a"].has_polled("status", START + 30)
    assert not known["b"].has_polled("status", START)


def test_the_same_batch_twice_counts_once(store: PostgresObservationStore, state: Callable[[], Row]) -> None:
    batch = [failed(0), failed(30), failed(60), seen(30, "b")]
    store.record(batch)
    before = state()
    store.record(batch)
    assert state() == before
    assert before["failures"] == 3


def test_a_long_metrics_poll_overtaken_by_a_status_poll_keeps_its_memory(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([failed(30)])
    store.record([seen(0, kind="metrics", reason=Reason.PARTIAL, memory={"cpu": [1, 2]})])
    row = state()
    assert row["memory"] == {"cpu": [1, 2]}
    assert (row["failures"], row["reason"], row["last_attempt_at"], row["last_seen_at"]) == (
        1,
        "timeout",
        30,
        0,
    )


def test_memory_is_patched_and_none_removes_a_key(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([seen(0, memory={"profile": "x", "bulk": 25, "gone": None, "deep": {"kept": None}})])
    assert state()["memory"] == {"profile": "x", "bulk": 25, "deep": {"kept": None}}
    store.record([seen(30, memory={"bulk": 12, "profile": None, "never": None})])
    assert state()["memory"] == {"bulk": 12, "deep": {"kept": None}}
    store.record([seen(60)])
    assert state()["memory"] == {"bulk": 12, "deep": {"kept": None}}


def test_a_host_key_that_was_trusted_first_is_never_replaced(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([seen(0, memory={"ssh_host_keys": ["first"], "ssh": {"df_after": 1}})])
    store.record([seen(30, memory={"ssh_host_keys": ["second"], "ssh": {"df_after": 2}})])
    assert state()["memory"] == {"ssh_host_keys": ["first"], "ssh": {"df_after": 2}}
    store.record([seen(60, memory={"ssh_host_keys": None})])
    assert state()["memory"]["ssh_host_keys"] == ["first"]


def test_of_two_polls_that_meet_a_host_first_one_key_is_kept(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([seen(0)])
    with ThreadPoolExecutor(8) as pool:
        observations = [seen(n, memory={"ssh_host_keys": [str(n)]}) for n in range(1, 9)]
        list(pool.map(lambda observation: store.record([observation]), observations))
    kept = state()["memory"]["ssh_host_keys"]
    store.record([seen(100, memory={"ssh_host_keys": ["late"]})])
    assert state()["memory"]["ssh_host_keys"] == kept


def test_observations_of_one_device_in_one_batch_count_in_the_order_of_their_attempts(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record(
        [seen(90, memory={"x": 3}), failed(60), failed(0, memory={"x": 1}), failed(30, memory={"x": 2})]
    )
    row = state()
    assert (row["successes"], row["failures"], row["streak_since"], row["memory"]) == (1, 0, 90, {"x": 3})


def test_what_lies_more_than_a_minute_ahead_of_the_database_changes_nothing_known_and_is_said(
    store: PostgresObservationStore, state: Callable[[str], Row], caplog: pytest.LogCaptureFixture
) -> None:
    now = time.time() - START
    store.record([seen(0, each) for each in "abcd"])
    store.record(
        [failed(now + 45), *(failed(now + ahead, "bcd"[n]) for n, ahead in enumerate([90, 1e6, 1e15]))]
    )
    assert [state(each)["failures"] for each in "abcd"] == [1, 0, 0, 0]
    assert [state(each)["last_attempt_at"] for each in "bcd"] == [0, 0, 0]
    assert "observations that do not count: 3" in caplog.text


@pytest.mark.parametrize("seconds", [45, 3600])
def test_the_same_observation_of_a_clock_that_is_ahead_counts_once(
    seconds: int, store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    now = time.time() - START
    for _ in range(5):
        store.record([failed(now + seconds)])
    assert state()["failures"] == 1
    assert state()["last_attempt_at"] < now + 70


@pytest.mark.parametrize(
    "hostile",
    [
        seen(0, "b", detail="a\x00b\ud800'; DROP TABLE device_state; --"),
        seen(0, "b", method="\x00"),
        seen(0, "b\x00"),
        seen(0, "b", memory={"a\x00": ["b\x00", {"c": "\\u0000\x00"}]}),
        seen(0, "b", memory={"a": "\ud800"}),
        seen(0, "b", memory={"a": 1 << 70}),
        seen(0, "b", memory={"a": object()}),
        seen(0, "b", memory={"a": "x" * 1_000_000}),
        seen(0, "b", memory={"a": float("nan"), "b": b"\xff"}),
        seen(-START - 100, "b"),
        seen(-1e15, "b"),
        seen(0, "b", due_at=-(1 << 80)),
    ],
)
def test_a_hostile_observation_costs_the_others_nothing(
    store: PostgresObservationStore, state: Callable[[str], Row], hostile: Observation
) -> None:
    store.record([seen(0, "a"), hostile, seen(0, "c", memory={"kept": True})])
    assert state("b")["successes"] == 1
    assert state("a")["successes"] == 1
    assert state("c")["memory"] == {"kept": True}


def test_nul_is_taken_out_of_memory_and_the_rest_stays(
    store: PostgresObservationStore, state: Callable[[], Row]
) -> None:
    store.record([seen(0, memory={"name": "a\x00b", "path": "\\u0000"})])
    assert state()["memory"] == {"name": "ab", "path": "\\u0000"}


def test_writers_that_meet_on_the_same_devices_all_get_through(
    database_url: str, open_database: Callable[[str], Database], state: Callable[[str], Row]
) -> None:
    stores = [PostgresObservationStore(open_database(database_url)) for _ in range(4)]
    ids = [f"d{number}" for number in range(200)]

    def write(turn: int) -> None:
        order = ids if turn % 2 else ids[::-1]
        stores[turn % 4].record([failed(turn, device_id) for device_id in order])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(20)))
    assert {state(device_id)["last_attempt_at"] for device_id in ids} == {19}
