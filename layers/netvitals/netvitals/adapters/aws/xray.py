"""Send subsegments to X-Ray: one datagram to the daemon that Lambda runs beside a traced function.

The SDK would add 170 ms to every cold start and two packages. The format of the document is that of X-Ray's
developer guide, "X-Ray segment documents".
"""

import json
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_HEADER = b'{"format": "json", "version": 1}\n'
_PARTS = re.compile(r"Root=([\w-]+);Parent=(\w+);Sampled=1")


@contextmanager
def subsegment(name: str) -> Iterator[None]:
    """Record the block's duration, and whether it raises, in the trace of this invocation.

    Does nothing where the invocation is not sampled; never raises itself.
    """
    started, outcome = time.time(), {"fault": True}
    try:
        yield
        outcome = {}
    finally:
        _send(name, started, outcome)


def _send(name: str, started: float, outcome: dict[str, bool]) -> None:
    trace = _PARTS.match(os.environ.get("_X_AMZN_TRACE_ID", ""))
    host, _, port = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "").rpartition(":")
    if trace is None or not port.isdigit():
        return
    document = {
        "type": "subsegment",
        "name": name,
        "id": secrets.token_hex(8),
        "trace_id": trace[1],
        "parent_id": trace[2],
        "start_time": started,
        "end_time": time.time(),
        **outcome,
    }
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(_HEADER + json.dumps(document).encode(), (host, int(port)))
