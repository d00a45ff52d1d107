"""Decode the connection URL of the database, as a secret or the environment holds it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.secret_document import Text, decode, is_url
from netvitals.domain.settings.section import Port


class _DatabaseUrl(msgspec.Struct, frozen=True):
    url: Secret


class _DatabaseParts(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of a URL, as RDS writes them into its secrets."""

    host: Text
    username: Text
    password: Secret
    port: Port = 5432
    dbname: Text = "postgres"

    def url(self) -> Secret:
        user, password, database = map(_percent_encoded, (self.username, self.password.reveal(), self.dbname))
        host = f"[{self.host}]" if ":" in self.host else self.host
        return Secret(f"postgresql://{user}:{password}@{host}:{self.port}/{database}")


def database_url(value: Mapping[str, Any], where: str) -> Secret:
    """Return the connection URL in `{"url"}`, or of `{"host", "port", "username", "password", "dbname"}`.

    Raises:
        ConfigurationError: names the key at fault, never its value.
    """
    if "url" not in value and "host" in value:
        return decode(value, _DatabaseParts, where).url()
    url = decode(value, _DatabaseUrl, where).url
    if not is_url(url.reveal(), ("postgres", "postgresql")):
        raise ConfigurationError(
            f"{where}: url is no postgresql:// address; a password's special characters are written as %XX"
        )
    return url


def _percent_encoded(text: str) -> str:
    return quote(text, safe="")
