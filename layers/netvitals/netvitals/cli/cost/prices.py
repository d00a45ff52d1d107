"""Read the list prices and quotas that a fleet's cost is computed from."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from netvitals.adapters.files.configuration_document import document_in_file
from netvitals.domain.errors import ConfigurationError

Price = Annotated[float, Meta(ge=0)]
Quota = Annotated[float, Meta(gt=0)]
PACKAGED = Path(__file__).with_name("prices.yaml")


class Quotas(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Default quotas of an account."""

    influxdb_mb_per_5_minutes: Quota
    """MB of line protocol before compression."""
    influxdb_series: Quota
    lambda_concurrency: Quota
    sqs_in_flight: Quota
    """Messages of one queue that are received and not deleted."""


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices in US$; `prices.yaml` says what each is for."""

    date: str
    region: str
    lambda_gb_second: Price
    lambda_request: Price
    sqs_request: Price
    scheduler_invocation: Price
    event: Price
    s3_put: Price
    nat_gateway_hour: Price
    nat_gateway_gb: Price
    nat_instance_hour: Price
    public_ipv4_hour: Price
    endpoint_hour: Price
    endpoint_gb: Price
    zone_gb: Price
    egress_gb: Price
    metric_month: Price
    alarm_month: Price
    dashboard_month: Price
    log_gb: Price
    log_storage_gb_month: Price
    secret_month: Price
    secret_read: Price
    influxdb_mb_in: Price
    quotas: Quotas


def prices_in(path: Path = PACKAGED) -> Prices:
    """Return the prices in a YAML or JSON file.

    Raises:
        ConfigurationError: it can't be read, a price is missing or none, or one is not known.
    """
    document = document_in_file(str(path))
    try:
        return msgspec.convert(document, Prices)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"{path}: {error}; begin with what `netvitals cost --show-prices` prints, and change prices in it"
        ) from None
