"""The connection to a real PostgreSQL: what breaks, what recovers, and what a person is told."""

import re
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest

from fixtures.pgbouncer import transaction_pooler
from fixtures.postgres import PASSWORD
from local.servers.process import free_port
from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.adapters.postgres.samples import PostgresSampleStore
from netvitals.adapters.postgres.schema import migrate
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.decision.status import (
    Change,
    OutboxMessage,
    PollingGap,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.errors import ConfigurationError, NetvitalsError, Unavailable
from netvitals.domain.polling.changes import Samples
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.domain.ports import SampleRecord, StatusRun
from netvitals.domain.settings.secret import Secret

pytestmark = pytest.mark.integration

Open = Callable[[str], Database]
GUIDE = Path(__file__).parents[2] / "docs/inventory.md"
SEEN = Observation(device_id="a", kind="status", attempted_at_ns=10**18, reachable=True, reason=Reason.OK)


def one(cursor: Cursor) -> object:
    row = cursor.execute("SELECT 1").fetchone()
    return row and row[0]


def process_id(cursor: Cursor) -> int:
    cursor.execute("SELECT pg_backend_pid()")
    return int(cursor.fetchall()[0][0])


def terminate(server_url: str, pid: int) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def changed(url: str, **parts: str) -> str:
    return urlunsplit(urlsplit(url)._replace(**parts))


def failure_of(database: Database, work: Callable[[Cursor], object] = one) -> str:
    """All that a log could show of it."""
    with pytest.raises(NetvitalsError) as raised:
        database.run(work)
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    for form in (PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), "wörd"):
        assert form not in shown
    return str(raised.value)


def test_a_session_that_the_server_ended_for_its_idleness_is_opened_again(
    database_url: str, open_database: Open
) -> None:
    with psycopg.connect(database_url, autocommit=True, options="-c idle_session_timeout=0") as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET idle_session_timeout = 500'.encode())
        database = open_database(database_url)
        first = database.run(process_id)
        alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        while connection.execute(alive, [first]).fetchall() != [(0,)]:
            time.sleep(0.01)
        connection.execute(f'ALTER DATABASE "{name}" RESET idle_session_timeout'.encode())
    assert database.run(process_id) != first


def test_nothing_is_connected_before_it_is_needed() -> None:
    asked: list[int] = []

    def url() -> Secret:
        asked.append(1)
        return Secret("")

    Database(url).close()
    assert asked == []


def test_a_connection_is_kept_between_transactions(database: Database) -> None:
    assert database.run(process_id) == database.run(process_id)


def test_a_connection_dropped_while_idle_is_opened_again(database: Database, postgres_url: str) -> None:
    before = database.run(process_id)
    terminate(postgres_url, before)
    assert database.run(process_id) != before


def test_work_interrupted_by_a_dropped_connection_is_run_once_more(
    database: Database, postgres_url: str
) -> None:
    attempts = []

    def work(cursor: Cursor) -> object:
        attempts.append(pid := process_id(cursor))
        cursor.execute("INSERT INTO devices (id) VALUES ('a')")
        if len(attempts) == 1:
            terminate(postgres_url, pid)
        return one(cursor)

    assert database.run(work) == 1
    assert len(attempts) == 2


def test_a_server_that_keeps_dropping_is_unavailable_and_usable_afterwards(
    database: Database, postgres_url: str
) -> None:
    def work(cursor: Cursor) -> object:
        terminate(postgres_url, process_id(cursor))
        return one(cursor)

    assert "terminating connection" in failure_of(database, work)
    assert database.run(one) == 1


def test_a_failing_work_changes_nothing_and_leaves_the_connection_usable(database: Database) -> None:
    def work(cursor: Cursor) -> None:
        cursor.execute("INSERT INTO devices (id) VALUES ('a')")
        raise LookupError

    with pytest.raises(LookupError):
        database.run(work)
    assert database.run(lambda cursor: cursor.execute("SELECT id FROM devices").fetchall()) == []


def test_threads_take_turns(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: database.run(one), range(50))) == [1] * 50


# Faults that a person has to mend


