"""Spans of time in options."""

import click
import pytest

from netvitals.cli.time_span import TimeSpan


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("6h", 21_600), ("1d12h", 129_600), ("2w", 1_209_600), ("400d", 34_560_000)],
)
def test_a_span_is_the_sum_of_its_parts(text: str, seconds: int) -> None:
    assert TimeSpan().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text", ["", "6", "h", "3dours", "6 hours", "-1h", "1h-", "\u0661h", "0s", "401d", "9" * 400 + "s"]
)
def test_what_is_no_span_or_too_long_a_one_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"no span of time|out of range"):
        TimeSpan().convert(text, None, None)
