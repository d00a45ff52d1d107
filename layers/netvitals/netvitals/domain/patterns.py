r"""Compile and search regular expressions that profiles and operators write, in texts that devices write.

They run on RE2, which does not backtrack: a search takes time in proportion to the text, whatever the
expression. Python's `re` took 17 ms for `(\d+)\s*C` on 1,024 digits, and longer than a poll for
`^(\w+\s?)+$` on thirty letters. The syntax is that of `re` without look-around, back-references and
possessive or atomic groups; RE2 refuses these, and the error says so. `\w` means letters and digits of all
scripts, as in `re`; `\b`, `\d` and `\s` are of ASCII's.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import re2

LONGEST_TEXT = 256
"""Characters of a text that are searched; what a device says in one line is shorter."""
LONGEST_PATTERN = 1000
_MAX_MEMORY_BYTES = 1 << 18
"""Memory of one compiled expression and its states; a search that needs more states is only slower."""
_WORD = r"\p{L}\p{N}_"
_TOKEN = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)|(\[\^?\]?)|(\])|(\{,\d+\})", re.DOTALL)
_CAUSES = {
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<": "look-behind",
    "(?>": "an atomic group",
    "(?P=": "a back-reference",
    "invalid escape sequence": "a back-reference or an unknown escape",
    "bad repetition operator": "a possessive or doubled quantifier",
}


class Pattern:
    """Searches texts for one compiled expression; the module says which syntax it takes."""

    __slots__ = ("_compiled", "groups")

    def __init__(self, expression: str, *, ignore_case: bool = False) -> None:
        """Compile the expression.

        Raises:
            ValueError: it is none, or uses what RE2 does not have.
        """
        if len(expression) > LONGEST_PATTERN:
            raise ValueError(f"the regular expression has more than {LONGEST_PATTERN} characters")
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MAX_MEMORY_BYTES
        options.case_sensitive = not ignore_case
        try:
            self._compiled = re2.compile(_translated(expression).encode(), options)
        except (re2.error, UnicodeEncodeError) as error:
            raise ValueError(_explained(expression, error)) from None
        self.groups: int = self._compiled.groups

    def found_in(self, text: str) -> bool:
        """Return whether the expression matches anywhere in the text's first `LONGEST_TEXT` characters."""
        return self._compiled.search(_searched(text)) is not None

    def first(self, text: str) -> str | None:
        """Return what the first group holds in the first match; None without a match or group."""
        return next(self.each(text), None)

    def each(self, text: str) -> Iterator[str]:
        """Yield what the first group holds in each match."""
        for match in self._compiled.finditer(_searched(text)):
            if match[1] is not None:
                yield match[1].decode(errors="replace")


@lru_cache(maxsize=512)
def compiled(expression: str, *, ignore_case: bool = False) -> Pattern:
    """Return the compiled expression; raises as `Pattern` does."""
    return Pattern(expression, ignore_case=ignore_case)


def _searched(text: str) -> bytes:
    return text[:LONGEST_TEXT].encode(errors="replace")


def _translated(expression: str) -> str:
    r"""Return the expression in RE2's spelling: `\w`, `\Z`, `\uXXXX` and `{,n}` differ."""
    in_class = False

    def spelled(token: re.Match[str]) -> str:
        nonlocal in_class
        short, long, escaped, opens, closes, up_to = token.groups()
        if short or long:
            return rf"\x{{{short or long}}}"
        if escaped:
            return _escape(escaped, in_class=in_class)
        if opens and not in_class:
            in_class = True
        elif closes:
            in_class = False
        elif up_to and not in_class:
            return "{0" + up_to[1:]
        return token[0]

    return _TOKEN.sub(spelled, expression)


def _escape(character: str, *, in_class: bool) -> str:
    if character == "w":
        return _WORD if in_class else f"[{_WORD}]"
    if character == "W" and not in_class:
        return f"[^{_WORD}]"
    return r"\z" if character == "Z" else f"\\{character}"


def _explained(expression: str, error: Exception) -> str:
    said = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else ""
    shown = expression if len(expression) <= 100 else expression[:99] + "…"  # noqa: PLR2004, a line of an error
    for sign, cause in _CAUSES.items():
        if sign in said:
            return (
                f"{shown!r} uses {cause}, which is not supported: expressions are searched in what devices "
                f"say, by an engine that can't be made to search for ever ({said})"
            )
    return f"{shown!r} is no regular expression{f': {said}' if said else ''}"
