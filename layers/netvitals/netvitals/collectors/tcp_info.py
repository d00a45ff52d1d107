"""Read the state of a TCP connection from the kernel: struct tcp_info (Linux, include/uapi/linux/tcp.h)."""

import socket
import struct

_RTT_OFFSET = 68
"""Offset of `tcpi_rtt`, in microseconds."""
_SEGMENTS_IN_OFFSET = 140
"""Offset of `tcpi_segs_in`, since Linux 4.2."""


def round_trip_ms(sock: socket.socket) -> float | None:
    """Return the handshake's round trip, without this process's own delays; None if unknown."""
    microseconds = _number_at(sock, _RTT_OFFSET)
    return microseconds / 1e3 if microseconds else None


def was_answered(sock: socket.socket) -> bool:
    """Return whether any segment came back, a RST included; True where the kernel does not tell.

    "Connection refused" is also what Linux makes of ICMP's "port unreachable", which is how firewalls reject
    (`REJECT` of iptables, `reject` of nftables). That is no word of the host: nothing came from it.
    """
    return _number_at(sock, _SEGMENTS_IN_OFFSET) != 0


def _number_at(sock: socket.socket, offset: int) -> int | None:
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, offset + 4)
        number: int = struct.unpack_from("I", info, offset)[0]
    except (AttributeError, OSError, struct.error):
        return None
    return number