def test_a_refused_connection_says_what_to_check(open_database: Open) -> None:
    url = f"postgresql://netvitals:{quote(PASSWORD, safe='')}@127.0.0.1:{free_port()}/inventory"
    failure = failure_of(open_database(url))
    assert "/inventory" in failure
    assert "security group" in failure


def test_a_wrong_password_is_never_shown(password_url: str, open_database: Open) -> None:
    wrong = password_url.replace(":p%40ss", ":wr0ng-p%40ss")
    failure = failure_of(open_database(wrong))
    assert "authentication failed" in failure
    assert "wr0ng" not in failure
    assert "check the user and password" in failure
    assert "firewall" not in failure


def test_a_database_that_is_not_there_is_told_by_its_name_and_not_as_a_matter_of_the_network(
    database_url: str, open_database: Open
) -> None:
    failure = failure_of(open_database(changed(database_url, path="/not-there")))
    assert 'database "not-there" does not exist; check the name of the database in the URL' in failure
    assert "firewall" not in failure


def test_a_server_that_takes_no_more_connections_is_told_with_what_saves_some(
    database_url: str, open_database: Open
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" CONNECTION LIMIT 0'.encode())
        connection.execute("CREATE ROLE limited LOGIN PASSWORD 'limited'")
    parts = urlsplit(database_url)
    url = changed(database_url, netloc=f"limited:limited@{parts.netloc.rpartition('@')[2]}")
    try:
        assert "; connect through a transaction pooler" in failure_of(open_database(url))
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP ROLE limited")


def test_a_file_of_the_url_that_is_not_there_is_no_answer_of_the_server(
    database_url: str, open_database: Open
) -> None:
    failure = failure_of(open_database(f"{database_url}?sslmode=verify-full&sslrootcert=/not/there"))
    assert "check the URL's host, port and sslmode" in failure


def test_a_secret_that_was_rotated_is_read_anew(password_url: str) -> None:
    urls = [password_url.replace(":p%40ss", ":old"), password_url]
    refreshed: list[bool] = []

    def refresh() -> bool:
        refreshed.append(True)
        urls.pop(0)
        return True

    database = Database(lambda: Secret(urls[0]), refresh)
    assert database.run(one) == 1
    assert refreshed == [True]
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"postgresql://netvitals:{PASSWORD}@127.0.0.1/inventory",
        "postgresql://netvitals:p@wörd@127.0.0.1/inventory",
        f"postgresql://u:{quote(PASSWORD, safe='')}@127.0.0.1:5432/inventory?pgbouncer=true",
        f"mysql://u:{quote(PASSWORD, safe='')}@127.0.0.1/inventory",
        quote(PASSWORD, safe=""),
    ],
)
def test_a_malformed_url_is_not_quoted(open_database: Open, url: str) -> None:
    failure = failure_of(open_database(url))
    assert "percent-encoded" in failure
    with pytest.raises(ConfigurationError):
        open_database(url).run(one)


def test_a_read_only_database_says_that_it_is_no_writer(database_url: str, open_database: Open) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
    store = PostgresObservationStore(open_database(database_url))
    with pytest.raises(Unavailable, match="must name the writer"):
        store.record([SEEN])


def test_a_user_without_rights_is_told_so(password_url: str, open_database: Open) -> None:
    with psycopg.connect(password_url) as connection:
        connection.execute("DROP ROLE IF EXISTS visitor")
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'v1sitor'")
    host = urlsplit(password_url).netloc.rpartition("@")[2]
    database = open_database(changed(password_url, netloc=f"visitor:v1sitor@{host}"))
    failure = failure_of(database, lambda cursor: cursor.execute("SELECT * FROM device_state"))
    assert "permission denied" in failure
    assert "grant" in failure
    with pytest.raises(Unavailable, match="grant"):
        migrate(database)


