"""Debian's sshd on a loopback port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.servers.process import accepts, free_port, running

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HOST = "127.0.0.1"


def generate_key(path: Path, kind: str, passphrase: str = "", *more: str) -> str:
    """Make a key pair at this path; return the public key as `ssh.host_keys` has it."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", path, *more], check=True
    )
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


class Sshd:
    """One server; its folder holds host keys and, by user, authorized keys."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.folder = folder
        self._running = ExitStack()
        (folder / "authorized").mkdir(parents=True, exist_ok=True)
        self.host_key = generate_key(folder / "host_key", "ed25519")
        lines = [
            f"Port {self.port}",
            f"ListenAddress {HOST}",
            f"HostKey {folder}/host_key",
            f"AuthorizedKeysFile {folder}/authorized/%u",
            *options,  # of a word that is said twice the first counts
            *("StrictModes no", "UsePAM no", "PidFile none", "MaxStartups 500", "PermitRootLogin no"),
        ]
        (folder / "sshd_config").write_text("\n".join([*lines, ""]))

    def allow(self, user: str, key: str, options: str = "") -> None:
        """Let the user log in with this public key too."""
        with (self.folder / "authorized" / user).open("a") as authorized:
            authorized.write(f"{options} {key}\n".lstrip())

    def start(self) -> None:
        assert SSHD  # noqa: S101, whoever makes a server has looked
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, which packages make at boot
        (self.folder / "log").unlink(missing_ok=True)
        command: list[str | Path] = [SSHD, "-D", "-e", "-f", self.folder / "sshd_config"]
        self._running.enter_context(running(command, self.folder, lambda: accepts(self.port)))

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        self._running.close()


@contextmanager
def public_folder() -> Iterator[Path]:
    """Make a folder where users reach their homes, and sshd their keys as they."""
    with tempfile.TemporaryDirectory(prefix="netvitals-ssh-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
