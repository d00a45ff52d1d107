"""Try one TCP connection, to find out whether the host answers, and its round-trip time."""

import asyncio
import errno
import os
import socket
import struct
from time import perf_counter

import msgspec

from netvitals.collectors.tcp_info import round_trip_ms, was_answered

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: close sends RST, so that no connection is left in TIME_WAIT."""


class TcpReply(msgspec.Struct, frozen=True):
    """Reply to a TCP probe: `rtt_ms` is None where nothing answered; a refusal (RST) is an answer."""

    rtt_ms: float | None = None
    accepted: bool = False
    detail: str = ""


async def probe_tcp(address: str, port: int, timeout: float, sockets: asyncio.Semaphore) -> TcpReply:  # noqa: ASYNC109, part of the answer
    """Try to connect; the time limit starts once there is a socket to use.

    Raises:
        OSError: this process gets no socket, which says nothing about the host.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    async with sockets:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            try:
                return await _connect(sock, (address, port), timeout)
            except OSError as error:
                return TcpReply(detail=f"TCP {port}: {_text(error)}")


async def _connect(sock: socket.socket, peer: tuple[str, int], timeout: float) -> TcpReply:  # noqa: ASYNC109, see above
    sock.settimeout(0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    started = perf_counter()
    try:
        async with asyncio.timeout(timeout):
            await asyncio.get_running_loop().sock_connect(sock, peer)
    except TimeoutError:
        return TcpReply(detail=f"TCP {peer[1]}: no answer")
    except (ConnectionRefusedError, ConnectionResetError):
        if not was_answered(sock):
            return TcpReply(detail=f"TCP {peer[1]}: rejected by a firewall or router on the way")
        return TcpReply(rtt_ms=(perf_counter() - started) * 1e3, detail=f"TCP {peer[1]}: refused")
    elapsed_ms = (perf_counter() - started) * 1e3
    return TcpReply(
        rtt_ms=round_trip_ms(sock) or elapsed_ms, accepted=True, detail=f"TCP {peer[1]}: accepted"
    )


def _text(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "prohibited by a firewall on the way"
    return os.strerror(error.errno) if error.errno else str(error)
