"""Connect to an SSH server and read its greeting, without a login.

This is all of a status poll, and the gate of a metrics poll, so that a dead host or a tarpit costs no thread.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from netvitals.collectors import connecting
from netvitals.collectors.ssh.faults import SshFault
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import first_line

_LONGEST_LINE = 1024
"""Bytes of a line of the greeting: RFC 4253, 4.2, allows 255; some servers send longer lines before it."""
_MOST_LINES = 50
_PAUSE_SECONDS = 0.05
_CHUNK = 64 * 1024
BUDGET_BYTES = 4 * 1024 * 1024
"""Bytes that a device may send in one poll, several times the most that the probe can print."""


class DeviceSocket(socket.socket):
    """Connects to a device, and ends the connection once the device has sent more than its budget.

    An SSH packet may say that it is 4 GB long; it is asked for in small pieces, and not to the end.
    """

    budget = BUDGET_BYTES
    aborted = False

    def abort(self) -> None:
        """End whatever any thread waits for at this socket; the thread closes it."""
        self.aborted = True
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        data = super().recv(min(size, _CHUNK), flags)
        if not flags & socket.MSG_PEEK:
            self.budget -= len(data)
        if self.budget < 0:
            raise ConnectionAbortedError("the device sends too much")
        return data


async def connect(address: str, port: int, seconds: float) -> tuple[DeviceSocket, float]:
    """Connect to the vetted address; return the socket and the milliseconds that it took.

    Raises:
        HostFault: there is none.
    """
    sock = DeviceSocket(connecting.family_of(address), socket.SOCK_STREAM)
    remedy = "start its SSH server or correct `ssh.port`"
    return await connecting.connect(sock, address, port, seconds, remedy=remedy)


async def greeting(sock: DeviceSocket, seconds: float) -> str:
    """Return the server's identification, such as `SSH-2.0-OpenSSH_9.2p1`, and leave it in the socket.

    Raises:
        SshFault: it does not come, or is of another protocol.
    """
    try:
        async with asyncio.timeout(seconds):
            line = await _identification(sock)
    except TimeoutError:
        raise SshFault(
            Reason.TIMEOUT, f"it accepts the connection but sends no SSH greeting within {seconds:g} s"
        ) from None
    except OSError as error:
        raise SshFault(Reason.PROTOCOL, f"the connection broke before any SSH greeting ({error})") from None
    check_version(line)
    return line


def check_version(identification: str) -> None:
    """Raise SshFault unless the greeting is that of a server that speaks version 2 (RFC 4253, 5.1)."""
    if not identification.startswith(("SSH-2.0-", "SSH-1.99-")):
        raise SshFault(
            Reason.UNSUPPORTED,
            f"its SSH server speaks no version 2 ({first_line(identification)}): "
            "update it, or poll it by SNMP",
        )


def read_identification(receive: Callable[[int], bytes]) -> str:
    """Return the server's identification from what `receive` gives, as `socket.recv` does; it may block.

    Raises:
        SshFault: it does not come, or is of another protocol.
    """
    data = b""
    for _ in range(_MOST_LINES):
        while b"\n" not in data:
            if len(data) >= _LONGEST_LINE:
                raise _no_ssh(data)
            data += _unless_closed(receive(_LONGEST_LINE))
        line, _, data = data.partition(b"\n")
        if line.startswith(b"SSH-"):
            return _text(line)
    raise _no_ssh(line)


async def _identification(sock: DeviceSocket) -> str:
    known = 0
    for _ in range(_MOST_LINES):
        while b"\n" not in (data := await _peek(sock)):
            if len(data) >= _LONGEST_LINE:
                raise _no_ssh(data)
            # Octets that were peeked at keep the socket readable: only a pause shows whether more come.
            if len(data) == known:
                await asyncio.sleep(_PAUSE_SECONDS)
            known = len(data)
        line, _, _ = data.partition(b"\n")
        if line.startswith(b"SSH-"):
            return _text(line)
        sock.recv(len(line) + 1)
    raise _no_ssh(line)


async def _peek(sock: DeviceSocket) -> bytes:
    await _readable(sock)
    return _unless_closed(sock.recv(_LONGEST_LINE, socket.MSG_PEEK))


def _unless_closed(data: bytes) -> bytes:
    if not data:
        raise SshFault(
            Reason.PROTOCOL,
            "it closes the connection without a greeting: too many connections (MaxStartups), "
            "or this address is blocked (fail2ban, hosts.deny)",
        )
    return data


async def _readable(sock: DeviceSocket) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sock, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sock)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()


def _no_ssh(data: bytes) -> SshFault:
    return SshFault(Reason.PROTOCOL, f"what listens there is no SSH server, it says {first_line(data)!r}")
