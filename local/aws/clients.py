"""Make boto3's clients of AWS on this machine."""

from typing import Any

import boto3

from local.aws.template import REGION


def client(url: str, service: str) -> Any:
    """Return a client of a service at `url`, with keys that open nothing."""
    return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
