"""Log in and run commands over one connection to an SSH server: paramiko with a limit on everything."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic, time_ns

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from netvitals.collectors.ssh.faults import SshFault
from netvitals.collectors.ssh.greeting import DeviceSocket, check_version, read_identification
from netvitals.collectors.ssh.keys import KnownHost
from netvitals.collectors.ssh.login import Login, Present
from netvitals.collectors.ssh.probe import Output
from netvitals.collectors.ssh.protocol import SshCredential, SshSettings
from netvitals.collectors.ssh.transport import BoundedTransport
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import first_line

MAX_OUTPUT_BYTES = 1024 * 1024
_WINDOW_BYTES = 256 * 1024
_CHUNK = 32 * 1024
_JOIN_SECONDS = 1.0
_PROHIBITED = 1
_OUR_END = ("127.0.0.1", 0)
"""Source address that a forwarded connection names; no server uses it."""


class Session:
    """Carries logins and commands over one connection, on one thread; any thread may abort its socket."""

    def __init__(
        self, sock: DeviceSocket, settings: SshSettings, credential: SshCredential, deadline: float
    ) -> None:
        """Take a deadline on the clock of `time.monotonic`."""
        self._sock = sock
        self._settings = settings
        self._credential = credential
        self._deadline = deadline
        self._transports: list[paramiko.Transport] = []

    def close(self) -> None:
        """Close it and join its threads: none may read from another connection by the same descriptor."""
        for transport in reversed(self._transports):
            transport.close()
        self._sock.abort()
        for transport in self._transports:
            if transport.is_alive():
                transport.join(_JOIN_SECONDS)
        self._sock.close()

    def meet(self, channel: paramiko.Channel | None, known: KnownHost, who: str) -> paramiko.Transport:
        """Agree on keys with the server at the socket, or with the one behind a jump host's channel.

        Whether it is the right server is for the caller to check, before anything else.
        """
        seconds = self._left(self._settings.connect_timeout_seconds)
        transport = BoundedTransport(channel or self._sock, _WINDOW_BYTES)
        self._transports.append(transport)
        transport.banner_timeout = transport.auth_timeout = seconds
        options = transport.get_security_options()
        options.key_types = known.order(options.key_types)
        with self._translated("the key exchange"):
            try:
                transport.start_client(timeout=seconds)
            except IncompatiblePeer:
                check_version(transport.remote_version or "SSH-2.0-")
                raise transport.nothing_in_common(who) from None
        if not transport.initial_kex_done:
            raise self._timeout("the key exchange")
        return transport

    def log_in(self, transport: paramiko.Transport, who: str) -> None:
        """Log in by key, by password, or by both where the server wants both.

        Raises:
            Refused: the server does not accept the credential.
            SshFault: anything else.
        """
        Login(transport, self._credential, who, self._presented).run()

    def _presented(self, present: Present) -> list[str]:
        """Send a credential; return the methods that the server wants besides, none as a rule."""
        with self._translated("the login"):
            try:
                return present()
            except paramiko.AuthenticationException as error:
                if self._sock.aborted or _is_timeout(error):
                    raise self._timeout("the login") from None
                raise

    def through(self, transport: paramiko.Transport, who: str, address: str, port: int) -> paramiko.Channel:
        """Return a channel that the jump host opens to the device."""
        seconds = self._left(self._settings.connect_timeout_seconds)
        try:
            with self._translated("forwarding"):
                return transport.open_channel("direct-tcpip", (address, port), _OUR_END, timeout=seconds)
        except paramiko.ChannelException as error:
            if error.code == _PROHIBITED:
                raise SshFault(
                    Reason.UNSUPPORTED, f"{who} forwards nothing: set AllowTcpForwarding there"
                ) from None
            raise SshFault(Reason.UNREACHABLE, f"{who} can't connect to {address}, port {port}") from None

    def greeting(self, channel: paramiko.Channel) -> None:
        """Wait until the device behind a jump host says that it speaks SSH."""
        until = monotonic() + self._left(self._settings.connect_timeout_seconds)

        def receive(size: int) -> bytes:
            channel.settimeout(max(0.001, until - monotonic()))
            return channel.recv(size)

        with self._translated("the greeting"):
            check_version(read_identification(receive))

    def execute(self, transport: paramiko.Transport, command: str, stdin: bytes, end: bytes) -> Output:
        """Run a command and read until `end` appears, its output ends, or a limit is reached.

        Raises:
            SshFault: the server does not run it.
        """
        until = monotonic() + self._left(self._settings.command_timeout_seconds)
        try:
            with self._translated("starting the probe"):
                channel = transport.open_session(timeout=until - monotonic())
                _start(channel, command)
        except paramiko.ChannelException:
            raise SshFault(
                Reason.UNSUPPORTED, f"the server runs no command for user {self._credential.user!r}"
            ) from None
        channel.settimeout(max(0.001, until - monotonic()))
        with suppress(OSError):  # it ended before it read everything: what it printed says why
            channel.sendall(stdin)
            channel.shutdown_write()
        output = Output()
        self._read(channel, until, end, output)
        error = transport.get_exception()
        if error is not None and not (output.complete or output.timed_out or self._sock.aborted):
            output.fault, output.broken = f"the connection broke off: {first_line(str(error))}", True
        if channel.recv_stderr_ready():
            output.stderr = channel.recv_stderr(_CHUNK)
        return output

    def _read(self, channel: paramiko.Channel, until: float, end: bytes, output: Output) -> None:
        size, tail = 0, b""
        while size <= MAX_OUTPUT_BYTES:
            channel.settimeout(max(0.001, until - monotonic()))
            try:
                data = channel.recv(_CHUNK)
            except TimeoutError:
                output.fault, output.timed_out = "it did not end in time", True
                return
            if not data:
                output.fault = "it ended early"
                return
            output.chunks.append((time_ns(), data))
            size, tail = size + len(data), tail[-len(end) :] + data
            if end in tail:
                output.complete = True
                return
        output.fault = f"it printed more than {MAX_OUTPUT_BYTES} bytes"

    def _left(self, limit: float) -> float:
        """Return the seconds of a step that has a limit of its own, at most those until the deadline."""
        left = min(limit, self._deadline - monotonic())
        if left <= 0 or self._sock.aborted:
            raise self._timeout("the poll")
        return left

    def _timeout(self, what: str) -> SshFault:
        return SshFault(Reason.TIMEOUT, f"{what} took too long")

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Translate paramiko's errors into ours; faults that a person has to mend pass through."""
        try:
            yield
        except (SshFault, paramiko.AuthenticationException, paramiko.ChannelException):
            raise
        except Exception as error:  # noqa: BLE001, paramiko passes on whatever a malformed message did to it
            if self._sock.aborted or _is_timeout(error):
                raise self._timeout(what) from None
            raise SshFault(
                Reason.PROTOCOL, f"{what} broke off: {first_line(str(error) or type(error).__name__)}"
            ) from None


def _is_timeout(error: Exception) -> bool:
    """Return whether an error is one of paramiko's own timeouts, which only their text shows."""
    return isinstance(error, TimeoutError) or "timeout" in str(error).lower()


def _start(channel: paramiko.Channel, command: str) -> None:
    """Start a command; raise ChannelException where a live server refuses it."""
    try:
        channel.exec_command(command)
    except paramiko.SSHException:
        if channel.get_transport().is_active():
            raise paramiko.ChannelException(_PROHIBITED, command) from None
        raise
