"""Send one ICMP echo, through icmplib."""

from icmplib import AsyncSocket, ICMPLibError, ICMPRequest, ICMPv4Socket, ICMPv6Socket
from icmplib.utils import unique_identifier


async def echo(address: str, sequence: int, timeout: float, *, privileged: bool) -> float | None:  # noqa: ASYNC109, ICMP's own
    """Return the round trip in milliseconds, or None without a reply.

    The socket is connected: otherwise every raw socket is handed the replies of all hosts that are probed at
    the same time, which costs the square of their number, and a third party's reply would count.

    Raises:
        ICMPLibError: this process gets no socket, which says nothing about the host.
    """
    kind = ICMPv6Socket if ":" in address else ICMPv4Socket
    request = ICMPRequest(address, unique_identifier(), sequence)
    with AsyncSocket(kind(privileged=privileged)) as sock:
        try:
            sock.sock.connect((address, 0))
            sock.send(request)
            reply = await sock.receive(request, timeout)
            reply.raise_for_status()
        except (ICMPLibError, OSError):
            return None
    return float((reply.time - request.time) * 1e3)
