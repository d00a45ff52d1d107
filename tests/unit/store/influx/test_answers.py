import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import LineTooLong
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.rest import ApiException
from urllib3 import exceptions

from fixtures.limits import cpu_seconds
from netvitals.domain.errors import Unavailable
from netvitals.store.influx.answers import Remedy, fault_of
from netvitals.store.influx.connection import MAX_TEXT_BYTES, ForeignAnswer
from netvitals.store.influx.named_lines import named_in
from netvitals.store.outcome import Obstacle, Refusal

OWN = '{"code": "invalid", "message": "something is wrong"}'
PAGE = "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"
POOL = SimpleNamespace(host="127.0.0.1")


def answered(status: int, body: str = "", **headers: str) -> ApiException:
    reply = SimpleNamespace(
        status=status,
        reason="Reason",
        data=body,
        getheaders=lambda: headers,
        getheader=lambda name, default=None: headers.get(name.replace("-", "_"), default),
    )
    return ApiException(http_resp=reply)


@pytest.mark.parametrize(
    ("error", "remedy", "obstacle"),
    [
        (answered(400, OWN), Remedy.ISOLATE, Obstacle.SERVER),
        (answered(400, '{"error": "partial write"}'), Remedy.ISOLATE, Obstacle.SERVER),
        (answered(400), Remedy.KEEP, Obstacle.SERVER),
        (answered(400, PAGE), Remedy.KEEP, Obstacle.SERVER),
        (answered(400, '"unable to parse"'), Remedy.KEEP, Obstacle.SERVER),
        (answered(400, '{"errors": ["bad"]}'), Remedy.KEEP, Obstacle.SERVER),
        (answered(400, '{"message": null, "error": ""}'), Remedy.KEEP, Obstacle.SERVER),
        (answered(400, OWN[:-5]), Remedy.SPLIT, Obstacle.SERVER),
        (answered(400, '{"data": ' * 50_000), Remedy.SPLIT, Obstacle.SERVER),
        (answered(400, "[" * 50_000), Remedy.KEEP, Obstacle.SERVER),
        (answered(401), Remedy.KEEP, Obstacle.AUTH),
        (answered(403), Remedy.KEEP, Obstacle.AUTH),
        (answered(404), Remedy.KEEP, Obstacle.BUCKET),
        (answered(408), Remedy.RETRY, Obstacle.TIMEOUT),
        (answered(413), Remedy.SPLIT, Obstacle.SERVER),
        (answered(413, PAGE), Remedy.SPLIT, Obstacle.SERVER),
        (answered(418), Remedy.KEEP, Obstacle.SERVER),
        (answered(422, OWN), Remedy.ISOLATE, Obstacle.SERVER),
        (answered(422, PAGE), Remedy.KEEP, Obstacle.SERVER),
        (answered(429), Remedy.RETRY, Obstacle.THROTTLED),
        (answered(302), Remedy.KEEP, Obstacle.SERVER),
        (answered(500), Remedy.RETRY, Obstacle.SERVER),
        (answered(503), Remedy.RETRY, Obstacle.SERVER),
        (answered(599), Remedy.RETRY, Obstacle.SERVER),
        (ApiException(status=0, reason="SSLError\nbad"), Remedy.KEEP, Obstacle.TLS),
        (exceptions.SSLError("bad"), Remedy.KEEP, Obstacle.TLS),
        (exceptions.NewConnectionError(POOL, "refused"), Remedy.RETRY, Obstacle.UNREACHABLE),  # type: ignore[arg-type]  # a double
        (exceptions.MaxRetryError(POOL, "/", exceptions.SSLError("bad")), Remedy.KEEP, Obstacle.TLS),  # type: ignore[arg-type]  # a double
        (exceptions.ProtocolError("aborted", ConnectionResetError()), Remedy.RETRY, Obstacle.UNREACHABLE),
        (exceptions.ProtocolError("aborted", LineTooLong("header line")), Remedy.SPLIT, Obstacle.SERVER),
        (exceptions.ReadTimeoutError(POOL, "/", "late"), Remedy.RETRY, Obstacle.TIMEOUT),  # type: ignore[arg-type]  # a double
        (TimeoutError(), Remedy.RETRY, Obstacle.TIMEOUT),
        (exceptions.LocationParseError("x"), Remedy.KEEP, Obstacle.AUTH),
        (ValueError("Invalid header value b'Token secret'"), Remedy.KEEP, Obstacle.AUTH),
        (Unavailable("the secret can't be read"), Remedy.KEEP, Obstacle.AUTH),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), Remedy.RETRY, Obstacle.SERVER),
        (KeyError("x"), Remedy.RETRY, Obstacle.UNREACHABLE),
        (ForeignAnswer(200), Remedy.KEEP, Obstacle.SERVER),
    ],
)
def test_every_error_has_a_remedy_and_a_cause(error: Exception, remedy: Remedy, obstacle: Obstacle) -> None:
    fault = fault_of(error)
    assert (fault.remedy, fault.obstacle) == (remedy, obstacle)
    assert fault.detail
    assert "secret'" not in fault.detail


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2),
        ("0.5", 0.5),
        ("-1", 0),
        ("soon", None),
        ("", None),
        ("inf", 86400),
        ("1e99", 86400),
        ("nan", 0),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_seconds_or_nothing(header: str, seconds: float | None) -> None:
    assert fault_of(answered(429, Retry_After=header)).retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < (fault_of(answered(503, Retry_After=header)).retry_after or 0) <= 90


