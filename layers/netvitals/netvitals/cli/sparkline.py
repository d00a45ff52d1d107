"""Draw values as a line of block characters, one for each part of a span of time."""

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = " "


def sparkline(
    values: Sequence[float | None], *, lowest: float | None = None, highest: float | None = None
) -> str:
    """Return a block for each value, scaled between the bounds (default: the values'); a space for None."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low = min(known) if lowest is None else lowest
    high = max(known) if highest is None else highest
    return "".join(_GAP if value is None else _block(value, low, high) for value in values)


def parts(samples: Sequence[tuple[int, float]], since: float, until: float, count: int) -> list[float | None]:
    """Return the highest value of each of `count` equal parts of the seconds from `since` to `until`."""
    highest: list[float | None] = [None] * count
    for at, value in samples:
        part = min(count - 1, max(0, int((at / 1e9 - since) / (until - since) * count)))
        known = highest[part]
        highest[part] = value if known is None else max(value, known)
    return highest


def _block(value: float, low: float, high: float) -> str:
    share = (value - low) / (high - low) if high > low else 0.0
    return _BLOCKS[min(len(_BLOCKS) - 1, max(0, int(share * len(_BLOCKS))))]
