"""What the demo's store and the real InfluxDB both do."""

import gzip
import time
from urllib.parse import urlencode

import pytest
import urllib3

from fixtures.influxdb import TOKEN, Influx
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.point import Point
from netvitals.store.line_protocol import encode, status_line
from netvitals.store.outcome import Obstacle

NOW = 1_763_913_600_123_456_789
EVERYTHING = "SELECT * FROM device_metrics"


def write(
    store: Influx,
    body: str | bytes,
    *,
    token: str = TOKEN,
    encoding: str = "identity",
    **asked: str,
) -> tuple[int, str]:
    asked = {"org": "netvitals", "bucket": store.bucket, "precision": "ns"} | asked
    answer = urllib3.request(
        "POST",
        f"{store.url}/api/v2/write?{urlencode(asked)}",
        body=body,
        headers={"Authorization": f"Token {token}", "Content-Encoding": encoding},
        timeout=60,
    )
    return answer.status, answer.json()["message"] if answer.data else ""


def soon() -> float:
    return time.monotonic() + 10


NAMES = [
    "Gi1/0/1",
    "a b",
    "a,b",
    "a=b",
    'a"b',
    "C:\\",
    "\\",
    "a\\,b",
    "é·漢",
    "#1",
    "'q'",
    " ",
    "x" * 5000,
    "a\nb",
]


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:12] for name in NAMES])
def test_a_name_of_any_kind_is_one_tag_of_one_point(any_influx: Influx, name: str) -> None:
    encoded = encode(name, [Point("net_bytes_in", 7, NOW, instance=name, if_index=3, alias=name)])
    outcome = any_influx.sink().write(encoded, soon())
    assert (outcome.accepted, outcome.refused, outcome.unsent) == (1, [], [])
    (row,) = any_influx.query(EVERYTHING)
    assert row["device_id"] == row["instance"] == row["alias"]
    assert (row["time"], row["value"]) == (NOW, 7)
    if len(name) < 200 and "\\" not in name and name.isprintable():
        assert row["instance"] == name


@pytest.mark.parametrize("text", ['say "no"', "back\\slash", "a,b c=d", "\\", "new\nline"])
def test_a_status_of_any_kind_stays_in_its_quotes(any_influx: Influx, text: str) -> None:
    assert any_influx.sink().write([status_line("sw1", text, 1, NOW)], soon()).accepted == 1
    (row,) = any_influx.query("SELECT * FROM device_status")
    assert (row["status"], row["up"]) == (text.replace("\n", " "), 1)


def test_values_read_back_as_they_were_written(any_influx: Influx) -> None:
    values = [0.1, 1e-9, 1.5e22, 2**53, 12, 0]
    points = [Point("uptime_seconds", value, NOW + n) for n, value in enumerate(values)]
    any_influx.sink().write(encode("sw1", points), soon())
    assert [row["value"] for row in any_influx.query(EVERYTHING)] == values


def test_a_counter_of_64_bits_comes_back_within_a_double_s_precision(any_influx: Influx) -> None:
    any_influx.sink().write(encode("sw1", [Point("net_bytes_in", 2**64 - 1, NOW)]), soon())
    assert float(any_influx.query(EVERYTHING)[0]["value"]) == float(2**64 - 1)


def test_measures_counters_and_states_live_in_one_measurement(any_influx: Influx) -> None:
    points = [Point("cpu_percent", 1.5, NOW), Point("net_bytes_in", 2, NOW), Point("ping_status", 1, NOW)]
    outcome = any_influx.sink().write(encode("sw1", points), soon())
    assert (outcome.accepted, outcome.refused) == (3, [])


def test_the_same_point_written_twice_is_one_point_with_the_newer_value(any_influx: Influx) -> None:
    sink = any_influx.sink()
    for value in (1, 2):
        sink.write(encode("sw1", [Point("cpu_percent", value, NOW)]), soon())
    assert [row["value"] for row in any_influx.query(EVERYTHING)] == [2]


def test_fields_of_one_time_are_merged(any_influx: Influx) -> None:
    write(any_influx, f"m,t=a x=1 {NOW}")
    write(any_influx, f"m,t=a y=2i {NOW}")
    assert any_influx.query("SELECT * FROM m") == [{"time": NOW, "t": "a", "x": 1, "y": 2}]


