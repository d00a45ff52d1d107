"""An SSH server in this process, which behaves, or misbehaves, as it is told.

`this_machine` makes it a host to log in to: what it is sent is run by this machine's shell.
"""

import logging
import os
import pwd
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Self
from weakref import WeakSet

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
    OPEN_SUCCEEDED,
)
from paramiko.server import InteractiveQuery

from netvitals.collectors.ssh.keys import line_of, private_key
from netvitals.domain.settings.secret import Secret

HOST = "127.0.0.1"
USER = "monitor"
PASSWORD = "s3cret-password"

type Raw = Callable[[socket.socket], None]
"""What is done with a connection instead of SSH."""
type Exec = Callable[[paramiko.Channel], None]
"""What is done with the channel of a command, on a thread of its own."""

HOST_KEY = paramiko.ECDSAKey.generate()
OTHER_KEY = paramiko.ECDSAKey.generate()


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


class SshServer:
    """Counts connections and logins; `run` is what a command does, `raw` what a connection does."""

    def __init__(
        self, run: Exec | None = None, raw: Raw | None = None, *, address: str = HOST, port: int = 0
    ) -> None:
        self.run = run
        self.raw = raw
        self.host_key: paramiko.PKey = HOST_KEY
        self.user = USER
        self.login_key = ""
        """The public key that lets in, where `accepts` is `publickey`."""
        self.password = PASSWORD
        self.accepts = "password"
        self.login: Callable[[], int] | None = None
        """What a login comes to, for a test that wants more than right or wrong."""
        self.rounds: list[list[tuple[str, bool]]] = [[("Password: ", False)]]
        """What is asked by keyboard-interactive in turn: texts, and whether the answer is shown as typed."""
        self.answers: list[list[str]] = []
        """What was answered, by round."""
        self.connections = 0
        self.logins: list[str] = []
        """The passwords that were tried."""
        self.logged_in = threading.Event()
        self.closed = threading.Event()
        self.mangle: Callable[[bytes], bytes] = bytes
        """Changes each message before it is sent."""
        self.transports: list[Transport] = []
        self._listener = socket.create_server((address, port), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._open: WeakSet[socket.socket] = WeakSet()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends accept, which goes on listening otherwise
        self._listener.close()
        for transport in self.transports:
            transport.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.close()

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            if self.raw is not None:
                with sock:
                    self.raw(sock)
                return
            transport = Transport(sock, self)
            self.transports = [*filter(Transport.is_active, self.transports), transport]
            transport.add_server_key(self.host_key)
            transport.start_server(server=_Interface(self))


class Transport(paramiko.Transport):
    def __init__(self, sock: socket.socket, server: SshServer) -> None:
        super().__init__(sock)
        self._server = server

    def send(self, payload: bytes) -> None:
        """Send a message that the server did not think of."""
        self._send_message(paramiko.Message(payload))

    def _send_message(self, data: paramiko.Message) -> None:
        super()._send_message(paramiko.Message(self._server.mangle(data.asbytes())))  # type: ignore[misc]  # the stubs leave it out


class _Interface(paramiko.ServerInterface):
    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._asked = 0

    def get_allowed_auths(self, username: str) -> str:
        del username
        return self._server.accepts

    def check_auth_none(self, username: str) -> int:
        del username
        return AUTH_SUCCESSFUL if self._server.accepts == "none" else AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        if "password" not in self._server.accepts:
            return AUTH_FAILED
        self._server.logins.append(password)
        if self._server.login is not None:
            return self._server.login()
        self._server.logged_in.set()
        right = (username, password) == (self._server.user, self._server.password)
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        right = (username, line_of(key)) == (self._server.user, self._server.login_key)
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> InteractiveQuery | int:
        del username, submethods
        return self._next_round() if "keyboard-interactive" in self._server.accepts else AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> InteractiveQuery | int:
        server = self._server
        server.answers.append(responses)
        if self._asked < len(server.rounds):
            return self._next_round()
        return AUTH_SUCCESSFUL if [server.password] in server.answers else AUTH_FAILED

    def _next_round(self) -> InteractiveQuery:
        self._asked += 1
        return InteractiveQuery("", "", *self._server.rounds[self._asked - 1])

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del chanid
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_UNKNOWN_CHANNEL_TYPE

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        del command
        if self._server.run is None:
            return False
        threading.Thread(target=_run, args=(self._server.run, channel), daemon=True).start()
        return True


def _run(run: Exec, channel: paramiko.Channel) -> None:
    time.sleep(0.02)  # paramiko says that the command runs when this thread is on its way already
    with suppress(OSError, EOFError):
        run(channel)
        channel.send_exit_status(0)
        channel.close()


def this_machine(address: str, port: int = 0, *, login: Key, host_key: Key) -> SshServer:
    """Make a server that lets `this_user` in with a key and runs what it is sent."""
    # Its threads log every client that hangs up, as one does that only wanted to know who is there.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    server = SshServer(shell, address=address, port=port)
    server.user, server.accepts = this_user(), "publickey"
    server.login_key, server.host_key = login.public, host_key.of_paramiko
    return server


def this_user() -> str:
    """Return who runs this; a container may have no name for that."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return USER


def shell(channel: paramiko.Channel) -> None:
    """Run what is sent, to its end, by this machine's shell."""
    done = subprocess.run(["sh"], input=stdin_of(channel).encode(), capture_output=True, check=False)
    channel.sendall(done.stdout)
    channel.sendall_stderr(done.stderr)


def stdin_of(channel: paramiko.Channel) -> str:
    """Return all that was sent to the command."""
    sent = b""
    while data := channel.recv(65536):
        sent += data
    return sent.decode()


def nonce_in(stdin: str) -> str:
    return stdin.partition("N=")[2].partition(" ")[0]


def answering(sections: str) -> Exec:
    """A command that prints the probe's markers, and these sections: lines that start with @ are markers."""

    def run(channel: paramiko.Channel) -> None:
        nonce = nonce_in(stdin_of(channel))
        channel.sendall("\n".join(["", *sections.splitlines(), ""]).replace("\n@", f"\n@@{nonce} ").encode())

    return run


def printing(text: bytes, *, stderr: bool = False, forever: bool = False) -> Exec:
    """A forced command: prints this whatever it is sent, once or without end."""

    def run(channel: paramiko.Channel) -> None:
        send = channel.sendall_stderr if stderr else channel.sendall
        send(text)
        while forever:
            send(text)

    return run


def hanging(channel: paramiko.Channel) -> None:
    """A shell that starts and does nothing."""
    while not channel.closed:
        time.sleep(0.05)


def sending(*parts: bytes, forever: bytes = b"", pause: float = 0, once_asked: bool = False) -> Raw:
    """Something that is no SSH server, or none of today: sends these parts and reads until the client leaves.

    `forever` follows every `pause` seconds; `once_asked` waits for the client's first words.
    """

    def raw(sock: socket.socket) -> None:
        if once_asked:
            sock.recv(65536)
        sock.sendall(b"".join(parts))
        while forever:
            sock.sendall(forever)
            time.sleep(pause)
        while sock.recv(4096):
            pass

    return raw


silent = sending()
endless_greeting = sending(forever=b"2a9c5f1e80b34d67\r\n", pause=0.002)
"""Lines before the identification are allowed; so many are a tarpit."""
dripping_greeting = sending(forever=b"x", pause=0.02)
"""A byte now and then keeps every timeout for a single read from ending."""
dripping_key_exchange = sending(b"SSH-2.0-tarpit\r\n", struct.pack(">I", 30004), forever=b"x", pause=0.02)
huge_packet = sending(b"SSH-2.0-flood\r\n", struct.pack(">I", 0xFFFFFFF8), forever=bytes(65536))
"""A packet of 4 GB is announced, and as much of it sent as is taken."""
garbage = sending(b"SSH-2.0-garbage\r\n", b"\x00\x00\x00\x0c\x04", os.urandom(75))


def kexinit(
    kex: str, key: str = "ssh-ed25519", cipher: str = "aes128-ctr", mac: str = "hmac-sha2-256"
) -> bytes:
    """The message in which a server offers these algorithms (RFC 4253, 7.1)."""
    lists = (kex, key, cipher, cipher, mac, mac, "none", "none", "", "")
    return (
        b"\x14"
        + bytes(16)
        + b"".join(struct.pack(">I", len(text)) + text.encode() for text in lists)
        + bytes(5)
    )


def sending_messages(*payloads: bytes) -> Raw:
    """A server that greets, sends these messages in clear, and says no more."""
    return sending(b"SSH-2.0-x\r\n", *map(_packet, payloads))


def _packet(payload: bytes) -> bytes:
    padding = 16 - (len(payload) + 5) % 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


legacy = sending_messages(
    kexinit("diffie-hellman-group1-sha1,diffie-hellman-group14-sha1", "ssh-rsa", "3des-cbc", "hmac-sha1")
)
"""A server of 2005: SHA-1 key exchanges and an ssh-rsa key, nothing else."""
