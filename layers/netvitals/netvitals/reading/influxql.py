"""Query InfluxDB in InfluxQL over `/query`, which versions 1.8, 2 and 3 answer alike.

Version 2 maps a database of the bucket's name to the bucket (`influx v1 dbrp create` where it does not);
Flux is answered by version 2 alone, SQL by version 3 alone. docs.influxdata.com: influxdb/v2 "Query with the
InfluxDB v1 API", influxdb3 "Use InfluxQL to query data".
"""

import re
import ssl
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as RequestTimeout

from netvitals.bounded_http import Limits, limited_pools
from netvitals.domain.errors import Unavailable
from netvitals.domain.text import printable
from netvitals.store.access import InfluxAccess
from netvitals.store.line_protocol import tag_value

PATIENCE_SECONDS = 20.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Limit of one statement's answer: that of 10,000 devices with five instances each has 8 MB."""
_LONGEST_REASON = 200
_UNSAFE = re.compile(r"([!-,./:-@\[-^`{-~ ])")
_REMEDIES = {
    401: "check the token",
    403: "the token must be allowed to read the bucket",
    404: "check the bucket; InfluxDB 2 needs a mapping: influx v1 dbrp create --db BUCKET --rp autogen"
    " --default --bucket-id ID",
}


class Series(msgspec.Struct, frozen=True):
    """The rows of one group, in the order of time unless the statement says otherwise."""

    columns: list[str]
    values: list[list[Any]]
    tags: dict[str, str] = {}


class _Result(msgspec.Struct):
    series: list[Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""
    message: str = ""


class InfluxQuery:
    """Queries one bucket; threads may share it.

    No proxy of the environment is used and no redirect followed: the token goes to the URL's host alone.
    """

    def __init__(
        self,
        access: Callable[[], InfluxAccess],
        *,
        seconds: float = PATIENCE_SECONDS,
        ca_file: str | None = None,
    ) -> None:
        self._access, self._seconds = access, seconds
        self._pools = PoolManager(
            retries=False, timeout=seconds, maxsize=4, ssl_context=ssl.create_default_context(cafile=ca_file)
        )
        self._pools.pool_classes_by_scheme = limited_pools(Limits(MAX_ANSWER_BYTES, seconds))
        self._turn = threading.BoundedSemaphore(4)

    def series(self, statement: str) -> list[Series]:
        """Return the series that a statement gives, times in nanoseconds.

        Raises:
            Unavailable: InfluxDB does not answer; the text names it, the cause and the remedy.
            ConfigurationError: it is not configured.
        """
        access = self._access()
        status, body = self._asked(access, statement)
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise _unavailable(access, f"{status}: this is no answer of InfluxDB's; check its URL") from None
        said = answer.error or answer.message or next((r.error for r in answer.results if r.error), "")
        if status != HTTPStatus.OK or said or not answer.results:
            remedy = _REMEDIES.get(status, "")
            raise _unavailable(access, f"{status} {said}" + (f"; {remedy}" if remedy else ""))
        return [series for result in answer.results for series in result.series]

    def _asked(self, access: InfluxAccess, statement: str) -> tuple[int, bytes]:
        asked = urlencode({"db": access.bucket, "epoch": "ns", "q": statement})
        headers = {
            "Authorization": f"Token {access.token.reveal().strip()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        try:
            with self._turn:
                answer = self._pools.request(
                    "POST", f"{access.url.rstrip('/')}/query", body=asked, headers=headers, redirect=False
                )
        except (HTTPError, OSError, ValueError) as error:
            cause = f"no answer within {self._seconds:g} s" if _is_timeout(error) else "can't be reached"
            raise _unavailable(
                access, f"{cause} ({type(error).__name__}); check its URL, and what stands between"
            ) from None
        return answer.status, answer.data


def _is_timeout(error: Exception) -> bool:
    """Return whether time ran out; urllib3's ProtocolError has the socket's error among its arguments."""
    if isinstance(error, NewConnectionError):  # a refusal, which urllib3 derives from a timeout
        return False
    return any(isinstance(each, TimeoutError | RequestTimeout) for each in (error, *error.args))


def text(value: str) -> str:
    """Return a text as a literal of InfluxQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def any_of(values: Iterable[str]) -> str:
    """Return a regular expression that matches these texts whole, and no other."""
    return "/^(" + "|".join(_UNSAFE.sub(r"\\\1", value) for value in values) + ")$/"


def stored_tag(value: str) -> str:
    """Return a text as a tag holds it: `line_protocol.tag_value` without the line's own escapes."""
    return tag_value(value).replace("\\", "")


def _unavailable(access: InfluxAccess, cause: str) -> Unavailable:
    shown = printable(cause.replace(access.token.reveal().strip(), "…"), _LONGEST_REASON)
    return Unavailable(f"InfluxDB {access.url}: {shown}")
