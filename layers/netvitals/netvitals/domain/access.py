"""What opens InfluxDB and the database, as a secret or the environment holds it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.policy import Port
from netvitals.domain.secret import Secret, decode_secret

DEFAULT_BUCKET = "network_metrics"
_URL_CHARACTERS = re.compile(r"(?:[!$&-;=?-Z_a-z~\[\]]|%[0-9A-Fa-f]{2})+")
_Text = Annotated[str, Meta(min_length=1)]


class InfluxAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Where points are written, and with which token. Keys that are not known are left alone."""

    url: _Text
    token: Secret
    org: _Text
    bucket: _Text = DEFAULT_BUCKET

    def __post_init__(self) -> None:
        if not _is_url(self.url, ("http", "https")):
            raise ValueError("url is no http:// or https:// address")
        if not self.token.reveal().strip().isprintable() or not self.token.reveal().strip():
            raise ValueError("token is empty or holds control characters")


class _DatabaseUrl(msgspec.Struct, frozen=True):
    url: Secret


class _DatabaseParts(msgspec.Struct, frozen=True, kw_only=True):
    """As RDS writes it into its secrets."""

    host: _Text
    username: _Text
    password: Secret
    port: Port = 5432
    dbname: _Text = "postgres"

    def url(self) -> Secret:
        user, password, database = map(_quoted, (self.username, self.password.reveal(), self.dbname))
        host = f"[{self.host}]" if ":" in self.host else self.host
        return Secret(f"postgresql://{user}:{password}@{host}:{self.port}/{database}")


def influx_access(value: Mapping[str, Any], where: str) -> InfluxAccess:
    """What `{"url", "token", "org", "bucket"}` opens; `where` is what an error calls it.

    Raises:
        ConfigurationError: names the key at fault, never its value.
    """
    return _convert(value, InfluxAccess, where)


def database_url(value: Mapping[str, Any], where: str) -> Secret:
    """The connection URL in `{"url"}`, or of `{"host", "port", "username", "password", "dbname"}`.

    Raises:
        ConfigurationError: names the key at fault, never its value.
    """
    if "url" not in value and "host" in value:
        return _convert(value, _DatabaseParts, where).url()
    url = _convert(value, _DatabaseUrl, where).url
    if not _is_url(url.reveal(), ("postgres", "postgresql")):
        raise ConfigurationError(
            f"{where}: url is no postgresql:// address; a password's special characters are written as %XX"
        )
    return url


def _convert[T](value: Mapping[str, Any], wanted: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, wanted, strict=False, dec_hook=decode_secret)
    except (msgspec.ValidationError, NotImplementedError) as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Strict, because libpq and urllib3 print addresses that they can't read, passwords included."""
    try:
        parts = urlsplit(text)
        sound = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return sound and parts.scheme in schemes and _URL_CHARACTERS.fullmatch(text) is not None


def _quoted(text: str) -> str:
    return quote(text, safe="")
