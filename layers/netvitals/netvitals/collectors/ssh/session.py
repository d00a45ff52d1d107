"""One connection to an SSH server: paramiko with a limit on everything."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, time_ns

import paramiko
from paramiko.packet import Packetizer
from paramiko.ssh_exception import IncompatiblePeer

from netvitals.collectors.ssh.faults import Refused, SshFault
from netvitals.collectors.ssh.greeting import DeviceSocket, check_version
from netvitals.collectors.ssh.keys import KnownHost, private_key
from netvitals.collectors.ssh.probe import Output
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.credential import SshCredential
from netvitals.domain.settings.policy import SshSettings
from netvitals.domain.text import first_line

MAX_OUTPUT_BYTES = 1024 * 1024
_WINDOW_BYTES = 256 * 1024
_CHUNK = 32 * 1024
_JOIN_SECONDS = 1.0
_KEXINIT = 20
_PROHIBITED = 1
_OUR_END = ("127.0.0.1", 0)
"""Where a forwarded connection says that it comes from; nobody uses it."""

# Its threads log tracebacks of whatever a device does wrong; we tell that ourselves, once.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class _Packetizer(Packetizer):
    """Without paramiko's timer, a thread for each connection that outlives a failed one; see `Session`."""

    def start_handshake(self, timeout: float) -> None:
        pass


class Session:
    """A connection and what is reached through it, for one thread; the socket's `abort` ends it from any."""

    def __init__(
        self, sock: DeviceSocket, settings: SshSettings, credential: SshCredential, deadline: float
    ) -> None:
        """The deadline is on the clock of `time.monotonic`."""
        self._sock = sock
        self._settings = settings
        self._credential = credential
        self._deadline = deadline
        self._transports: list[paramiko.Transport] = []

    def close(self) -> None:
        """Leaves no thread: one that still reads must not find another connection under its descriptor."""
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
        transport = paramiko.Transport(
            channel or self._sock, default_window_size=_WINDOW_BYTES, packetizer_class=_Packetizer
        )
        self._transports.append(transport)
        transport.banner_timeout = transport.auth_timeout = seconds
        options = transport.get_security_options()
        options.key_types = known.order(options.key_types)
        offers = _Offers(transport)
        with self._translated("the key exchange"):
            try:
                transport.start_client(timeout=seconds)
            except IncompatiblePeer:
                check_version(transport.remote_version or "SSH-2.0-")
                raise offers.fault(who) from None
        if not transport.initial_kex_done:
            raise self._timeout("the key exchange")
        return transport

    def log_in(self, transport: paramiko.Transport, who: str) -> None:
        """By key, by password, or by both where the server wants both.

        Raises:
            Refused: the server does not accept the credential.
            SshFault: anything else.
        """
        user = self._credential.user
        refused: list[str] = []
        wanted: set[str] = set()
        for method, present in self._methods(transport):
            try:
                more = self._presented(present)
            except paramiko.BadAuthenticationType as error:
                wanted.update(error.allowed_types)
                continue
            except paramiko.AuthenticationException:
                refused.append(method)
                if transport.is_active():
                    continue
                break
            if not more:
                return
            wanted.update(more)
        if refused:
            raise Refused(f"{who} refuses {' and '.join(refused)} of user {user!r}")
        methods = first_line(" or ".join(sorted(wanted))) or "nothing we know"
        raise SshFault(
            Reason.AUTH, f"{who} wants {methods} of user {user!r}, which the credential does not hold"
        )

    def _methods(self, transport: paramiko.Transport) -> Iterator[tuple[str, Callable[[], list[str]]]]:
        own = self._credential
        if own.private_key is not None:
            key = private_key(own.private_key, own.passphrase)
            yield "the key", lambda: transport.auth_publickey(own.user, key)
        if own.password is not None:
            password = own.password.reveal()
            yield "the password", lambda: transport.auth_password(own.user, password)

    def _presented(self, present: Callable[[], list[str]]) -> list[str]:
        """What else the server wants to see; nothing as a rule."""
        with self._translated("the login"):
            try:
                return present()
            except paramiko.AuthenticationException as error:
                if self._sock.aborted or _is_timeout(error):
                    raise self._timeout("the login") from None
                raise

    def through(self, transport: paramiko.Transport, who: str, address: str, port: int) -> paramiko.Channel:
        """A connection that the jump host makes to the device."""
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
        channel.settimeout(self._left(self._settings.connect_timeout_seconds))
        with self._translated("the greeting"):
            check_version(channel.recv(len("SSH-1.99-")).decode("ascii", "replace"))

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
        """Seconds that something may take that has a limit of its own."""
        left = min(limit, self._deadline - monotonic())
        if left <= 0 or self._sock.aborted:
            raise self._timeout("the poll")
        return left

    def _timeout(self, what: str) -> SshFault:
        return SshFault(Reason.TIMEOUT, f"{what} took too long")

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """What paramiko raises besides what says that a person has to do something."""
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
    """Of paramiko's own time-outs nothing but the text tells that they are any."""
    return isinstance(error, TimeoutError) or "timeout" in str(error).lower()


def _start(channel: paramiko.Channel, command: str) -> None:
    """Raises ChannelException where the server is alive and refuses, as if it had refused the channel."""
    try:
        channel.exec_command(command)
    except paramiko.SSHException:
        if channel.get_transport().is_active():
            raise paramiko.ChannelException(_PROHIBITED, command) from None
        raise


class _Offers:
    """What a server offers in its KEXINIT (RFC 4253, 7.1), kept for the case that nothing of it is known."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self._transport = transport
        self._lists: list[list[str]] = []
        handlers: dict[int, Callable[[paramiko.Message], None]] = vars(transport)["_handler_table"]
        self._inner, handlers[_KEXINIT] = handlers[_KEXINIT], self._note

    def _note(self, message: paramiko.Message) -> None:
        offered = paramiko.Message(message.get_remainder())
        offered.get_bytes(16)
        self._lists = [offered.get_list() for _ in range(6)]
        self._inner(message)

    def fault(self, who: str) -> SshFault:
        """Which of its lists holds nothing that is still considered safe."""
        options = self._transport.get_security_options()
        wanted = (
            ("key exchange", options.kex),
            ("host key", options.key_types),
            ("cipher", options.ciphers),
            ("cipher", options.ciphers),
            ("MAC", options.digests),
            ("MAC", options.digests),
        )
        for (name, ours), theirs in zip(wanted, self._lists, strict=False):
            if not set(ours) & set(theirs):
                listed = first_line(", ".join(theirs), 200)
                return SshFault(
                    Reason.UNSUPPORTED,
                    f"{who} offers no {name} that is still safe, only {listed}: update its SSH server, "
                    "or poll it by SNMP",
                )
        return SshFault(Reason.UNSUPPORTED, f"{who} and we have no algorithms in common: poll it by SNMP")
