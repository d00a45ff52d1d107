"""Line protocol as the demo's store reads it: strict, and with InfluxDB's words for what is wrong."""

import re
from typing import NamedTuple

type Value = float | int | bool | str


class Row(NamedTuple):
    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    time: int | None
    """In the request's precision; None where the line gives none."""


class Malformed(ValueError):
    """A line that InfluxDB would not take."""


# The groups are atomic: a backslash that escapes is never read again as a character of its own.
_MEASUREMENT = re.compile(r"(?>\\[, ]|[^, ])++")
_TAG = re.compile(r",((?>\\[,= ]|[^,= ])*+)=?((?>\\[,= ]|[^,= ])*+)(?=[, ])")
_FIELD = re.compile(r'((?>\\[,= ]|[^,= ])++)=("(?>\\.|[^"\\])*+"|[^", ][^, ]*+)(?=[, ]|$)')
_TIME = re.compile(r" *(-?\d{1,19})? *$")
_INTEGER = re.compile(r"-?\d{1,19}i")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORDS = {
    word: word[0] in "tT" for word in ("t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE")
}


def read_line(line: str) -> Row:
    """Parse one line.

    Raises:
        Malformed: it is no line protocol.
    """
    measurement = _MEASUREMENT.match(line)
    if measurement is None:
        raise Malformed("missing measurement")
    tags, position = _tags(line, measurement.end())
    if line[position : position + 1] != " ":
        raise Malformed("missing fields")
    fields, position = _fields(line, position + 1)
    time = _TIME.match(line, position)
    if time is None:
        raise Malformed("bad timestamp")
    return Row(_plain(measurement[0]), tags, fields, int(time[1]) if time[1] else None)


def _tags(line: str, position: int) -> tuple[dict[str, str], int]:
    tags: dict[str, str] = {}
    while match := _TAG.match(line, position):
        key, value = _plain(match[1]), _plain(match[2])
        if not key or not value:
            raise Malformed("missing tag value" if key else "missing tag key")
        if key in tags:
            raise Malformed("duplicate tags")
        tags[key] = value
        position = match.end()
    return tags, position


def _fields(line: str, position: int) -> tuple[dict[str, Value], int]:
    fields: dict[str, Value] = {}
    while match := _FIELD.match(line, position):
        fields[_plain(match[1])] = _value(match[2])
        position = match.end()
        if line[position : position + 1] != ",":
            return fields, position
        position += 1
    raise Malformed("invalid field format" if line[position:].strip() else "missing fields")


def _value(text: str) -> Value:
    if text.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and -(2**63) <= int(text[:-1]) < 2**63:
        return int(text[:-1])
    if _FLOAT.fullmatch(text) and abs(float(text)) != float("inf"):
        return float(text)
    raise Malformed("invalid number")


def _plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)
