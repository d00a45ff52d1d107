"""Parse a span of time in an option: `90s`, `15m`, `6h`, `1d`, `2w`."""

import re

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_FORM = re.compile(r"(\d{1,7})\s?([smhdw])(?:in|ec|ours?|ays?|eeks?)?")
LONGEST_SECONDS = 400 * 86_400


class TimeSpan(click.ParamType[int]):
    """Converts a span of time to seconds."""

    name = "SPAN"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds; see `click.ParamType`."""
        if isinstance(value, int):
            return value
        found = _FORM.fullmatch(value.strip().lower())
        if found is None:
            self.fail(f"{value!r} is no span of time: write 90s, 15m, 6h, 1d or 2w", param, ctx)
        seconds = int(found[1]) * _UNITS[found[2]]
        if not 0 < seconds <= LONGEST_SECONDS:
            self.fail(f"{value!r} is out of range: 1s to 400d", param, ctx)
        return seconds
