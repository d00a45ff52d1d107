"""Standings, history and the outbox in a real PostgreSQL."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import psycopg
import pytest

from fixtures.postgres import Execute
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.decision.status import (
    Cause,
    Change,
    DeliveryReport,
    Monitored,
    OutboxMessage,
    Parent,
    PollingGap,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.domain.ports import StatusRun

pytestmark = pytest.mark.integration

START = 1_700_000_040.0
OFFLINE = StatusRecord(
    Status.OFFLINE,
    Cause.NO_ANSWER,
    since=START + 90.5,
    announced=Status.ONLINE,
    flap_score=1.5,
    flap_at=START + 90.25,
    flapping=True,
)


def poll(at: float, device_id: str = "a", *, reachable: bool = True) -> Observation:
    reason = Reason.OK if reachable else Reason.TIMEOUT
    return Observation(
        device_id=device_id,
        kind="status",
        attempted_at_ns=int((START + at) * 1e9),
        reachable=reachable,
        reason=reason,
    )


def monitored(run: StatusRun) -> list[Monitored]:
    return [device for chunk in run.devices() for device in chunk]


def change(device: Monitored, after: StatusRecord = OFFLINE, **changes: Any) -> Change:
    values: dict[str, Any] = {"detail": "no answer", "is_transition": True, "is_announced": True} | changes
    return Change(device=device, after=after, **values)


@pytest.fixture
def store(database: Database) -> PostgresStatusStore:
    return PostgresStatusStore(database, chunk_rows=10)


@pytest.fixture
def observations(database: Database) -> PostgresObservationStore:
    return PostgresObservationStore(database)


def test_a_device_comes_with_polls_record_and_parent(
    store: PostgresStatusStore, observations: PostgresObservationStore, execute: Execute
) -> None:
    execute(
        "INSERT INTO devices (id, hostname, device_type, site, parent_id, maintenance_until, settings) VALUES"
        " ('a', 'h', 'linux', 's', 'b', '2026-11-23T16:00:00Z', '{\"ping\": {}}'),"
        " ('b', '', 'network', 's', 'c', NULL, '{}'),"
        " ('c', '', 'network', '', 'nowhere', NULL, '{}')"
    )
    execute(
        "INSERT INTO devices (id, enabled) VALUES ('off', false);"
        "UPDATE devices SET parent_id = 'off' WHERE id = 'c'"
    )
    observations.record([poll(0), poll(30, reachable=False), poll(60, reachable=False), poll(31.5, "b")])
    c, a, b = store.run(monitored) or []
    assert a == Monitored(
        id="a",
        polls=Polls(START, START + 60, START + 30, 2, 0, "timeout"),
        record=StatusRecord(),
        hostname="h",
        device_type="linux",
        site="s",
        maintenance_until=1795449600.0,
        parent=Parent("b", Polls(START + 31.5, START + 31.5, START + 31.5, 0, 1, "ok")),
        settings='{"ping": {}}',
    )
    assert b.parent == Parent("c", Polls())
    assert (c.id, c.polls, c.parent) == ("c", Polls(), None)


def test_a_parent_says_since_when_it_is_polled_no_more(store: PostgresStatusStore, execute: Execute) -> None:
    execute(
        "INSERT INTO devices (id, parent_id) VALUES ('a', 'b'), ('b', 'c'), ('c', NULL);"
        "INSERT INTO device_state (device_id, status, cause, status_since) VALUES"
        " ('b', 'unknown', 'not_polled', to_timestamp(1700000040)),"
        " ('c', 'offline', 'no_answer', to_timestamp(1700000040))"
    )
    a, b, _ = store.run(monitored) or []
    assert a.parent is not None
    assert b.parent is not None
    assert (a.parent.not_polled_since, b.parent.not_polled_since) == (START, None)


def test_devices_of_one_site_come_one_after_the_other(store: PostgresStatusStore, execute: Execute) -> None:
    execute("INSERT INTO devices (id, site) SELECT n, n % 7 FROM generate_series(1, 95) n")
    chunks = store.run(lambda run: [list(chunk) for chunk in run.devices()]) or []
    assert {len(chunk) for chunk in chunks} == {10, 5}
    sites = [device.site for chunk in chunks for device in chunk]
    assert sites == sorted(sites)
    assert len(sites) == 95


def test_a_transition_is_written_with_its_history_and_read_back(
    store: PostgresStatusStore, observations: PostgresObservationStore, execute: Execute
) -> None:
    execute("INSERT INTO devices (id, site) VALUES ('a', 's'), ('never-polled', 's')")
    observations.record([poll(0, reachable=False)])
    changed = store.run(lambda run: run.apply([change(device) for device in monitored(run)], START + 91))
    assert set(changed or ()) == {"a", "never-polled"}
    assert [device.record for device in store.run(monitored) or []] == [OFFLINE, OFFLINE]
    history = execute(
        "SELECT device_id, site, extract(epoch FROM at)::float8, before, after, cause, detail"
        " FROM device_status_history ORDER BY device_id"
    )
    assert history[0] == ("a", "s", START + 91, "unknown", "offline", "no_answer", "no answer")
    assert len(history) == 2


def test_a_change_that_is_no_transition_has_no_history(store: PostgresStatusStore, execute: Execute) -> None:
    execute("INSERT INTO devices (id) VALUES ('a')")
    store.run(
        lambda run: run.apply([change(device, is_transition=False) for device in monitored(run)], START)
    )
    assert execute("SELECT status FROM device_state") == [("offline",)]
    assert execute("SELECT * FROM device_status_history") == []


def test_a_device_that_answered_since_it_was_read_is_left_to_the_next_run(
    store: PostgresStatusStore, database_url: str, open_database: Callable[[str], Database], execute: Execute
) -> None:
    other = PostgresObservationStore(open_database(database_url))
    execute("INSERT INTO devices (id) VALUES ('a'), ('b'), ('c')")
    other.record([poll(0, device_id, reachable=False) for device_id in "ab"])

    def decide(run: StatusRun) -> Collection[str]:
        devices = monitored(run)
        other.record([poll(30), poll(30, "b", reachable=False), poll(30, "c")])
        return run.apply([change(device) for device in devices], START + 91)

    assert store.run(decide) == {"b"}
    assert execute("SELECT status FROM device_state WHERE device_id IN ('a', 'c')") == [("unknown",)] * 2
    assert execute("SELECT device_id FROM device_status_history") == [("b",)]


def test_a_device_that_turns_out_to_have_been_seen_later_is_left_to_the_next_run(
    store: PostgresStatusStore, database_url: str, open_database: Callable[[str], Database], execute: Execute
) -> None:
    other = PostgresObservationStore(open_database(database_url))
    execute("INSERT INTO devices (id) VALUES ('a'), ('b')")
    for device_id in "ab":
        other.record([poll(0, device_id), poll(90, device_id, reachable=False)])

    def decide(run: StatusRun) -> Collection[str]:
        devices = monitored(run)
        other.record([poll(60), poll(120, reachable=False), poll(120, "b", reachable=False)])
        return run.apply([change(device) for device in devices], START + 122)

    assert store.run(decide) == {"b"}


def test_it_is_noted_since_when_a_device_is_enabled_again(
    store: PostgresStatusStore, observations: PostgresObservationStore, execute: Execute
) -> None:
    execute("INSERT INTO devices (id) VALUES ('a'), ('b'), ('c')")
    observations.record([poll(0, "a"), poll(0, "b"), poll(0, "gone")])

    def run_at(now: float) -> dict[str, float | None]:
        def work(run: StatusRun) -> dict[str, float | None]:
            run.note_monitored(START + now)
            return {each.id: each.monitored_since for each in monitored(run)}

        return store.run(work) or {}

    assert run_at(0) == {"a": None, "b": None, "c": None}
    execute("UPDATE devices SET enabled = false WHERE id = 'a'")
    assert run_at(60) == {"b": None, "c": None}
    execute("UPDATE devices SET enabled = true WHERE id = 'a'; INSERT INTO devices (id) VALUES ('gone')")
    expected = {"a": START + 120.25, "b": None, "c": None, "gone": START + 120.25}
    assert run_at(120.25) == expected
    assert run_at(180) == expected


def test_a_device_that_is_not_enabled_has_no_newest_attempt(
    store: PostgresStatusStore, observations: PostgresObservationStore, execute: Execute
) -> None:
    execute("INSERT INTO devices (id, enabled) VALUES ('a', true), ('b', false)")
    observations.record([poll(0, "a"), poll(30, "b")])

    def newest(run: StatusRun) -> float | None:
        run.note_monitored(START)
        return run.newest_attempt_at

    assert store.run(newest) == START
    execute("UPDATE devices SET enabled = false")
    assert store.run(newest) is None


def test_the_parents_of_failing_devices_are_read_whatever_the_inventory_s_types(
    store: PostgresStatusStore, observations: PostgresObservationStore, execute: Execute
) -> None:
    execute("INSERT INTO devices (id, parent_id) VALUES ('1', '2'), ('2', '3'), ('3', NULL), ('4', '1')")
    observations.record([poll(0, each, reachable=False) for each in "123"] + [poll(0, "4")])
    assert store.run(lambda run: run.parents_of_failing) == {"1": "2", "2": "3"}
    execute("DROP TABLE devices; CREATE TABLE devices (id bigint PRIMARY KEY, parent_id integer)")
    execute("INSERT INTO devices VALUES (1, 2), (2, 3), (3, NULL), (4, 1)")
    assert store.run(lambda run: run.parents_of_failing) == {"1": "2", "2": "3"}
    execute("ALTER TABLE devices DROP parent_id")
    assert store.run(lambda run: run.parents_of_failing) == {}


def test_a_device_that_is_being_written_is_left_to_the_next_run(
    store: PostgresStatusStore, observations: PostgresObservationStore, database_url: str, execute: Execute
) -> None:
    execute("INSERT INTO devices (id) VALUES ('a'), ('b')")
    observations.record([poll(0, "a"), poll(0, "b")])
    with psycopg.connect(database_url) as other:
        other.execute("UPDATE device_state SET detail = 'x' WHERE device_id = 'a'")
        changed = store.run(lambda run: run.apply([change(device) for device in monitored(run)], START))
    assert changed == {"b"}


def test_the_gap_and_sites_are_kept_for_the_next_run(store: PostgresStatusStore, execute: Execute) -> None:
    gap = PollingGap(last_run_at=START + 0.25, newest_attempt_at=START)
    sites = [SiteState("s", lost=True, since=START), SiteState("", lost=False, since=START + 1.5)]
    assert store.run(lambda run: (run.gap, run.newest_attempt_at, dict(run.sites))) == (
        PollingGap(),
        None,
        {},
    )
    store.run(lambda run: run.save(PollingGap(), [SiteState("s")]))
    store.run(lambda run: run.save(gap, sites))
    assert store.run(lambda run: (run.gap, dict(run.sites))) == (gap, {site.name: site for site in sites})
    execute('UPDATE status_watch SET watch = \'{"last_run_at": "of another version"}\'')
    assert store.run(lambda run: run.gap) == PollingGap()


def test_the_newest_attempt_is_that_of_any_device(
    store: PostgresStatusStore, observations: PostgresObservationStore
) -> None:
    observations.record([poll(0), poll(30.5, "b", reachable=False)])
    assert store.run(lambda run: run.newest_attempt_at) == START + 30.5


def test_a_run_that_fails_leaves_nothing(store: PostgresStatusStore, execute: Execute) -> None:
    execute("INSERT INTO devices (id) VALUES ('a')")

    def work(run: StatusRun) -> None:
        run.apply([change(device) for device in monitored(run)], START)
        run.enqueue([OutboxMessage("1", "event", "{}")])
        run.save(PollingGap(last_run_at=START), [])
        raise LookupError

    with pytest.raises(LookupError):
        store.run(work)
    assert execute("SELECT 1 FROM device_state UNION ALL SELECT 1 FROM status_outbox") == []
    assert execute("SELECT 1 FROM device_status_history UNION ALL SELECT 1 FROM status_watch") == []


def test_a_second_run_at_the_same_time_does_nothing(
    store: PostgresStatusStore, database_url: str, open_database: Callable[[str], Database]
) -> None:
    other = PostgresStatusStore(open_database(database_url))
    assert store.run(lambda _: (other.run(lambda _: "ran"), "ran")) == (None, "ran")
    assert other.run(lambda _: "ran") == "ran"


def test_messages_are_delivered_oldest_first_and_once(store: PostgresStatusStore) -> None:
    messages = [OutboxMessage(str(number), "event", f"{{{number}\x00}}") for number in range(25)]
    store.run(lambda run: run.enqueue([*messages, OutboxMessage("p", "point", "line")]))
    store.run(lambda run: run.enqueue(messages))
    handed: list[str] = []

    def refuse_odd(batch: Sequence[OutboxMessage]) -> list[str]:
        handed.extend(message.id for message in batch)
        return [message.id for message in batch if int(message.id) % 2 == 0]

    delivery = store.deliver("event", refuse_odd, limit=20)
    assert (delivery.published, delivery.left) == (10, 10)
    assert 0 < delivery.waiting_seconds < 60
    assert handed == [str(number) for number in range(20)]
    assert store.deliver("event", lambda batch: [message.id for message in batch]) == DeliveryReport(15, 0)
    assert store.deliver("event", lambda _: pytest.fail("nothing is left")) == DeliveryReport(0, 0)
    assert store.deliver("point", lambda batch: [message.id for message in batch]) == DeliveryReport(1, 0)


def test_one_process_at_a_time_sends_the_messages_of_a_channel_so_that_their_order_is_kept(
    store: PostgresStatusStore, database_url: str, open_database: Callable[[str], Database]
) -> None:
    other = PostgresStatusStore(open_database(database_url))
    store.run(lambda run: run.enqueue([OutboxMessage(str(number), "event", "{}") for number in range(3)]))
    store.run(lambda run: run.enqueue([OutboxMessage("p", "point", "line")]))

    def send(batch: Sequence[OutboxMessage]) -> list[str]:
        assert other.deliver(
            "event", lambda _: pytest.fail("an older one is not sent yet")
        ) == DeliveryReport(0, 0)
        assert other.deliver("point", lambda batch: [message.id for message in batch]) == DeliveryReport(1, 0)
        return [message.id for message in batch]

    assert store.deliver("event", send, limit=2) == DeliveryReport(2, 0)
    assert other.deliver("event", lambda batch: [message.id for message in batch]) == DeliveryReport(1, 0)


def test_a_sender_that_fails_keeps_its_messages(store: PostgresStatusStore) -> None:
    store.run(lambda run: run.enqueue([OutboxMessage("1", "event", "{}")]))

    def fail(_: Sequence[OutboxMessage]) -> list[str]:
        raise Unavailable("the bus is away")

    with pytest.raises(Unavailable, match="the bus is away"):
        store.deliver("event", fail)
    assert store.deliver("event", lambda batch: [message.id for message in batch]) == DeliveryReport(1, 0)


def test_hostile_rows_and_words_do_not_end_a_run(store: PostgresStatusStore, execute: Execute) -> None:
    execute("INSERT INTO devices (id, site) VALUES ('a', E'x\\ny'), ('b', ''), (E'c\\t', '')")
    execute("INSERT INTO device_state (device_id, status, cause) VALUES ('b', 'on fire', 'dragons')")
    [device] = store.run(monitored) or []
    assert device.record == StatusRecord()
    changed = store.run(lambda run: run.apply([change(device, detail="\x00\ud800'; --")], START))
    assert changed == {"b"}
