"""Share one UDP socket per event loop and address family among all devices that are being polled.

Where the kernel grants it too small a buffer there are more of them, and each device keeps to one: the
answers of hundreds of devices wait there while one turn of the loop lasts. A device that sends what nobody
has asked for would fill that buffer. It gets a socket of its own, and the others a new one, whose port it
does not know.
"""

import asyncio
import ipaddress
import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from math import ceil
from struct import Struct
from typing import Protocol
from zlib import crc32

from netvitals.collectors.snmp.wire.decode import read, read_integer
from netvitals.collectors.snmp.wire.faults import Malformed, Unreachable

RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
"""Bytes for the answers of 2000 requests, each of which takes the kernel 2 to 4 KiB."""
_SO_TIMESTAMPNS = 35
"""Number of Linux' socket option by which each datagram comes with the time at which the kernel received
it."""
_TIMESPEC = Struct("qq")
"""Seconds and nanoseconds since the epoch, as socket(7) and 64-bit Linux have them."""
_unpacked, _TIMESPEC_BYTES, _SOL_SOCKET = _TIMESPEC.unpack, _TIMESPEC.size, int(socket.SOL_SOCKET)
_STAMP_BYTES = socket.CMSG_SPACE(_TIMESPEC_BYTES)
_MAX_SOCKETS = 32
_DATAGRAM_BYTES = 65_535
_READS_PER_TURN = 256
_BYTES_PER_TURN = 1 << 20
"""Bytes that are read at a time, so that a flood does not hold up the loop."""
_READS_PER_DRAIN = 2048
_MAX_STRAYS = 64
"""Datagrams of one address within _COUNTED_SECONDS that nobody waits for, from which on it gets a socket of
its own; late answers are fewer."""
_COUNTED_SECONDS = 10.0
"""Seconds after which all counts start anew: late answers are no flood, however many come in a day."""
_KNOWN_STRAYS = 1024
_MAX_APART = 128
"""Addresses with a socket of their own; the one that has had it for longest goes first."""

_V3 = 3
_ID = 1 << 30
"""Number of message ids, which is the least of them as well."""
_ID_OCTETS, _IDS_AT_A_TIME = Struct(">I"), 256

type _Ancillary = list[tuple[int, int, bytes]]
"""Ancillary data of a datagram: level, type and content."""
type Address = tuple[str, int]
"""Canonical IP address and port."""


def _unguessable_ids() -> Iterator[int]:
    """Yield message ids; the kernel is asked for many at a time, as each time is a system call."""
    while True:
        for (number,) in _ID_OCTETS.iter_unpack(os.urandom(_IDS_AT_A_TIME * _ID_OCTETS.size)):
            yield _ID | number % _ID


_ids = _unguessable_ids()


class Waiter(Protocol):
    """Waits for the answer to one message id."""

    address: Address

    def arrived(self, datagram: bytes, time_ns: int) -> None:
        """Take a datagram that came from `address` under the id; more than one may."""
        ...

    def arrived_from(self, source: Address) -> bool:
        """Note that a datagram under the id came from elsewhere; it is dropped.

        Return whether an agent that answers from another address may have sent it, and not a flood.
        """
        ...

    def moved(self) -> None:
        """Ask again, by way of `endpoint_to`: the endpoint is closed."""
        ...


def message_id(datagram: bytes) -> int:
    """Return the id by which an answer finds its request: msgID in v3, the PDU's request-id in v1 and v2c.

    Tags are not checked here, but by the one who gets the answer.

    Raises:
        Malformed: there is none.
    """
    _, start, _ = read(datagram, 0)
    version, start = read_integer(datagram, start)
    if version == _V3:
        _, start, _ = read(datagram, start)
    else:
        _, start, _ = read(datagram, read(datagram, start)[2])
    return read_integer(datagram, start)[0]