@pytest.mark.parametrize(("precision", "factor"), [("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9)])
def test_times_are_read_in_the_precision_that_is_asked_for(
    any_influx: Influx, precision: str, factor: int
) -> None:
    assert write(any_influx, "m x=1 1763913600", precision=precision) == (204, "")
    assert any_influx.query("SELECT x FROM m")[0]["time"] == 1763913600 * factor


def test_a_body_in_gzip_is_unpacked(any_influx: Influx) -> None:
    body = gzip.compress(f"m x=1 {NOW}\n# a comment\n\nm x=2 {NOW + 1}\n".encode())
    assert write(any_influx, body, encoding="gzip") == (204, "")
    assert len(any_influx.query("SELECT x FROM m")) == 2


def test_a_body_that_only_claims_to_be_gzip_is_refused(any_influx: Influx) -> None:
    assert write(any_influx, b"no gzip", encoding="gzip")[0] == 400


@pytest.mark.parametrize(
    "line",
    ["garbage", "m", "m x", "m x=", "m x=1z", "m,t= x=1", "m x=1 soon", "m x=1 1 1", ",t=a x=1", 'm x="1'],
)
def test_a_malformed_line_is_quoted_in_the_answer(any_influx: Influx, line: str) -> None:
    status, message = write(any_influx, line)
    assert status == 400
    assert f"unable to parse '{line}': " in message


def test_a_field_keeps_its_type_for_ever(any_influx: Influx) -> None:
    assert write(any_influx, f"m x=1 {NOW}")[0] == 204
    status, message = write(any_influx, f"m x=1i {NOW}\nm y=1 {NOW}")
    assert status in (400, 422)
    assert "field type conflict" in message
    assert "dropped=1" in message


def test_a_wrong_token_is_401(any_influx: Influx) -> None:
    assert write(any_influx, "m x=1", token="another")[0] == 401


def test_an_unknown_bucket_is_404(any_influx: Influx) -> None:
    assert write(any_influx, "m x=1", bucket="nowhere")[0] == 404


def test_an_unknown_organisation_is_404(any_influx: Influx) -> None:
    assert write(any_influx, "m x=1", org="nobody")[0] == 404


def test_a_body_over_the_limit_is_413_even_when_it_is_small_in_gzip(any_influx: Influx) -> None:
    body = gzip.compress(b"# " + b"x" * any_influx.server.max_body_bytes)
    assert write(any_influx, body, encoding="gzip")[0] == 413


def test_last_values_are_read_per_series(any_influx: Influx) -> None:
    for device in ("sw1", "sw2"):
        points = [Point("cpu_percent", n, NOW + n) for n in range(3)] + [Point("memory_percent", 50, NOW)]
        any_influx.sink().write(encode(device, points), soon())
    statement = "SELECT last(value) FROM device_metrics WHERE metric_name = 'cpu_percent' GROUP BY device_id"
    assert any_influx.query(statement) == [
        {"time": NOW + 2, "last": 2, "device_id": device} for device in ("sw1", "sw2")
    ]


def test_a_series_is_read_by_its_tags_and_a_span_of_time(any_influx: Influx) -> None:
    points = [Point("cpu_percent", n, NOW + n) for n in range(10)]
    any_influx.sink().write(encode("it's", points) + encode("sw2", points), soon())
    where = rf"device_id = 'it\'s' AND metric_name = 'cpu_percent' AND time >= {NOW + 2} AND time < {NOW + 8}"
    statement = f"SELECT value FROM device_metrics WHERE {where} ORDER BY time DESC LIMIT 3"  # noqa: S608, texts of this test
    rows = any_influx.query(statement)
    assert [row["value"] for row in rows] == [7, 6, 5]


def test_points_are_counted(any_influx: Influx) -> None:
    any_influx.sink().write(encode("sw1", [Point("cpu_percent", n, NOW + n) for n in range(9)]), soon())
    assert any_influx.query("SELECT count(value) FROM device_metrics")[0]["count"] == 9


def test_an_empty_answer_has_no_series(any_influx: Influx) -> None:
    assert any_influx.query("SELECT * FROM nothing") == []


def test_a_statement_that_is_none_is_400(any_influx: Influx) -> None:
    with pytest.raises(Unavailable, match="error parsing query"):
        any_influx.query("DELETE EVERYTHING")


def test_the_sink_writes_around_malformed_lines_and_hands_them_back(any_influx: Influx) -> None:
    good = encode("sw1", [Point("cpu_percent", n % 100, NOW + n) for n in range(50)])
    bad = ["garbage", "m,t= x=1"]
    outcome = any_influx.sink().write([*good[:20], bad[0], *good[20:], bad[1]], soon())
    assert (outcome.accepted, outcome.unsent, outcome.obstacle) == (50, [], None)
    assert sorted(refusal.line for refusal in outcome.refused) == bad
    assert all(refusal.reason for refusal in outcome.refused)
    assert len(any_influx.query(EVERYTHING)) == 50


def test_the_sink_finds_a_line_of_the_wrong_type_that_nobody_names(any_influx: Influx) -> None:
    good = encode("sw1", [Point("cpu_percent", n % 100, NOW + n) for n in range(64)])
    bad = [f"device_metrics,device_id=sw9 value=1i {NOW}", f"device_metrics,device_id=sw8 value=2i {NOW}"]
    outcome = any_influx.sink().write([*good[:10], bad[0], *good[10:40], bad[1], *good[40:]], soon())
    assert (outcome.accepted, outcome.unsent) == (64, [])
    assert [refusal.line for refusal in outcome.refused] == bad
    assert len(any_influx.query(EVERYTHING)) == 64


def test_the_sink_splits_what_is_too_large(any_influx: Influx) -> None:
    any_influx.server.max_body_bytes, limit = 2000, any_influx.server.max_body_bytes
    try:
        lines = encode("sw1", [Point("cpu_percent", n % 100, NOW + n) for n in range(100)])
        outcome = any_influx.sink().write([*lines, f'm x="{"y" * 3000}" {NOW}'], soon())
    finally:
        any_influx.server.max_body_bytes = limit
    assert outcome.accepted == 100
    assert "413" in outcome.detail
    assert len(outcome.unsent) == 1  # no limit is as small as that: who says so is not InfluxDB
    assert len(any_influx.query(EVERYTHING)) == 100


def test_the_check_of_the_connection_says_what_is_wrong(any_influx: Influx) -> None:
    assert any_influx.sink().check(soon()).obstacle is None
    any_influx.bucket = "nowhere"
    any_influx.access = type(any_influx.access)(
        url=any_influx.url, token=any_influx.access.token, org="netvitals", bucket="nowhere"
    )
    assert any_influx.sink().check(soon()).obstacle is Obstacle.BUCKET
