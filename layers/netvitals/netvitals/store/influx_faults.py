"""What an error of InfluxDB's client means for the lines that were being written."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from http.client import LineTooLong

import msgspec
from influxdb_client.rest import ApiException
from urllib3 import exceptions

from netvitals.domain.errors import NetvitalsError
from netvitals.domain.text import printable
from netvitals.store.outcome import Obstacle, Refusal

MAX_DETAIL = 300


class Remedy(Enum):
    RETRY = "retry"
    SPLIT = "split"
    """The request is too large."""
    ISOLATE = "isolate"
    """Some lines are refused for what they say; the others may have been written."""
    KEEP = "keep"
    """Trying again at once does not help."""


class Fault(msgspec.Struct, frozen=True):
    remedy: Remedy
    obstacle: Obstacle
    detail: str
    retry_after: float | None = None
    """Seconds that InfluxDB asks to wait."""
    message: str = ""
    """All that InfluxDB says, for `named_in`."""


def fault_of(error: Exception) -> Fault:
    """The one place where failures are told apart."""
    if isinstance(error, ApiException) and error.status:
        return _fault_of_answer(error, int(error.status))
    if isinstance(error, exceptions.MaxRetryError) and error.reason is not None:
        return fault_of(error.reason)
    if isinstance(error, exceptions.ProtocolError) and isinstance(error.args[-1], LineTooLong):
        return _LONG_HEADER
    for kind, remedy, obstacle, text in _ERRORS:
        if isinstance(error, kind):
            return Fault(remedy, obstacle, text.format(error=_shortened(error)))
    return Fault(Remedy.RETRY, Obstacle.UNREACHABLE, f"writing to InfluxDB failed: {type(error).__name__}")


_LONG_HEADER = Fault(
    # Version 1 repeats what it says of refused lines in a header, of which Python reads 64 KiB.
    Remedy.SPLIT,
    Obstacle.SERVER,
    "InfluxDB's answer has a header of more than 64 KiB",
)
_TLS = "TLS failed: {error}; check InfluxDB's URL and its certificate"
_URL = "InfluxDB's URL or token is malformed; check the secret"
_DEAF = "InfluxDB can't be connected to; check its URL, and the route and firewalls on the way"
_LATE = "InfluxDB did not answer in time"
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
    (exceptions.NewConnectionError, Remedy.RETRY, Obstacle.UNREACHABLE, _DEAF),
    (exceptions.TimeoutError, Remedy.RETRY, Obstacle.TIMEOUT, _LATE),
    (TimeoutError, Remedy.RETRY, Obstacle.TIMEOUT, _LATE),
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
    if status in _ANSWERS:
        remedy, obstacle, text = _ANSWERS[status]
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        remedy, obstacle, text = Remedy.RETRY, Obstacle.SERVER, "InfluxDB is in trouble"
    else:
        remedy, obstacle, text = Remedy.KEEP, Obstacle.SERVER, "no answer of InfluxDB's; check its URL"
    message = _message_of(error)
    said = _shortened(message or error.reason)
    return Fault(remedy, obstacle, f"{text} ({status}: {said})", _seconds(error.retry_after), message)


def _shortened(said: object) -> str:
    return printable(str(said), MAX_DETAIL)


def _seconds(retry_after: str | None) -> float | None:
    """The header's value, seconds or a date; None where it is neither."""
    if not retry_after:
        return None
    try:
        return max(0.0, min(float(retry_after), 86400.0))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


class Named(msgspec.Struct, frozen=True):
    """What an answer says about single lines."""

    refused: list[Refusal]
    """Quoted in full, each with its own reason."""
    suspects: list[str]
    """Only numbered: to be tried apart."""
    rest: list[str]


_QUOTED = re.compile(r"unable to parse '(.*?)': (.*?)(?= dropped=|$)", re.MULTILINE)
_NUMBERED = re.compile(r"\bline (\d+)")
_DROPPED = re.compile(r"field type conflict.*dropped=(\d+)", re.DOTALL)


def named_in(message: str, lines: Sequence[str]) -> Named:
    """Which of the lines the text of a 400 or 422 names.

    InfluxDB 1 and 2 quote what they can't parse and count what they drop; 3 numbers the lines from 1.
    """
    dropped = _DROPPED.search(message)
    if dropped and int(dropped[1]) == len(lines):
        return Named([Refusal(line, _shortened(message)) for line in lines], [], [])
    reasons = {quoted: _shortened(reason) for quoted, reason in _QUOTED.findall(message)}
    numbers = {int(number) - 1 for number in _NUMBERED.findall(message)}
    refused = [Refusal(line, reasons[line]) for line in lines if line in reasons]
    suspects = [line for n, line in enumerate(lines) if n in numbers and line not in reasons]
    rest = [line for n, line in enumerate(lines) if n not in numbers and line not in reasons]
    return Named(refused, suspects, rest)


def _message_of(error: ApiException) -> str:
    try:
        return "\n".join(_texts(msgspec.json.decode(error.body or "")))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return str(error.body or "")


def _texts(document: object) -> list[str]:
    """The texts of an error; version 3 adds an object for each refused line under `data`."""
    match document:
        case {"original_line": str(line), "error_message": str(reason)}:
            return [f"unable to parse '{line}': {reason}"]
        case dict():
            own = [str(document[key]) for key in ("message", "error") if key in document]
            return own + _texts(document.get("data"))
        case list():
            return [text for entry in document for text in _texts(entry)]
        case _:
            return []