@given(st.text())
def test_no_retry_after_breaks_the_sink(header: str) -> None:
    assert (fault_of(answered(429, Retry_After=header)).retry_after or 0) >= 0


@given(st.text())
def test_no_body_breaks_the_sink(body: str) -> None:
    assert len(fault_of(answered(400, body)).detail) < 400


def test_the_detail_repeats_what_influxdb_says_on_one_line_and_not_endlessly() -> None:
    detail = fault_of(answered(401, json.dumps({"message": "no\nsuch\ttoken" + "!" * 1000}))).detail
    assert "no such token!!!" in detail
    assert len(detail) < 400


LINES = ["a x=1 1", "b x=2 2", "c x=3 3"]


def message(document: object) -> str:
    return fault_of(answered(400, json.dumps(document))).message


@pytest.mark.parametrize(
    ("document", "refused", "suspects"),
    [
        ({"message": "unable to parse 'b x=2 2': bad"}, ["b x=2 2"], []),
        ({"error": "partial write: unable to parse 'a x=1 1': bad\nunable to parse 'c x=3 3': bad dropped=0"},
         ["a x=1 1", "c x=3 3"], []),
        ({"message": "unable to parse 'another': bad"}, [], []),
        ({"message": "failed to parse: line 2: bad, line 3: bad"}, [], ["b x=2 2", "c x=3 3"]),
        ({"error": "partial", "data": [{"original_line": "b x=2 2", "error_message": "bad"}]},
         ["b x=2 2"], []),
        ({"message": "field type conflict: x dropped=3"}, LINES, []),
        ({"message": "field type conflict: x dropped=1"}, [], []),
        ({"error": "partial write: points beyond retention policy dropped=3"}, LINES, []),
        ({"message": "line 2222222222: bad; line 0: bad; line " + "9" * 5000 + ": bad"}, [], []),
        ({"message": "dropped=" + "3" * 5000}, [], []),
        ({"message": "x", "data": [5, None, {"line_number": 9}, {"original_line": 5}]}, [], []),
    ],
)  # fmt: skip
def test_lines_are_found_by_what_the_versions_of_influxdb_say(
    document: object, refused: list[str], suspects: list[str]
) -> None:
    named = named_in(message(document), LINES)
    assert [refusal.line for refusal in named.refused] == refused
    assert named.suspects == suspects
    assert sorted([*refused, *suspects, *named.rest]) == LINES


@given(st.text(), st.lists(st.text(), max_size=5))
def test_every_line_is_in_one_place_whatever_influxdb_says(text: str, lines: list[str]) -> None:
    named = named_in(text, lines)
    assert sorted([*(refusal.line for refusal in named.refused), *named.suspects, *named.rest]) == sorted(
        lines
    )


def test_each_refused_line_has_its_own_reason() -> None:
    text = (
        "partial write: unable to parse 'a x=1 1': bad number\nunable to parse 'b x=2 2': bad time dropped=0"
    )
    assert named_in(text, LINES).refused == [Refusal("a x=1 1", "bad number"), Refusal("b x=2 2", "bad time")]


BAITS = [
    "unable to parse '",
    "unable to parse '': ",
    "field type conflict ",
    "field type conflict dropped=",
    "line 1",
    "dropped=1",
    " dropped=",
    "\n",
]


@pytest.mark.parametrize("bait", BAITS)
def test_the_longest_text_is_searched_in_no_time_whatever_it_repeats(bait: str) -> None:
    text = bait * (MAX_TEXT_BYTES // len(bait))
    lines = [f"m x={n} {n}" for n in range(5000)]
    # A search that backtracks takes a hundred times as long.
    assert cpu_seconds(lambda: named_in(text, lines)) < 0.5
    named = named_in(text, lines)
    assert len(named.refused) + len(named.suspects) + len(named.rest) == len(lines)
