"""Request JSON from another system's API, with a token that is sent to no other host."""

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from netvitals.bounded_http import Limits, limited_pools
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.secret import Secret
from netvitals.domain.text import first_line

MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""Largest answer; LibreNMS returns all devices at once, with some 3 KB each."""
_SECONDS = 120.0
_REFUSED = (401, 403)
_OK = 200


class JsonApi:
    """Calls one system at one URL; a redirect is an error, so that the token is sent nowhere else."""

    def __init__(self, system: str, url: str, headers: Mapping[str, Secret]) -> None:
        self._system = system
        self._url = url.rstrip("/")
        self._headers = headers
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=10, read=60),
            retries=False,
            ssl_context=ssl.create_default_context(),
        )
        self._pool.pool_classes_by_scheme = limited_pools(Limits(MAX_ANSWER_BYTES, _SECONDS))

    def get(self, path: str) -> Any:
        """Return the decoded answer to a GET of a path, or of a URL's path and query.

        Raises:
            Unavailable: there was no complete answer, or it is not this system's.
        """
        parts = urlsplit(path)
        # One slash, or it would go on with the host's name: https://netbox.example.net@other.example.net
        return self._ask("GET", urlunsplit(("", "", f"/{parts.path.lstrip('/')}", parts.query, "")))

    def post(self, path: str, body: Any) -> Any:
        """Return the decoded answer to a POST of a document; raises as `get` does."""
        return self._ask("POST", path, msgspec.json.encode(body))

    def path_of(self, path: str) -> str:
        """Return a path below the URL's own, such as /netbox/api/… for https://host/netbox."""
        return urlsplit(self._url).path + path

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        parts = urlsplit(self._url)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        headers["Accept-Encoding"] = "identity"  # so that the limit holds for the content, too
        headers |= {name: secret.reveal() for name, secret in self._headers.items()}
        try:
            answer = self._pool.request(
                method,
                f"{parts.scheme}://{parts.netloc}{path}",
                headers=headers,
                body=body,
                redirect=False,
                decode_content=False,
            )
            status, data = answer.status, answer.data
        except (HTTPError, OSError) as error:
            raise self.unavailable(f"gave no whole answer: {_cause(error)}") from None
        except ValueError:  # its text quotes the header, which holds the token
            raise self.unavailable("can't be asked: check the URL and the token") from None
        if status in _REFUSED:
            raise self.unavailable(
                f"refuses the token (HTTP {status}): check it, and what its owner may read"
            )
        if status != _OK:
            raise self.unavailable(f"answers {path.partition('?')[0]} with HTTP {status}: check the URL")
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self.unavailable(f"answers with what is no JSON: {first_line(data, 60)!r}") from None

    def unavailable(self, cause: str) -> Unavailable:
        """Return an Unavailable with this cause; the token, which an answer may repeat, is cut out."""
        for secret in self._headers.values():
            cause = cause.replace(secret.reveal().rpartition(" ")[2], "…")
        return Unavailable(f"{self._system} at {self._url} {cause}; nothing was changed")


def _cause(error: Exception) -> str:
    """Return the innermost cause, which says what happened, and quotes no header."""
    while (inner := error.__cause__ or error.__context__) is not None and isinstance(inner, Exception):
        error = inner
    return first_line(f"{type(error).__name__}: {error}", 200)
