"""A point's names, which a device chooses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvitals.domain.polling.instances import admitted
from netvitals.domain.polling.point import Point, with_printable_names
from netvitals.usecases.turns import at_once

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("/mnt/a disk", "/mnt/a disk"),
        ("two  spaces ", "two  spaces "),
        ("/\x1b[2J\x1b]52;c;cHduZWQ=\x07", "/ [2J ]52;c;cHduZWQ="),
        ("eth0\x9b31m", "eth0 31m"),
        ("a\u202eb", "a b"),
        ("a\tb", "a b"),
        ("\x00\x01", "?"),
        ("", ""),
    ],
)
def test_what_does_not_print_is_taken_out_of_names(said: str, kept: str) -> None:
    point = with_printable_names(Point("net_bytes_in", 1, 1, instance=said, alias=said))
    assert (point.instance, point.alias) == (kept, kept.removeprefix("?"))


@given(ANY_TEXT, ANY_TEXT)
def test_no_point_of_a_poll_has_a_name_that_does_not_print(instance: str, alias: str) -> None:
    given = Point("net_bytes_in", 1, 1, instance=instance, alias=alias)
    [point] = at_once(admitted([given], None, 0)).points
    assert point.instance.isprintable()
    assert point.alias.isprintable()
    assert bool(point.instance) is bool(instance)
