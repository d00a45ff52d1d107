"""Make texts of devices, servers and files fit for a point, a log line, a table cell, a mail.

What comes from the network may hold escape sequences that a terminal obeys (OSC 52 sets the clipboard),
direction overrides that make a text read as another, and line breaks that forge a log line. Everything that
`str.isprintable` refuses is taken out here: control characters (C0, DEL, C1), format characters (the bidi
overrides U+202A-202E and isolates U+2066-2069, zero-width characters), line and paragraph separators, lone
surrogates, private and unassigned characters (Unicode's categories C and Z; the space itself stays).
"""

from typing import Any

ELLIPSIS = "…"
_LONGEST_QUOTED = 60
_MAX_DIGITS = 20
_SPARE = 4
"""Multiple of the limit that is read, as white space is squeezed; it bounds the time for any text."""


def printable(text: bytes | str, limit: int = 1024) -> str:
    """Return the text on one line of at most `limit` characters; bytes are read as UTF-8.

    Every run of white space and of characters that do not print becomes one space, at the ends none. A text
    that is cut ends in an ellipsis.
    """
    head = text[: _SPARE * limit]
    line = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
    if not line.isprintable():
        line = "".join(character if character.isprintable() else " " for character in line)
    line = " ".join(line.split())
    return cut(line + ELLIPSIS if len(head) < len(text) else line, limit)


def first_line(text: bytes | str, limit: int = 100) -> str:
    """Return the first line that is not blank, printable, of at most `limit` characters."""
    head = text[: _SPARE * 1024]
    decoded = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
    return next((line for each in decoded.splitlines() if (line := printable(each, limit))), "")


def quoted(value: Any, limit: int = _LONGEST_QUOTED) -> str:
    r"""Return a value as Python writes it, in which what does not print is escaped: `'a\x1b'`."""
    return cut(repr(value), limit)


def cut(text: str, limit: int) -> str:
    """Return the text, or its first characters and an ellipsis: `limit` characters in all."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def whole_number(text: str) -> int | None:
    """Return a number of 1 to 20 ASCII digits, as many as 2^64 has; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


_FORMULAS = ("=", "+", "-", "@")


def csv_cell(text: str) -> str:
    """Return a cell of CSV that no spreadsheet runs and no terminal obeys; `from_csv_cell` reads it.

    An apostrophe stands before what a spreadsheet would take for a formula, and before another one.
    """
    text = text if text.isprintable() else printable(text)
    return f"'{text}" if text.startswith((*_FORMULAS, "'")) else text


def from_csv_cell(text: str) -> str:
    """Return what `csv_cell` has made a cell of; any other text is as it was."""
    return text[1:] if text[:1] == "'" and text[1:2] in {*_FORMULAS, "'"} else text
