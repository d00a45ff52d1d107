"""A process that is frozen within a transaction, as Lambda freezes and forgets them, gives its lock back."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from fixtures.pgbouncer import transaction_pooler
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.settings.secret import Secret

pytestmark = pytest.mark.integration

IDLE, READS_NOTHING = "time.sleep(60)", "run._cursor.execute(query)"
PROCESS = """
import sys, time
from netvitals.adapters.postgres import connection, database
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.settings.secret import Secret
database.IDLE_TIMEOUT_SECONDS, database.UNREAD_TIMEOUT_SECONDS = 2, 2
connection.MAX_ANSWER_BYTES = 1 << 40
query = "SELECT repeat(n::text, 100000) FROM generate_series(1, 100000) AS n"
def work(run):
    print("has begun", flush=True)
    {work}
PostgresStatusStore(database.Database(lambda: Secret(sys.argv[1]))).run(work)
"""


@contextmanager
def frozen(url: str, work: str) -> Iterator[subprocess.Popen[str]]:
    """A process that stopped while it was at work in a status run."""
    command = [sys.executable, "-c", PROCESS.format(work=work), url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "has begun\n"
        time.sleep(0.3)  # it is in the middle of an answer by then, if it has asked for one
        process.send_signal(signal.SIGSTOP)
        yield process
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def seconds_until(condition: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < 60
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.fixture(params=["server", "transaction pooler"])
def url(request: pytest.FixtureRequest, password_url: str) -> Iterator[str]:
    if request.param == "server":
        yield password_url
        return
    with transaction_pooler(password_url, server_connections=2) as pooled:
        yield pooled


@pytest.mark.parametrize("work", [IDLE, READS_NOTHING], ids=["idle", "reads nothing"])
def test_another_process_decides_statuses_soon_after_one_was_frozen(url: str, work: str) -> None:
    if urlsplit(url).hostname is None:
        pytest.skip("needs a server that is reached over TCP: unset NETVITALS_TEST_DATABASE_URL")
    database = Database(lambda: Secret(url))
    store = PostgresStatusStore(database)
    with frozen(url, work):
        assert store.run(lambda _: True) is None
        assert seconds_until(lambda: store.run(lambda _: True) is True) < 30
    database.close()


def test_the_limits_end_with_their_transaction(url: str) -> None:
    database = Database(lambda: Secret(url))
    database.run(lambda cursor: cursor.execute("SELECT 1"))
    database.close()
    names = ("idle_in_transaction_session_timeout", "tcp_user_timeout", "statement_timeout")
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:  # with a pooler, in the session that the transaction had
            assert connection.execute(f"SHOW {name}").fetchone() == ("0",)
