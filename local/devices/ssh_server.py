"""An SSH server in the test's own process, which behaves, or misbehaves, as a test says."""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
    OPEN_SUCCEEDED,
)
from paramiko.server import InteractiveQuery

HOST = "127.0.0.1"
USER = "monitor"
PASSWORD = "s3cret-password"

type Raw = Callable[[socket.socket], None]
"""What is done with a connection instead of SSH."""
type Exec = Callable[[paramiko.Channel], None]
"""What is done with the channel of a command, on a thread of its own."""

HOST_KEY = paramiko.ECDSAKey.generate()
OTHER_KEY = paramiko.ECDSAKey.generate()


class SshServer:
    """Counts connections and logins; `run` is what a command does, `raw` what a connection does."""

    def __init__(self, run: Exec | None = None, raw: Raw | None = None) -> None:
        self.run = run
        self.raw = raw
        self.host_key: paramiko.PKey = HOST_KEY
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
        self._listener = socket.create_server((HOST, 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.closed.set()
        self._listener.close()
        for transport in self.transports:
            transport.close()
        for connection in self._open:
            with suppress(OSError):
                connection.close()

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            if self.raw is not None:
                with sock:
                    self.raw(sock)
                return
            transport = Transport(sock, self)
            self.transports.append(transport)
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
        right = (username, password) == (USER, self._server.password)
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


def stdin_of(channel: paramiko.Channel) -> str:
    """All that was sent to the command."""
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


def printing(text: bytes, *, stderr: bool = False) -> Exec:
    """A forced command: prints this whatever it is sent."""

    def run(channel: paramiko.Channel) -> None:
        (channel.sendall_stderr if stderr else channel.sendall)(text)

    return run


def hanging(channel: paramiko.Channel) -> None:
    """A shell that starts and does nothing."""
    while not channel.closed:
        time.sleep(0.05)


def endless(channel: paramiko.Channel) -> None:
    while True:
        channel.sendall(b"noise " * 1000)


def saying(text: bytes) -> Raw:
    """Something that is no SSH server, or none of today."""

    def raw(sock: socket.socket) -> None:
        sock.sendall(text)
        sock.recv(1)
        time.sleep(60)

    return raw


def silent(sock: socket.socket) -> None:
    while sock.recv(4096):
        pass


def closing(sock: socket.socket) -> None:
    sock.close()


def endless_greeting(sock: socket.socket) -> None:
    """Lines before the identification are allowed; so many are a tarpit."""
    while True:
        sock.sendall(os.urandom(16).hex().encode() + b"\r\n")
        time.sleep(0.002)


def dripping_greeting(sock: socket.socket) -> None:
    """A byte now and then keeps every time-out for a single read from ending."""
    while True:
        sock.sendall(b"x")
        time.sleep(0.02)


def dripping_key_exchange(sock: socket.socket) -> None:
    sock.sendall(b"SSH-2.0-tarpit\r\n" + struct.pack(">I", 30004))
    dripping_greeting(sock)


def huge_packet(sock: socket.socket) -> None:
    """A packet of 4 GB is announced, and as much of it sent as is taken."""
    sock.sendall(b"SSH-2.0-flood\r\n" + struct.pack(">I", 0xFFFFFFF8))
    while True:
        sock.sendall(bytes(65536))


def garbage(sock: socket.socket) -> None:
    sock.sendall(b"SSH-2.0-garbage\r\n" + b"\x00\x00\x00\x0c\x04" + os.urandom(11) + os.urandom(64))
    silent(sock)


def kexinit(
    kex: str, key: str = "ssh-ed25519", cipher: str = "aes128-ctr", mac: str = "hmac-sha2-256"
) -> bytes:
    """The message in which a server offers these algorithms (RFC 4253, 7.1)."""
    lists = (kex, key, cipher, cipher, mac, mac, "none", "none", "", "")
    return b"\x14" + bytes(16) + b"".join(map(_string, lists)) + bytes(5)


def offering(
    kex: str, key: str = "ssh-ed25519", cipher: str = "aes128-ctr", mac: str = "hmac-sha2-256"
) -> Raw:
    """A server that offers these algorithms, and says no more."""
    return saying_in_packets(kexinit(kex, key, cipher, mac))


def saying_in_packets(*payloads: bytes) -> Raw:
    """A server that greets, sends these messages in clear, and says no more."""

    def raw(sock: socket.socket) -> None:
        sock.sendall(b"SSH-2.0-x\r\n" + b"".join(map(_packet, payloads)))
        silent(sock)

    return raw


def _string(text: str) -> bytes:
    return struct.pack(">I", len(text)) + text.encode()


def _packet(payload: bytes) -> bytes:
    padding = 16 - (len(payload) + 5) % 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


legacy = offering(
    "diffie-hellman-group1-sha1,diffie-hellman-group14-sha1", "ssh-rsa", "3des-cbc", "hmac-sha1"
)
"""A server of 2005: SHA-1 key exchanges and an ssh-rsa key, nothing else."""
