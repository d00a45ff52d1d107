"""Limit the total seconds and bytes of urllib3's requests, however slowly or much the other side sends.

urllib3's read timeout begins anew with each piece that arrives, so an answer that drips blocks its caller for
ever; and it has no limit of an answer's size, headers and chunks included. Here the sockets themselves check
time and count bytes.
"""

import socket
import ssl
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    _Socket = socket.socket
    _Connection = HTTPConnection
else:
    _Socket = _Connection = object

_MOST_READS_AT_THE_END = 16
"""Reads of a closed connection after which its reader is taken to wait in an endless loop."""


class Flood(ConnectionAbortedError):
    """Raised for an answer that exceeds its limit of bytes."""


class Limits(NamedTuple):
    """The limits of one request."""

    size: int
    """Bytes of the answer, its headers included."""
    seconds: float | None = None
    """Seconds from the first byte sent to the answer's last; None: the request's connect timeout."""


class _Budget:
    """Counts what is left of a request's limits."""

    def __init__(self, seconds: float, size: int) -> None:
        self._end = monotonic() + seconds
        self._size = size
        self._ends = 0

    def seconds(self, at_most: float | None) -> float:
        """Return how many seconds the next call may take.

        Raises:
            TimeoutError: no time is left.
        """
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not complete in time")
        return left if at_most is None else min(left, at_most)

    def take(self, count: int) -> None:
        """Count received bytes.

        Raises:
            Flood: they are too many.
            ConnectionResetError: there are no more, and were none the last times either.
        """
        self._size -= count
        self._ends += count == 0
        if self._size < 0:
            raise Flood("the answer is larger than it may be")
        if self._ends > _MOST_READS_AT_THE_END:
            raise ConnectionResetError("the answer ended too early")


class _Limited(_Socket):
    budget: _Budget | None = None
    """Budget of the current request; None on an idle connection."""

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        if self.budget is None:
            return super().recv_into(*arguments, **options)
        self.settimeout(self.budget.seconds(self.gettimeout()))
        count = super().recv_into(*arguments, **options)
        self.budget.take(count)
        return count

    def sendall(self, *arguments: Any) -> None:
        if self.budget is not None:
            self.settimeout(self.budget.seconds(self.gettimeout()))
        super().sendall(*arguments)


class PlainSocket(_Limited, socket.socket):
    """Reads HTTP within the limits."""


class TlsSocket(_Limited, ssl.SSLSocket):
    """Reads HTTPS within the limits."""


class _LimitedConnection(_Connection):
    """Puts the limits on a connection of urllib3, as a mixin."""

    limits: Limits
    sock: Any
    _budget: _Budget | None = None

    def request(self, *arguments: Any, **options: Any) -> None:
        self._budget = self._new_budget()
        if self.sock is not None:
            self.sock.budget = self._budget
        super().request(*arguments, **options)

    def connect(self) -> None:
        context = getattr(self, "ssl_context", None)
        if context is not None:
            context.sslsocket_class = TlsSocket
        super().connect()
        # With TLS the connection is made before there is a request, and `request` begins to count.
        self.sock.budget = self._budget or self._new_budget()

    def close(self) -> None:
        super().close()
        self._budget = None

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        patience = plain.gettimeout()
        sock = PlainSocket(plain.family, plain.type, plain.proto, plain.detach())
        sock.settimeout(patience)
        # For a proxy's answer; TLS takes its own timeout from the socket.
        sock.budget = self._new_budget()
        return sock

    def _new_budget(self) -> _Budget:
        seconds = self.limits.seconds
        return _Budget(float(self.timeout or 0) if seconds is None else seconds, self.limits.size)


def limited_pools(
    limits: Limits, plain: type[HTTPConnection] = HTTPConnection, tls: type[HTTPConnection] = HTTPSConnection
) -> dict[str, type[HTTPConnectionPool]]:
    """Return a value for a pool manager's `pool_classes_by_scheme`; TLS needs its own `ssl_context`.

    `plain` and `tls` are the connection classes that get the limits.
    """
    members = {"limits": limits}
    plain = type("LimitedConnection", (_LimitedConnection, plain), members)
    tls = type("LimitedTlsConnection", (_LimitedConnection, tls), members)
    return {
        "http": type("LimitedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("LimitedTlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }
