"""boto3 clients that give up in time for the invocation to tell."""

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from netvitals.domain.errors import ConfigurationError

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    # A NAT gateway forgets a connection silently after 350 s idle, and processes sleep between invocations.
    tcp_keepalive=True,
)


def client(service: str) -> Any:
    """A client of this AWS service; region, credentials and endpoint come from the environment.

    Raises:
        ConfigurationError: they are not set, or are none.
    """
    region = os.environ.get("AWS_REGION") or None  # every other SDK of AWS reads it, boto3 does not
    try:
        return boto3.client(service, region_name=region, config=_CONFIG)  # type: ignore[call-overload]  # the name is a variable here
    except (BotoCoreError, ValueError) as error:
        text = str(error).rstrip(".")
        raise ConfigurationError(
            f"AWS can't be used: {text}; set AWS_REGION and credentials, or AWS_PROFILE"
        ) from None
