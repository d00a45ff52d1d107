"""Regular expressions of profiles and operators: what they match, what is refused, what they may cost."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.limits import cpu_seconds
from netvitals.domain.patterns import LONGEST_TEXT, Pattern, compiled

MOST_SECONDS = 0.05
NEEDS_BACKTRACKING = (
    r"^(\w+\s?)+$",
    r"(-?\d+(?:\.\d+)?)\s*C",
    r"(x+x+)+y",
    r"(a?){30}a{30}",
    r"(.*)(.*)(.*)(.*)(.*)[0-9]$",
    r"(([a-z])+.)+[A-Z]([a-z])+$",
)
texts = st.text(st.sampled_from("aZ09 _-/.[]%éß中"), max_size=40)


@pytest.mark.parametrize("expression", NEEDS_BACKTRACKING)
@pytest.mark.parametrize("text", ["1" * 60_000, "a" * 60_000, "ab" * 30_000, "x" * 60_000])
def test_no_expression_takes_long_whatever_the_text(expression: str, text: str) -> None:
    pattern = Pattern(expression)

    def search() -> None:
        pattern.found_in(text)
        list(pattern.each(text)) if pattern.groups else None

    assert cpu_seconds(search) < MOST_SECONDS


@pytest.mark.parametrize(
    "expression",
    [
        *(r"^Gi\d+/", r"/[12]$", r"\w+", r"[\w.]+-", r"\W", r"^$", r"a{,2}b", r"(?i)aZ", r"[]a]"),
        *(r"[^\w]", r"\.\d{1,3}", r"é|ß", r"9\Z", r"^\A0", r"(?:a|Z)+9", r"a.*?9", r"\u00e9", r"[\]_]"),
    ],
)
@given(text=texts)
@example("Büro 9")
def test_an_expression_means_what_it_means_to_re(expression: str, text: str) -> None:
    assert Pattern(expression).found_in(text) == bool(re.search(expression, text))
    ignoring = Pattern(expression, ignore_case=True)
    assert ignoring.found_in(text) == bool(re.search(expression, text, re.IGNORECASE))


@given(texts)
def test_the_first_group_of_each_match_is_that_of_re(text: str) -> None:
    expression = r"(-?\d+)[ %]?"
    assert list(Pattern(expression).each(text)) == re.findall(expression, text, re.ASCII)


@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        (r"^(?!Null)", "look-ahead"),
        (r"a(?=b)", "look-ahead"),
        (r"(?<=a)b", "look-behind"),
        (r"(a)\1", "a back-reference"),
        (r"(?>a)", "an atomic group"),
        (r"\d++", "a possessive"),
        (r"eth[", "no regular expression"),
        (r"((\d{1000}){1000})", "no regular expression"),
        ("a" * 1001, "more than 1000 characters"),
        ("\ud800", "no regular expression"),
    ],
)
def test_what_is_not_supported_is_refused_with_the_reason(expression: str, cause: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cause)):
        compiled(expression)


def test_a_text_is_searched_no_further_than_its_beginning() -> None:
    assert Pattern("x").found_in("a" * (LONGEST_TEXT - 1) + "x")
    assert not Pattern("x").found_in("a" * LONGEST_TEXT + "x")


def test_a_text_that_is_no_unicode_is_searched_all_the_same() -> None:
    assert Pattern("b").found_in("\ud800b")


def test_an_expression_without_a_match_or_with_an_empty_group_gives_nothing() -> None:
    assert Pattern(r"(\d+)").first("none") is None
    assert list(Pattern(r"(a)|b").each("ab")) == ["a"]
