"""Make boto3 clients that give up in time for the invocation to tell, whatever answers in AWS's place."""

import os
from typing import Any, NamedTuple

import boto3
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from netvitals.bounded_http import Limits, limited_pools
from netvitals.domain.errors import ConfigurationError


class Patience(NamedTuple):
    """Limit the time of one call: `tries` times the seconds, and a pause of less than one between two."""

    connect_seconds: float
    """For an address to accept, and then for TLS."""
    answer_seconds: float
    """From the request's first byte to the answer's last."""
    tries: int
    answer_bytes: int = 512 * 1024
    """A secret of 64 KiB fits, escaped; what is larger is refused."""


PATIENCE = {
    "secretsmanager": Patience(1, 3, 2),
    "ssm": Patience(1, 3, 2),
    "sqs": Patience(1, 4, 2, 4 * 1024 * 1024),  # ten messages of 256 KiB, escaped
    "s3": Patience(1, 10, 1, 64 * 1024 * 1024),  # a copy of the inventory: some 100 bytes a device
    "events": Patience(1, 3, 1),  # the adapter tries again itself
    "sns": Patience(1, 3, 2),
}
JOBS = Patience(1, 4, 1)
"""For the job queues, whose sender tries again itself and has a minute at most."""
RENEWAL = Patience(1, 2, 1)
"""For what is in use already and would only be newer."""
_ANY = Patience(3, 10, 3, 4 * 1024 * 1024)


def client(service: str, patience: Patience | None = None) -> Any:
    """Return a client of this AWS service; region, credentials and endpoint come from the environment.

    Raises:
        ConfigurationError: they are not set, or are none.
    """
    patience = patience or PATIENCE.get(service, _ANY)
    region = os.environ.get("AWS_REGION") or None  # every other SDK of AWS reads it, boto3 does not
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
    """Put the limits on the client's connections: botocore knows none for a whole answer's time or size."""
    session = made._endpoint.http_session  # noqa: SLF001, no public way leads there
    pools = limited_pools(limits, AWSHTTPConnection, AWSHTTPSConnection)
    session._pool_classes_by_scheme = pools  # noqa: SLF001, as above; proxies are made with it
    session._manager.pool_classes_by_scheme = pools  # noqa: SLF001, as above
