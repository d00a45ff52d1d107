"""Connect to a host on the event loop: no thread waits for one that does not answer."""

import asyncio
import os
import socket
from time import perf_counter

from netvitals.collectors.host_faults import HostFault
from netvitals.collectors.tcp_info import was_answered
from netvitals.domain.polling.observation import Reason


async def connect[S: socket.socket](
    sock: S, address: str, port: int, seconds: float, *, remedy: str
) -> tuple[S, float]:
    """Connect a socket to a vetted address; return it, and the milliseconds that it took.

    `remedy` is what to do where nothing listens on the port.

    Raises:
        HostFault: it could not be connected, and is closed.
    """
    started = perf_counter()
    try:
        sock.settimeout(0)
        # Both protocols exchange small messages: with Nagle's algorithm each waits for the last one's ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException as error:
        answered = was_answered(sock)
        sock.close()
        if isinstance(error, ConnectionRefusedError) and not answered:
            raise HostFault(
                Reason.UNREACHABLE, f"TCP port {port} is rejected by a firewall or router on the way"
            ) from None
        if isinstance(error, OSError):  # TimeoutError as well
            raise _not_connected(error, port, seconds, remedy) from None
        raise
    return sock, (perf_counter() - started) * 1e3


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _not_connected(error: OSError, port: int, seconds: float, remedy: str) -> HostFault:
    if isinstance(error, TimeoutError):
        return HostFault(Reason.TIMEOUT, f"TCP port {port} does not answer within {seconds:g} s")
    if isinstance(error, ConnectionRefusedError):
        return HostFault(Reason.REFUSED, f"nothing listens on TCP port {port}: {remedy}")
    cause = os.strerror(error.errno) if error.errno else str(error)
    return HostFault(Reason.UNREACHABLE, f"TCP port {port}: {cause}")
