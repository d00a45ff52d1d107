"""This machine as a host to log in to: an SSH server for one user with one key, on a loopback address.

Connections are handed to the machine's own sshd, as inetd does it; where there is none, or none that lets
us in, they are served in this process. Neither needs root, and no process outlives its connection.
"""

import logging
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import NamedTuple, Self

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
    OPEN_SUCCEEDED,
)

from netvitals.collectors.ssh.keys import line_of, private_key
from netvitals.domain.settings.secret import Secret

_SEPARATION = Path("/run/sshd")
"""Where Debian's sshd locks itself up; packages make it at boot, which a container never has."""
_CONFIG = """
HostKey "{folder}/host_key"
AuthorizedKeysFile "{folder}/authorized_keys"
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
DisableForwarding yes
"""
_LOGIN_SECONDS = 5.0

# Its threads log every client that hangs up, as one does that only wanted to know who is there.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class Key(NamedTuple):
    """An Ed25519 key."""

    private: str
    """In OpenSSH's format."""
    public: str
    """`ssh-ed25519 AAAA…`."""

    @property
    def of_paramiko(self) -> paramiko.PKey:
        return private_key(Secret(self.private), None)


def new_key() -> Key:
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return Key(private.decode(), line_of(private_key(Secret(private.decode()), None)))


def find_sshd() -> str | None:
    """Where it is installed; users seldom have it on their PATH."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def this_user() -> str:
    """Who runs this; a container may have no name for that."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return "monitor"


class SshHost(ThreadingTCPServer):
    """`with SshHost("127.1.0.1", …) as host:` serves `this_user` at `host.port`.

    `sshd` is its path, and None once it is known not to be of use.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: str, port: int = 0, *, login: Key, host_key: Key, sshd: str | None) -> None:
        super().__init__((address, port), _Connection)
        self.port: int = self.server_address[1]
        self._where = (address, self.port)
        self.login, self.host_key, self.sshd = login, host_key, sshd
        self._folder = tempfile.TemporaryDirectory(prefix="netvitals-sshd-")
        self.config = Path(self._folder.name, "sshd_config")

    def __enter__(self) -> Self:
        if self.sshd:
            self._configure()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        if self.sshd and not self._lets_in():
            self.sshd = None
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._folder.cleanup()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is none."""

    def _configure(self) -> None:
        folder = self.config.parent
        self.config.write_text(_CONFIG.format(folder=folder))
        (folder / "authorized_keys").write_text(f"{self.login.public}\n")
        (folder / "host_key").touch(mode=0o600)
        (folder / "host_key").write_text(self.host_key.private)
        if os.geteuid() == 0:
            with suppress(OSError):
                _SEPARATION.mkdir(mode=0o755)

    def _lets_in(self) -> bool:
        """Whether a command runs: the account may be locked, or have no shell."""
        try:
            with paramiko.Transport(socket.create_connection(self._where, _LOGIN_SECONDS)) as client:
                client.start_client(timeout=_LOGIN_SECONDS)
                client.auth_timeout = _LOGIN_SECONDS
                client.auth_publickey(this_user(), self.login.of_paramiko)
                channel = client.open_session(timeout=_LOGIN_SECONDS)
                channel.exec_command("sh -c 'exit 0'")
                return channel.status_event.wait(_LOGIN_SECONDS) and channel.exit_status == 0
        except (OSError, EOFError, paramiko.SSHException):
            return False


class _Connection(BaseRequestHandler):
    server: SshHost
    request: socket.socket

    def handle(self) -> None:
        if self.server.sshd:
            self._to_sshd(self.server.sshd)
        else:
            self._by_ourselves()

    def _to_sshd(self, program: str) -> None:
        subprocess.run(
            [program, "-i", "-e", "-f", self.server.config],
            stdin=self.request.fileno(),
            stdout=self.request.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C is not its business
            check=False,
        )

    def _by_ourselves(self) -> None:
        with paramiko.Transport(self.request) as transport:
            transport.add_server_key(self.server.host_key.of_paramiko)
            transport.start_server(threading.Event(), _Server(self.server.login))
            transport.join()


class _Server(paramiko.ServerInterface):
    """Runs commands of whoever has the key."""

    def __init__(self, login: Key) -> None:
        self._login = login

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        right = (username, line_of(key)) == (this_user(), self._login.public)
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del chanid
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_UNKNOWN_CHANNEL_TYPE

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=_run, args=(channel, command), daemon=True).start()
        return True


def _run(channel: paramiko.Channel, command: bytes) -> None:
    """The command reads what was sent, to its end, and its output goes back."""
    with suppress(OSError, EOFError), channel, channel.makefile("rb") as sent:
        done = subprocess.run(
            shlex.split(command.decode()), input=sent.read(), capture_output=True, check=False
        )
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
