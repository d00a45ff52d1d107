"""Find the lines that an answer of InfluxDB names, in time linear in the answer's length."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from netvitals.domain.text import printable
from netvitals.store.outcome import Refusal

MAX_REASON_CHARACTERS = 300
_QUOTES, _REASON = "unable to parse '", "': "
_NUMBERED = re.compile(r"\bline (\d{1,7})(?!\d)")
_DROPPED = re.compile(r"\bdropped=(\d{1,7})(?!\d)")


class Named(msgspec.Struct, frozen=True):
    """Lines that an answer names, and the rest; each line is in one of the lists."""

    refused: list[Refusal]
    """Lines that are quoted in full, each with its reason, or all lines where as many were dropped."""
    suspects: list[str]
    """Lines that are only numbered, to be sent separately."""
    rest: list[str]


def named_in(message: str, lines: Sequence[str]) -> Named:
    """Return which of the lines the text of a 400 or 422 names.

    InfluxDB 1 and 2 quote what they can't parse and count what they drop; 3 numbers the lines from 1.
    """
    dropped = _DROPPED.findall(message)
    if dropped and int(dropped[-1]) == len(lines):
        reason = shortened(message)
        return Named([Refusal(line, reason) for line in lines], [], [])
    reasons = dict(_quoted(message))
    numbers = {int(number) - 1 for number in _NUMBERED.findall(message)}
    refused = [Refusal(line, reasons[line]) for line in lines if line in reasons]
    suspects = [line for n, line in enumerate(lines) if n in numbers and line not in reasons]
    rest = [line for n, line in enumerate(lines) if n not in numbers and line not in reasons]
    return Named(refused, suspects, rest)


def quotation(line: str, reason: str) -> str:
    """Return the words with which versions 1 and 2 refuse a line."""
    return f"{_QUOTES}{line}{_REASON}{reason}"


def shortened(said: object) -> str:
    """Return the text on one line, shortened."""
    return printable(str(said), MAX_REASON_CHARACTERS)


def _quoted(message: str) -> Iterator[tuple[str, str]]:
    """Yield quoted lines with their reasons; a line that itself contains the quoting words is not found."""
    for piece in message.split(_QUOTES)[1:]:
        line, found, rest = piece.partition(_REASON)
        if found:
            yield line, shortened(rest.partition("\n")[0].partition(" dropped=")[0])
