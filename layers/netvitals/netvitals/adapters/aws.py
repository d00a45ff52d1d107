"""boto3 clients that give up in time for the invocation to tell."""

from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    # A NAT gateway forgets a connection silently after 350 s idle, and processes sleep between invocations.
    tcp_keepalive=True,
)


def client(service: str) -> Any:
    """A client of this AWS service; region, credentials and endpoint come from the environment."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]  # the name is a variable here
