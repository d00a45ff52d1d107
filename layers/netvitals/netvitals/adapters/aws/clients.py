"""Make boto3 clients with limits of time and size that leave an invocation time to report a failure."""

import os
from typing import Any, NamedTuple

import boto3
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from netvitals.bounded_http import Limits, limited_pools
from netvitals.domain.errors import ConfigurationError


class Patience(NamedTuple):
    """Limits of one call: `tries` times the seconds, with pauses of less than a second in between."""

    connect_seconds: float
    """Seconds for an address to accept the connection, and again for TLS."""
    answer_seconds: float
    """Seconds from the request's first byte to the answer's last."""
    tries: int
    answer_bytes: int = 512 * 1024
    """Largest answer; a secret of 64 KiB, escaped, fits."""


PATIENCE = {
    "secretsmanager": Patience(1, 3, 2),
    "ssm": Patience(1, 3, 2),
    "sqs": Patience(1, 4, 2, 4 * 1024 * 1024),  # ten messages of 256 KiB, escaped
    "s3": Patience(1, 10, 1, 64 * 1024 * 1024),  # a copy of the inventory: some 100 bytes a device
    "events": Patience(1, 3, 1),  # the adapter tries again itself
    "sns": Patience(1, 3, 2),
}
JOBS = Patience(1, 4, 1)
"""Limits for the job queues, whose sender retries by itself and has a minute at most."""
RENEWAL = Patience(1, 2, 1)
"""Limits for renewing a secret that the process holds already."""
_ANY = Patience(3, 10, 3, 4 * 1024 * 1024)


def client(service: str, patience: Patience | None = None) -> Any:
    """Return a client of this AWS service; region, credentials and endpoint come from the environment.

    Raises:
        ConfigurationError: they are not set, or not valid.
    """
    patience = patience or PATIENCE.get(service, _ANY)
    region = os.environ.get("AWS_REGION") or None  # all SDKs of AWS but boto3 read this variable
    try:
        made = boto3.client(service, region_name=region, config=_config(patience))  # type: ignore[call-overload]  # the name is a variable here
    except (BotoCoreError, ValueError) as error:
        text = str(error).rstrip(".")
        raise ConfigurationError(
            f"AWS can't be used: {text}; set AWS_REGION and credentials, or AWS_PROFILE"
        ) from None
    _limit(made, Limits(patience.answer_bytes, patience.answer_seconds))
    return made


def _config(patience: Patience) -> Config:
    return Config(
        connect_timeout=patience.connect_seconds,
        read_timeout=patience.answer_seconds,
        retries={"mode": "standard", "total_max_attempts": patience.tries},
        # A NAT gateway forgets a connection silently after 350 s idle; processes sleep between invocations.
        tcp_keepalive=True,
    )


def _limit(made: Any, limits: Limits) -> None:
    """Put the limits on the client's connections: botocore has none for a whole answer's time or size."""
    session = made._endpoint.http_session  # noqa: SLF001, no public way leads there
    pools = limited_pools(limits, AWSHTTPConnection, AWSHTTPSConnection)
    session._pool_classes_by_scheme = pools  # noqa: SLF001, as above; proxies are made with it
    session._manager.pool_classes_by_scheme = pools  # noqa: SLF001, as above
