"""Connect to PostgreSQL with limits of an answer's bytes and seconds."""

import socket
import struct
from collections.abc import Callable, Generator
from time import monotonic
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg.rows import TupleRow

if TYPE_CHECKING:
    from psycopg.abc import PQGen, PQGenConn

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Limit of one statement's answer: 1,000 rows with 64 KiB of settings each; in memory several times that."""
MAX_GREETING_BYTES = 1024 * 1024
"""Limit of the bytes that a server sends before the first statement."""
_RECEIVED = struct.Struct("=128xQ")
"""The field `tcpi_bytes_received` of Linux's `struct tcp_info` (linux/tcp.h)."""


class LimitedConnection(psycopg.Connection[TupleRow]):
    """Limits the time and the bytes of each answer.

    A server's own timeouts do not help where the server, or a pooler before it, hangs with its sockets open,
    and libpq keeps in memory whatever it receives.
    """

    patience_seconds = 31.0

    def wait[Result](
        self, gen: "PQGen[Result]", interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        patience = self.patience_seconds if timeout is None else timeout
        descriptor = self.pgconn.socket
        limit = received(descriptor) + MAX_ANSWER_BYTES
        began = monotonic()
        try:
            return super().wait(_limited(gen, lambda _: descriptor, limit), interval, patience)
        except psycopg.OperationalError:
            if monotonic() - began < patience:
                raise
            raise psycopg.OperationalError(f"no answer within {patience:g} s") from None

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> "PQGenConn[Self]":
        connecting = super()._connect_gen(conninfo)
        return _limited(connecting, lambda wanted: wanted[0], MAX_GREETING_BYTES)


def received(descriptor: int) -> int:
    """Return how many bytes a TCP connection has received; 0 for another socket or an unknown system."""
    connection = socket.socket(fileno=descriptor)
    try:
        return int(
            _RECEIVED.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.size))[0]
        )
    except (OSError, AttributeError, struct.error):
        return 0
    finally:
        connection.detach()  # it is libpq's


def _limited[Wanted, Ready, Result](
    steps: Generator[Wanted, Ready, Result], descriptor: Callable[[Wanted], int], limit: int
) -> Generator[Wanted, Ready, Result]:
    """Run psycopg's steps, each of which reads what has arrived; raise where that exceeds the limit."""
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if received(descriptor(wanted)) > limit:
                raise psycopg.OperationalError("the answer is larger than it may be")
            wanted = steps.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        steps.close()
