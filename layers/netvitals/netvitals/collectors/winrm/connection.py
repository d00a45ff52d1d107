"""Make the TCP connections of one poll: to the vetted address alone, bounded in bytes, abortable."""

import socket
import ssl
import threading
from contextlib import suppress
from math import inf
from time import thread_time
from typing import TYPE_CHECKING, Any

from netvitals.collectors import connecting

BUDGET_BYTES = 8 * 1024 * 1024
"""Bytes that a device may send over one connection; a host with a thousand interfaces sends a tenth of it."""
ANSWER_BYTES = 1024 * 1024
"""Bytes that it may send as one answer, with its head; we ask for 150 KB at most (MaxEnvelopeSize)."""
CPU_SECONDS = 1.0
"""Processor time that one poll's thread may use over one connection; a poll uses 0.01."""

if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class Flood(ConnectionAbortedError):
    """Raised where an answer exceeds its budget, in bytes or in processor time."""


class _Counted(_Socket):
    """Ends the connection once the device has sent more than its budget, whatever length it announces."""

    budget = BUDGET_BYTES
    answer_budget = ANSWER_BYTES
    busy_until = inf
    """Time at which its processor time is used up, on the clock of `time.thread_time`."""

    def begin(self) -> None:
        """Reset the budget for the next answer, which the calling thread waits for."""
        self.answer_budget = ANSWER_BYTES
        if self.busy_until == inf:
            self.busy_until = thread_time() + CPU_SECONDS

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        count = super().recv_into(*arguments, **options)
        self.budget -= count
        self.answer_budget -= count
        if min(self.budget, self.answer_budget) < 0:
            raise Flood("it sends too much")
        if thread_time() > self.busy_until:
            raise Flood("it keeps this process busy")
        return count


class PlainSocket(_Counted, socket.socket):
    """Reads HTTP within the budget."""


class TlsSocket(_Counted, ssl.SSLSocket):
    """Reads HTTPS within the budget; the `sslsocket_class` of our contexts."""


class WinrmConnection:
    """Makes the TCP connections of one poll: hands out the first, and makes another where that is used up."""

    def __init__(self, address: str, port: int, first: PlainSocket) -> None:
        self.aborted = False
        self._address, self._port = address, port
        self._first: PlainSocket | None = first
        self._handles = [first.dup()]
        self._lock = threading.Lock()

    def dial(self, seconds: float) -> socket.socket:
        """Return a connected socket, which belongs to the caller.

        Raises:
            OSError: there is none; TimeoutError once the connection is aborted.
        """
        if self.aborted:
            raise TimeoutError("the poll has ended")
        sock, self._first = self._first, None
        if sock is None:
            sock = new_socket(self._address)
            sock.settimeout(seconds)
            try:
                sock.connect((self._address, self._port))
            except OSError:
                sock.close()
                raise
            self._keep(sock)
        sock.settimeout(seconds)
        return sock

    def _keep(self, sock: PlainSocket) -> None:
        with self._lock:
            # TLS takes over the descriptor of the socket that it is given: a second one still ends it.
            self._handles.append(sock.dup())
            if self.aborted:
                sock.shutdown(socket.SHUT_RDWR)

    def abort(self) -> None:
        """End whatever any thread waits for; the thread closes its connections."""
        with self._lock:
            self.aborted = True
            for handle in self._handles:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            self.aborted = True
            for handle in self._handles:
                handle.close()
            self._handles.clear()
            if self._first is not None:
                self._first.close()


def new_socket(address: str) -> PlainSocket:
    sock = PlainSocket(connecting.family_of(address), socket.SOCK_STREAM)
    # Each exchange is one small message each way: with Nagle's algorithm it waits for the last one's ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


async def connect(address: str, port: int, seconds: float) -> tuple[PlainSocket, float]:
    """Connect to the vetted address; return the socket and the milliseconds that it took. Blocks no thread.

    Raises:
        HostFault: there is none.
    """
    remedy = "make a WinRM listener (`winrm quickconfig`), or correct `winrm.port` and `winrm.tls`"
    return await connecting.connect(new_socket(address), address, port, seconds, remedy=remedy)