class Endpoint:
    """Shares a socket among those who wait for answers, by message id."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, family: socket.AddressFamily, *, shared: bool = True
    ) -> None:
        """Open the socket; one that is not shared is closed as soon as nobody waits."""
        self._loop = loop
        self._shared = shared
        self._strays_of: dict[str, int] = {}
        self._counted_since = loop.time()
        self._waiting: dict[int, Waiter] = {}
        self._socket = _open(family)
        self._socket.bind(("", 0))
        self.closed = False
        self.strays = 0
        """Datagrams that nobody waited for: late, forged, from another address, or no SNMP at all."""
        loop.add_reader(self._socket.fileno(), self._read, _READS_PER_TURN, _BYTES_PER_TURN)

    def expect(self, waiter: Waiter) -> int:
        """Return a fresh message id under which the waiter gets what arrives, until it is forgotten.

        Ids have 31 bits, can't be guessed, and always take four octets.
        """
        while (number := next(_ids)) in self._waiting:
            pass
        self._waiting[number] = waiter
        return number

    def adopt(self, number: int, waiter: Waiter) -> None:
        """Wait under an id of another endpoint that was closed."""
        self._waiting.setdefault(number, waiter)

    def forget(self, number: int) -> None:
        self._waiting.pop(number, None)
        if not self._shared and not self._waiting:
            _close(key for key, endpoint in _endpoints.items() if endpoint is self)

    def send(self, datagram: bytes, address: Address) -> None:
        """Send now; where the send buffer is full the datagram is lost, and a retry follows.

        Raises:
            Unreachable: this machine has no way to the address, or may not use it.
        """
        try:
            self._socket.sendto(datagram, address)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            raise Unreachable(f"{address[0]}: nothing can be sent there: {error.strerror}") from None

    def drain(self) -> None:
        """Take in what has arrived already: time that our own loop was busy is no silence of a device."""
        self._read(_READS_PER_DRAIN, RECEIVE_BUFFER_BYTES)

    def _read(self, most: int, most_bytes: int) -> None:
        receive = self._socket.recvmsg
        for _ in range(most):
            if most_bytes <= 0 or self.closed:
                return
            try:
                datagram, stamps, _, source = receive(_DATAGRAM_BYTES, _STAMP_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an ICMP error for an earlier datagram; the next read goes on
            most_bytes -= len(datagram)
            self._dispatch(datagram, source, stamps)

    def _dispatch(
        self, datagram: bytes, source: tuple[str, int] | tuple[str, int, int, int], stamps: _Ancillary
    ) -> None:
        try:
            waiter = self._waiting.get(message_id(datagram))
        except Malformed:
            waiter = None
        if waiter is not None and waiter.address == source[:2]:
            waiter.arrived(datagram, _received_at(stamps))
            return
        self.strays += 1
        may_answer = waiter is not None and waiter.arrived_from(source[:2])
        if self._shared and not may_answer:
            self._count(source[0])

    def _count(self, address: str) -> None:
        """Count what may be part of a flood."""
        now = self._loop.time()
        if now - self._counted_since >= _COUNTED_SECONDS or len(self._strays_of) > _KNOWN_STRAYS:
            self._strays_of.clear()
            self._counted_since = now
        count = self._strays_of[address] = self._strays_of.get(address, 0) + 1
        if count >= _MAX_STRAYS:
            _set_apart(self, address)

    def close(self) -> list[Waiter]:
        """Close the socket; return who still waits."""
        if not self._loop.is_closed() and not self.closed:
            self._loop.remove_reader(self._socket.fileno())
        self.closed = True
        self._socket.close()
        waiting, self._waiting = list(self._waiting.values()), {}
        return waiting


def _received_at(stamps: _Ancillary) -> int:
    """Return when the kernel received a datagram, in nanoseconds since the epoch; now where it does not say.

    A loop that is busy reads an answer up to 200 ms late: a rate must not be made of that.
    """
    for level, kind, data in stamps:
        if level == _SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC_BYTES:
            seconds, nanoseconds = _unpacked(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()


def _open(family: socket.AddressFamily) -> socket.socket:
    """Open a socket with as much receive buffer as net.core.rmem_max lets it have."""
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.settimeout(0)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES // 2)  # the kernel doubles it
    if sys.platform == "linux":
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return opened


@cache
def _sockets_needed() -> int:
    """Return 1 where rmem_max is 4 MiB, newer kernels' default, or 20 where it is 208 KiB, older ones'."""
    with _open(socket.AF_INET) as probe:
        granted = probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return min(ceil(RECEIVE_BUFFER_BYTES / granted), _MAX_SOCKETS)


type _Key = tuple[asyncio.AbstractEventLoop, socket.AddressFamily, int | str]
"""Event loop, family, and the number of a shared socket or the address of a device with its own."""

_endpoints: dict[_Key, Endpoint] = {}
_apart: dict[str, None] = {}
"""The addresses that have a socket of their own, oldest first."""


def endpoint_to(address: str) -> Endpoint:
    """Return the running loop's endpoint for this IP address; close those of closed loops."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    own = address in _apart
    key: _Key = (loop, family, address if own else crc32(address.encode()) % _sockets_needed())
    endpoint = _endpoints.get(key)
    if endpoint is None:
        for closed in [other for other in _endpoints if other[0].is_closed()]:
            _endpoints.pop(closed).close()
        endpoint = _endpoints[key] = Endpoint(loop, family, shared=not own)
    return endpoint


def _set_apart(flooded: Endpoint, address: str) -> None:
    """Give an address a socket of its own, and move all others from the one that it has flooded."""
    _apart[address] = None
    if len(_apart) > _MAX_APART:
        oldest = next(iter(_apart))
        del _apart[oldest]
        _close(key for key in _endpoints if key[2] == oldest)
    _close(key for key, endpoint in _endpoints.items() if endpoint is flooded)


def _close(keys: Iterable[_Key]) -> None:
    for key in list(keys):
        for waiter in _endpoints.pop(key).close():
            waiter.moved()


def close_endpoints() -> None:
    """Close the running loop's endpoints; the next use opens new ones."""
    loop = asyncio.get_running_loop()
    for key in [key for key in _endpoints if key[0] is loop]:
        _endpoints.pop(key).close()


def canonical(address: str) -> str:
    """Return the IP address as the kernel prints it in the source of a datagram."""
    if ":" not in address:
        return address
    return socket.inet_ntop(socket.AF_INET6, ipaddress.IPv6Address(address).packed)
