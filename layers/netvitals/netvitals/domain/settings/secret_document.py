"""Decode what a secret holds: a JSON object whose keys open a service."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.settings.secret import decode_secret

Text = Annotated[str, Meta(min_length=1)]
_URL_CHARACTERS = re.compile(r"(?:[!$&-;=?-Z_a-z~\[\]]|%[0-9A-Fa-f]{2})+")


def decode[T](value: Mapping[str, Any], wanted: type[T], where: str) -> T:
    """Return the object as the type `wanted`; `where` is what an error calls it.

    Raises:
        ConfigurationError: names the key at fault, never its value.
    """
    try:
        return msgspec.convert(value, wanted, strict=False, dec_hook=decode_secret)
    except (msgspec.ValidationError, NotImplementedError) as error:
        raise ConfigurationError(f"{where}: {error}") from None


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Return whether the text is a complete address of one of the schemes.

    Strict, because libpq and urllib3 print addresses that they can't read, passwords included.
    """
    try:
        parts = urlsplit(text)
        sound = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return sound and parts.scheme in schemes and _URL_CHARACTERS.fullmatch(text) is not None
