"""Take secrets out of texts that a device has a part in: it may repeat what it was given.

A login shell that takes the password for a command says `CANARY: not found`; a web server quotes the
`Authorization` header. What they say becomes a poll's `detail`, and that is logged, stored and printed.
"""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import msgspec

from netvitals.domain.settings.secret import Secret
from netvitals.domain.text import ELLIPSIS, printable

REDACTED = "[secret]"
SHORTEST = 4
"""Characters of a secret that is taken out anywhere; a shorter one occurs in any text, and only goes as a
whole word."""
_SHORTEST_LINE = 16
"""Characters of a line of a private key that is worth taking out."""
_LEFT_IN_URLS = ("", "/", "!'()*", "!$&'()*+,;=:@/")
"""Sets of characters that one program or another does not escape in a path or a query (RFC 3986, 2.2)."""
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]+")


class _Forms(NamedTuple):
    """A secret as it may stand in a text, regardless of case."""

    plain: re.Pattern[str]
    encoded: re.Pattern[str] | None
    """Base64 of texts that contain the secret, as `user:password` does."""
    whole: tuple[str, ...]
    """Forms in lower case, for texts that were cut within one."""


def without_secrets(text: str, part: msgspec.Struct) -> str:
    """Return the text without a credential's secrets: whole, quoted, URL-, HTML-, hex- or base64-encoded.

    The beginning of one before an ellipsis, where a text was cut, is taken out as well.
    """
    if not text:
        return text
    for secret in secrets_of(part):
        text = _without(text, _forms(secret))
    return text


def secrets_of(part: msgspec.Struct) -> Iterator[Secret]:
    """Yield the secrets among the fields of a part of a credential."""
    values = (getattr(part, field) for field in part.__struct_fields__)
    return (value for value in values if isinstance(value, Secret))


def _without(text: str, forms: _Forms) -> str:
    encoded = forms.encoded
    if encoded is not None:
        text = _BASE64.sub(lambda run: REDACTED if encoded.search(run[0]) else run[0], text)
    *heads, last = forms.plain.sub(REDACTED, text).split(ELLIPSIS)
    return ELLIPSIS.join([*(_without_beginning(head, forms.whole) for head in heads), last])


def _without_beginning(head: str, whole: tuple[str, ...]) -> str:
    """Return a text that was cut, without the beginning of a secret at its end."""
    lower = head.lower()
    for form in whole:
        for length in range(min(len(form), len(head)), SHORTEST - 1, -1):
            if lower.endswith(form[:length]):
                return head[:-length] + REDACTED
    return head


@lru_cache(maxsize=1024)
def _forms(secret: Secret) -> _Forms:
    text = secret.reveal().strip()
    lines = [line for line in text.splitlines() if len(line) >= _SHORTEST_LINE]
    texts = lines if "\n" in text else [text]
    plain = dict.fromkeys(form for each in texts for form in _spelled(each) if form)
    long = sorted((form for form in plain if len(form) >= SHORTEST), key=len, reverse=True)
    words = [rf"(?<!\w){re.escape(form)}(?!\w)" for form in plain if len(form) < SHORTEST]
    encoded = dict.fromkeys(core for each in texts[:1] for core in _cores(each))
    return _Forms(
        _any_of([*map(re.escape, long), *words]) or re.compile(r"(?!)"),
        _any_of([re.escape(core) for core in encoded]),
        tuple(form.lower() for form in long),
    )


def _any_of(patterns: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _spelled(text: str) -> Iterator[str]:
    """Yield the text as programs write it."""
    yield text
    yield printable(text)
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield from (quote(text, safe=safe) for safe in _LEFT_IN_URLS)
    yield quote_plus(text)
    yield text.encode(errors="surrogatepass").hex()


def _cores(text: str) -> Iterator[str]:
    """Yield what base64 of anything around the text has in common, by where in a group of 3 it begins."""
    for encoding in ("utf-8", "utf-16-le"):
        raw = text.encode(encoding, errors="surrogatepass")
        for place, skipped in enumerate((0, 2, 3)):
            whole = b64encode(bytes(place) + raw).decode().rstrip("=")
            core = whole[skipped : -1 if (place + len(raw)) % 3 else None]
            if len(core) >= SHORTEST:
                yield core
                yield core.replace("+", "-").replace("/", "_")
