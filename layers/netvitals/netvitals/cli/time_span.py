"""Parse a span of time in an option: `90s`, `15m`, `6h`, `1d12h`, `2w`."""

import re

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PARTS = re.compile(r"([0-9]{1,7})([smhdw])")
_FORM = re.compile(rf"(?:{_PARTS.pattern})+")
LONGEST_SECONDS = 400 * 86_400


class TimeSpan(click.ParamType[int]):
    """Converts a span of time to seconds."""

    name = "SPAN"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds; see `click.ParamType`."""
        if isinstance(value, int):
            return value
        if not _FORM.fullmatch(value):
            self.fail(f"{value[:80]!r} is no span of time: write 90s, 15m, 6h, 1d12h or 2w", param, ctx)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in _PARTS.findall(value))
        if not 0 < seconds <= LONGEST_SECONDS:
            self.fail(f"{value[:80]!r} is out of range: 1s to 400d", param, ctx)
        return seconds
