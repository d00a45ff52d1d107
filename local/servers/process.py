"""Real servers of this machine, started in a folder of their own and ended with a `with` block."""

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom

_START_SECONDS = 120
_STOP_SECONDS = 30
_PORTS = range(10_000, 32_768)
"""Ports below those that Linux and macOS give to outgoing connections by themselves."""


@contextmanager
def running(
    command: Sequence[str | Path],
    folder: Path,
    is_ready: Callable[[], bool],
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server that writes to `log` in its folder; the signal `stop` ends it.

    Raises:
        RuntimeError: it is not ready in time, or has ended; says the end of its log.
    """
    process = started(command, folder, user=user, environment=environment)
    try:
        end = time.monotonic() + _START_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{Path(command[0]).name} does not start: {log_of(folder)}")
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def started(
    command: Sequence[str | Path],
    folder: Path,
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that writes to `log` in its folder, as another user where one is named."""
    account = pwd.getpwnam(user) if user else None
    try:
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=None if environment is None else {**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for whoever started it
                user=account and account.pw_uid,
                group=account and account.pw_gid,
                extra_groups=[] if account else None,
            )
    except PermissionError as error:
        raise RuntimeError(
            f"{error}: let TMPDIR be a folder that every user may enter, such as /tmp"
        ) from None


def log_of(folder: Path) -> str:
    """Return the last lines of a server's log."""
    return (folder / "log").read_text(errors="replace")[-500:]


def unprivileged_user() -> str | None:
    """Return whom to run a server as that refuses root; None where this process is not root."""
    if os.geteuid() != 0:
        return None
    return "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 that is free now.

    One that the system chose could go to any outgoing connection before the server has it.

    Raises:
        RuntimeError: a hundred ports are taken.
    """
    for port in SystemRandom().sample(_PORTS, 100):
        with socket.socket(socket.AF_INET, kind) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("127.0.0.1 has no free port")


def accepts(port: int) -> bool:
    """Tell whether somebody listens on a TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
