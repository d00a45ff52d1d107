"""Debian's sshd on a loopback port, with users of its own who have one login shell each."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HOST = "127.0.0.1"
PASSWORD = "correct-horse-battery"
SHELLS = {
    "dash": "dash",
    "bash": "bash",
    "ash": "busybox",
    "zsh": "zsh",
    "ksh": "ksh",
    "mksh": "mksh",
    "rbash": "bash",
    "nologin": "nologin",
}
"""Login shells by the name under which they are called, and the program that they are."""
_STARTS_WITHIN_SECONDS = 15
_MAIL_REMAINS = 12
"""userdel's exit code where there was no mail spool to be removed."""
_NOISE = "echo 'Welcome to this host! @@end'; echo 'a profile that talks' >&2\n"
_PROFILES = (".bashrc", ".zshenv", ".zshrc", ".profile", ".kshrc", ".mkshrc")


def new_key(path: Path, kind: str, passphrase: str = "", *more: str) -> str:
    """Make a key pair at this path; returns the public key as `ssh.host_keys` has it."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", path, *more], check=True
    )
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


class Sshd:
    """One server; its folder holds host keys and, by user, authorized keys."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = _free_port()
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "authorized").mkdir(parents=True, exist_ok=True)
        self.host_key = new_key(folder / "host_key", "ed25519")
        (folder / "sshd_config").write_text(
            "\n".join(
                [
                    f"Port {self.port}",
                    f"ListenAddress {HOST}",
                    f"HostKey {folder}/host_key",
                    f"AuthorizedKeysFile {folder}/authorized/%u",
                    "StrictModes no",
                    "UsePAM no",
                    "PidFile none",
                    "MaxStartups 500",
                    "PermitRootLogin no",
                    *options,
                    "",
                ]
            )
        )

    def allow(self, user: str, key: str, options: str = "") -> None:
        """Let the user log in with this public key too."""
        with (self.folder / "authorized" / user).open("a") as authorized:
            authorized.write(f"{options} {key}\n".lstrip())

    def start(self) -> None:
        assert SSHD
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, which packages make at boot
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", self.folder / "sshd_config"], stderr=log, stdout=log
            )
        end = time.monotonic() + _STARTS_WITHIN_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail(f"sshd did not start:\n{self.log}")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


class Users:
    """OS users made for the tests, by login shell; needs root, as CI and containers have."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[str] = []

    def name(self, shell: str) -> str:
        """The user with this login shell, whose profiles talk."""
        name = f"nv{os.getpid() % 100000}{shell}"
        if name not in self._made:
            self._make(name, shell)
        return name

    def _make(self, name: str, shell: str) -> None:
        program = shutil.which(SHELLS[shell], path="/bin:/usr/bin:/usr/sbin:/sbin")
        if program is None:
            pytest.skip(f"needs {SHELLS[shell]}: apt-get install {SHELLS[shell]}")
        home, path = self._folder / name, self._folder / "shells" / shell
        path.parent.mkdir(exist_ok=True, parents=True)
        home.mkdir()
        path.unlink(missing_ok=True)
        path.symlink_to(program)
        for profile in _PROFILES:
            (home / profile).write_text(_NOISE)
        _patiently("useradd", "-M", "-N", "-d", str(home), "-s", str(path), name)
        self._made.append(name)
        _patiently("chpasswd", stdin=f"{name}:{PASSWORD}\n")
        shutil.chown(home, name)

    def remove(self) -> None:
        for name in self._made:
            _patiently("userdel", "-f", name)


type StartSshd = Callable[..., Sshd]


@pytest.fixture(scope="module")
def start_sshd() -> Iterator[StartSshd]:
    """Start an sshd with these further lines of configuration; it is stopped with the module."""
    if SSHD is None:
        pytest.skip("needs sshd: apt-get install openssh-server")
    with ExitStack() as stack:

        def start(*options: str) -> Sshd:
            server = Sshd(stack.enter_context(public_folder()), *options)
            stack.callback(server.stop)
            server.start()
            return server

        yield start


@pytest.fixture(scope="module")
def users() -> Iterator[Users]:
    if os.geteuid() != 0:
        pytest.skip("needs root, to make users with the login shells that are tested")
    with tempfile.TemporaryDirectory(prefix="netvitals-users-") as folder:
        Path(folder).chmod(0o755)
        users = Users(Path(folder))
        yield users
        users.remove()


@contextmanager
def public_folder() -> Iterator[Path]:
    """Where users reach their homes, and sshd their keys as they."""
    with tempfile.TemporaryDirectory(prefix="netvitals-ssh-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _patiently(*command: str, stdin: str = "") -> None:
    """Somebody else may be changing the list of users."""
    for _ in range(50):
        done = subprocess.run(command, input=stdin, text=True, capture_output=True, check=False)
        if "lock" not in done.stderr:
            break
        time.sleep(0.2)
    assert done.returncode in {0, _MAIL_REMAINS}, done.stderr


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
