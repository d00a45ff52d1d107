"""Decode the address and token of InfluxDB, as a secret or the environment holds them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.secret_document import Text, decode, is_url

DEFAULT_BUCKET = "network_metrics"


class InfluxAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Address and token of the InfluxDB for points. Unknown keys of the secret are ignored."""

    url: Text
    token: Secret
    org: Text
    bucket: Text = DEFAULT_BUCKET

    def __post_init__(self) -> None:
        if not is_url(self.url, ("http", "https")):
            raise ValueError("url is no http:// or https:// address")
        if not self.token.reveal().strip().isprintable() or not self.token.reveal().strip():
            raise ValueError("token is empty or holds control characters")


def influx_access(value: Mapping[str, Any], where: str) -> InfluxAccess:
    """Return the access in `{"url", "token", "org", "bucket"}`; `where` is what an error calls it.

    Raises:
        ConfigurationError: names the key at fault, never its value.
    """
    return decode(value, InfluxAccess, where)
