"""Classify failures of a write: what each means for the lines that were being written."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from http.client import LineTooLong
from typing import Any

import msgspec
from influxdb_client.rest import ApiException
from urllib3 import exceptions

from netvitals.domain.errors import NetvitalsError
from netvitals.store.influx.connection import ForeignAnswer
from netvitals.store.influx.named_lines import quotation, shortened
from netvitals.store.outcome import Obstacle

_LONGEST_HEADER = 64


class Remedy(Enum):
    """Remedy for the lines of a request that failed."""

    RETRY = "retry"
    SPLIT = "split"
    """Smaller requests: this one is too large."""
    ISOLATE = "isolate"
    """Separate requests for the lines that are refused for their content; the others may have been
    written."""
    KEEP = "keep"
    """Later tries only: trying again at once does not help."""


class Fault(msgspec.Struct, frozen=True):
    """A failed request, and what it means for its lines."""

    remedy: Remedy
    obstacle: Obstacle
    detail: str
    retry_after: float | None = None
    """Seconds to wait, as InfluxDB asks for; None where it does not."""
    message: str = ""
    """The whole text of InfluxDB's answer, for `named_in`."""


_FOREIGN = "this is no answer of InfluxDB's; check its URL, and what stands between"


def fault_of(error: Exception) -> Fault:
    """Return the fault of a failure; the one place where failures are classified."""
    if isinstance(error, ApiException) and error.status:
        return _fault_of_answer(error, int(error.status))
    if isinstance(error, exceptions.MaxRetryError) and error.reason is not None:
        return fault_of(error.reason)
    if isinstance(error, exceptions.ProtocolError) and isinstance(error.args[-1], LineTooLong):
        return _LONG_HEADER
    if isinstance(error, ForeignAnswer):
        return Fault(Remedy.KEEP, Obstacle.SERVER, f"{_FOREIGN} ({error.status})")
    for kind, remedy, obstacle, text in _ERRORS:
        if isinstance(error, kind):
            return Fault(remedy, obstacle, text.format(error=shortened(error)))
    return Fault(Remedy.RETRY, Obstacle.UNREACHABLE, f"writing to InfluxDB failed: {type(error).__name__}")


_LONG_HEADER = Fault(
    # Version 1 repeats what it says of refused lines in a header, of which Python reads 64 KiB.
    Remedy.SPLIT,
    Obstacle.SERVER,
    "InfluxDB's answer has a header of more than 64 KiB",
)
_TLS = "TLS failed: {error}; check InfluxDB's URL and its certificate"
_URL = "InfluxDB's URL or token is malformed; check the secret"
_NOT_CONNECTED = "InfluxDB can't be connected to; check its URL, and the route and firewalls on the way"
_NO_ANSWER_IN_TIME = "InfluxDB did not answer in time"
_ERRORS: tuple[tuple[type[Exception], Remedy, Obstacle, str], ...] = (
    (ApiException, Remedy.KEEP, Obstacle.TLS, _TLS),  # without a status: the client met an SSLError
    (exceptions.SSLError, Remedy.KEEP, Obstacle.TLS, _TLS),
    (NetvitalsError, Remedy.KEEP, Obstacle.AUTH, "{error}"),
    (UnicodeError, Remedy.RETRY, Obstacle.SERVER, "InfluxDB's answer is no UTF-8"),
    (
        exceptions.NameResolutionError,
        Remedy.RETRY,
        Obstacle.UNREACHABLE,
        "InfluxDB's name does not resolve; check its URL",
    ),
    (exceptions.NewConnectionError, Remedy.RETRY, Obstacle.UNREACHABLE, _NOT_CONNECTED),
    (exceptions.TimeoutError, Remedy.RETRY, Obstacle.TIMEOUT, _NO_ANSWER_IN_TIME),
    (TimeoutError, Remedy.RETRY, Obstacle.TIMEOUT, _NO_ANSWER_IN_TIME),
    (exceptions.LocationValueError, Remedy.KEEP, Obstacle.AUTH, _URL),
    (exceptions.HTTPError, Remedy.RETRY, Obstacle.UNREACHABLE, "the connection to InfluxDB broke"),
    (ValueError, Remedy.KEEP, Obstacle.AUTH, _URL),
)
_ANSWERS = {
    400: (Remedy.ISOLATE, Obstacle.SERVER, "InfluxDB refuses lines"),
    401: (Remedy.KEEP, Obstacle.AUTH, "InfluxDB does not accept the token; check the secret"),
    403: (Remedy.KEEP, Obstacle.AUTH, "the token may not write to the bucket; check its permissions"),
    404: (Remedy.KEEP, Obstacle.BUCKET, "bucket or organisation not found; create it or check the secret"),
    408: (Remedy.RETRY, Obstacle.TIMEOUT, "InfluxDB gave up waiting for the request"),
    413: (Remedy.SPLIT, Obstacle.SERVER, "InfluxDB finds the request too large"),
    422: (Remedy.ISOLATE, Obstacle.SERVER, "InfluxDB refuses lines"),
    429: (Remedy.RETRY, Obstacle.THROTTLED, "InfluxDB limits the rate of writes"),
}


def _fault_of_answer(error: ApiException, status: int) -> Fault:
    body = str(error.body or "")
    document = _document(body)
    message = _message_of(document) if document is not None else ""
    if status in _ANSWERS:
        remedy, obstacle, text = _ANSWERS[status]
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        remedy, obstacle, text = Remedy.RETRY, Obstacle.SERVER, "InfluxDB is in trouble"
    else:
        remedy, obstacle, text = Remedy.KEEP, Obstacle.SERVER, _FOREIGN
    if remedy is Remedy.ISOLATE and not message:
        # A text that was cut is about more lines than it can name: fewer lines are sent at once.
        was_cut = document is None and body.startswith("{")
        remedy, text = (Remedy.SPLIT, text) if was_cut else (Remedy.KEEP, _FOREIGN)
    said = shortened(message or body or error.reason)
    return Fault(remedy, obstacle, f"{text} ({status}: {said})", _seconds(error.retry_after), message)


def _document(body: str) -> "_Error | None":
    try:
        return msgspec.json.decode(body, type=_Error)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _message_of(document: "_Error") -> str:
    """Return the texts of an error, one a line; empty where it is not in InfluxDB's form.

    Versions 1 and 3 say `{"error": …}`, version 2 `{"message": …}`, and version 3 adds an object for each
    refused line under `data`.
    """
    texts = [text for text in (document.message, document.error) if isinstance(text, str) and text]
    entries = document.data if texts and isinstance(document.data, list) else []
    return "\n".join([*texts, *filter(None, map(_entry_text, entries))])


class _Error(msgspec.Struct):
    message: Any = None
    error: Any = None
    data: Any = None


def _entry_text(entry: object) -> str | None:
    match entry:
        case {"original_line": str(line), "error_message": str(reason)}:
            return quotation(line, reason)
        case _:
            return None


def _seconds(retry_after: str | None) -> float | None:
    """Return the header's value, seconds or a date; None where it is neither."""
    if not retry_after or len(retry_after) > _LONGEST_HEADER:
        return None
    try:
        return max(0.0, min(float(retry_after), 86400.0))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
