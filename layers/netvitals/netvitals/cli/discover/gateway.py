"""Find this machine's default gateway, the first hop from a collector here to its devices."""

import socket
import struct
from pathlib import Path

_ROUTES = Path("/proc/net/route")
_DEFAULT = "00000000"


def default_gateway(routes: Path = _ROUTES) -> str:
    """Return the IPv4 address of the default gateway; empty where there is none, or no Linux."""
    try:
        lines = routes.read_text().splitlines()[1:]
    except OSError:
        return ""
    for fields in map(str.split, lines):
        if len(fields) > 2 and fields[1] == _DEFAULT and fields[2] != _DEFAULT:  # noqa: PLR2004, Iface Destination Gateway
            return socket.inet_ntoa(struct.pack("<L", int(fields[2], 16)))
    return ""
