"""What devices say, made fit for a terminal, a log and a table."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvitals.domain.text import csv_cell, cut, first_line, from_csv_cell, printable, quoted, whole_number

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("Gi1/0/1 Büro", "Gi1/0/1 Büro", id="an ordinary name stays as it is"),
        pytest.param("a\x1b[31mb", "a [31mb", id="an escape sequence loses its escape"),
        pytest.param("a\x1b]52;c;ZXZpbA==\x07b", "a ]52;c;ZXZpbA== b", id="OSC 52"),
        pytest.param("a\x9b2Jb\x7f", "a 2Jb", id="C1 controls and DEL"),
        pytest.param("up\nERROR forged\r\n", "up ERROR forged", id="line breaks"),
        pytest.param("a\u2028b\u2029c\x85d", "a b c d", id="line and paragraph separators"),
        pytest.param("a\u202eb\u2066c\u2069d", "a b c d", id="bidi overrides and isolates"),
        pytest.param("ad\u200bmin\ufeff", "ad min", id="zero width"),
        pytest.param("a\ud800b", "a b", id="a lone surrogate"),
        pytest.param("  a \t\u00a0 b\x00\x00", "a b", id="white space and padding"),
        pytest.param(b"caf\xc3\xa9 \xff\x00", "café �", id="bytes that are no UTF-8"),
        pytest.param("\x00\n", "", id="nothing"),
    ],
)
def test_a_text_is_one_line_that_only_prints(said: str | bytes, shown: str) -> None:
    assert printable(said) == shown


@given(ANY_TEXT | st.binary(), st.integers(1, 40))
def test_no_text_obeys_breaks_or_exceeds_its_limit(said: str | bytes, limit: int) -> None:
    for line in (printable(said, limit), first_line(said, limit)):
        assert len(line) <= limit
        assert not [c for c in line if unicodedata.category(c)[0] in "CZ" and c != " "]
        assert line == " ".join(line.split())
        line.encode()


@given(ANY_TEXT)
def test_what_was_made_printable_stays_as_it_is(said: str) -> None:
    assert printable(printable(said)) == printable(said)


def test_a_text_that_is_cut_says_so() -> None:
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"
    assert printable(" " * 1000 + "x", 10) == "…"
    assert cut("abcdef", 4) == "abc…"


def test_a_huge_text_costs_no_more_than_a_long_one() -> None:
    huge = "\x1b " * 5_000_000
    start = time.process_time()
    printable(huge, 100)
    first_line(huge)
    assert time.process_time() - start < 0.5


def test_the_first_line_is_the_first_that_says_something() -> None:
    assert first_line("\n \x1b\r\nsh: not found\nmore") == "sh: not found"
    assert first_line(b"220 ready\r\n331") == "220 ready"


def test_a_quoted_value_escapes_what_does_not_print() -> None:
    assert quoted("a\x1b\u202e\ud800") == "'a\\x1b\\u202e\\ud800'"
    assert quoted(["x" * 100], 10) == "['xxxxxxx…"


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A0", "@SUM(1)", "+1+1", "-2+3", "'=1", "\t=1", "\x1b[2J=1"])
def test_no_spreadsheet_runs_a_cell_and_no_terminal_obeys_it(text: str) -> None:
    assert csv_cell(text)[0] not in "=+-@\t"
    assert csv_cell(text).isprintable()


@given(ANY_TEXT)
def test_a_cell_is_read_as_what_it_was_made_of(said: str) -> None:
    text = printable(said)
    assert from_csv_cell(csv_cell(text)) == text


def test_a_text_that_begins_with_an_apostrophe_and_no_formula_is_left_alone() -> None:
    assert from_csv_cell("'s-Hertogenbosch") == "'s-Hertogenbosch"
    assert csv_cell("core-1") == "core-1"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("18446744073709551615", 2**64 - 1),
        ("007", 7),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("1_000", None),
        (" 1", None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None),
        ("1" * 21, None),
    ],
)
def test_a_whole_number_is_nothing_but_digits(text: str, number: int | None) -> None:
    assert whole_number(text) == number
