"""Make boto3's clients of AWS on this machine."""

from typing import Any

import boto3

from local.aws.template import REGION

KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
"""Open nothing."""


def environment(url: str) -> dict[str, str]:
    """Return the variables by which AWS's own programs talk to `url` and to nothing else."""
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/dev/null")
    regions = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), REGION)
    return {"AWS_ENDPOINT_URL": url, **KEYS, **regions, **files, "SAM_CLI_TELEMETRY": "0"}


def client(url: str, service: str) -> Any:
    """Return a client of a service at `url`."""
    return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
        service,
        endpoint_url=url,
        region_name=REGION,
        **{name.lower(): value for name, value in KEYS.items()},
    )