def test_the_rights_that_the_guide_names_are_enough(password_url: str, open_database: Open) -> None:
    """docs/inventory.md lists them."""
    grants = re.search(r"```sql\n(CREATE ROLE.*?)```", GUIDE.read_text(), re.DOTALL)
    assert grants
    with psycopg.connect(password_url) as connection:
        connection.execute("DROP ROLE IF EXISTS netvitals_functions")
        connection.execute(grants[1].encode())
        connection.execute("INSERT INTO devices (id) VALUES ('a')")
    host = urlsplit(password_url).netloc.rpartition("@")[2]
    database = open_database(changed(password_url, netloc=f"netvitals_functions:change-me@{host}"))
    assert [len(chunk) for chunk in PostgresInventory(database).devices(print)] == [1]
    state = PostgresObservationStore(database)
    state.record([SEEN])
    assert state.known(["a"], samples=True)
    left = Samples(due_at=60, full_at=60, address="192.0.2.1", series={})
    for read_at in (None, 60):
        assert PostgresSampleStore(database).record([SampleRecord("a", read_at, left)]) == {"a"}
    store = PostgresStatusStore(database)

    def decide(run: StatusRun) -> None:
        [[device]] = run.devices()
        offline = StatusRecord(Status.OFFLINE)
        run.apply([Change(device, offline, "", is_transition=True, is_announced=True)], 1.0)
        run.enqueue([OutboxMessage("1", "event", "{}")])
        run.save(PollingGap(), [SiteState("x")])

    store.run(decide)
    assert store.deliver("event", lambda _: ["1"]).published == 1
    failure = failure_of(database, lambda cursor: cursor.execute("UPDATE devices SET site = 'x'"))
    assert "permission denied" in failure


def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
    with pytest.raises(Unavailable, match="statement timeout"):
        database.run(lambda cursor: cursor.execute("SELECT pg_sleep(60)"), timeout_seconds=1)
    assert database.run(one) == 1


def test_data_never_shows_in_a_failure(database: Database) -> None:
    failure = failure_of(
        database, lambda cursor: cursor.execute("INSERT INTO devices (id) VALUES ('s3cret'), ('s3cret')")
    )
    assert "s3cret" not in failure


# Behind a transaction pooler


@pytest.fixture
def pooled_url(password_url: str) -> Iterator[str]:
    with transaction_pooler(password_url, server_connections=2) as url:
        yield url


def test_many_processes_share_two_connections_of_a_transaction_pooler(
    pooled_url: str, database_url: str, open_database: Open
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO devices (id) SELECT n FROM generate_series(1, 200) n")
    databases = [open_database(pooled_url) for _ in range(10)]

    def work(number: int) -> list[int]:
        store = PostgresObservationStore(databases[number])
        sizes = []
        for chunk in PostgresInventory(databases[number], 20).devices(print):
            sizes.append(len(chunk))
            store.record(
                [
                    Observation(
                        device_id=device.id, kind="status", attempted_at_ns=10**18 + number * 1000,
                        reachable=True, reason=Reason.OK, memory={str(number): True},
                    )
                    for device in chunk
                ]
            )  # fmt: skip
        return sizes

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(work, range(10))) == [[20] * 10 + [0]] * 10
    with psycopg.connect(database_url) as connection:
        newest = connection.execute("SELECT DISTINCT memory ? '9' FROM device_state").fetchall()
        sessions = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    assert newest == [(True,)]
    assert sessions == [(2,)]


def test_settings_of_one_transaction_do_not_leak_to_the_next_user_of_its_connection(
    pooled_url: str, open_database: Open
) -> None:
    first, second = open_database(pooled_url), open_database(pooled_url)
    first.run(one, read_only=True, timeout_seconds=7)
    second.run(one)
    with psycopg.connect(pooled_url, autocommit=True) as connection:
        for _ in range(4):
            settings = connection.execute("SELECT current_setting('statement_timeout')").fetchall()
            assert settings == [("0",)]


def test_a_status_run_reads_through_its_cursor_behind_a_transaction_pooler(
    pooled_url: str, database_url: str, open_database: Open
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO devices (id) SELECT n FROM generate_series(1, 95) n")
    stores = [PostgresStatusStore(open_database(pooled_url), chunk_rows=10) for _ in range(3)]
    for store in stores * 2:
        assert store.run(lambda run: sum(len(chunk) for chunk in run.devices())) == 95
