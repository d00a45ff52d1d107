"""The sink against a server of its own that does as each test says."""

import gzip
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import http_faults as faults
from local.http_faults import Exchange
from local.proxy import HttpProxy
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.domain.settings.secret import Secret
from netvitals.store.access import InfluxAccess
from netvitals.store.influx import delivery
from netvitals.store.influx import sink as sink_influx
from netvitals.store.influx.sink import InfluxSink, requests_of
from netvitals.store.outcome import Obstacle

CANARY = "canary-token-9f8e7d"
LINES = [f"m x={n} {n}" for n in range(10)]
SETTINGS = InfluxSettings(
    timeout_seconds=20, retries=3, backoff_initial_seconds=0.1, backoff_maximum_seconds=0.3
)


class Bench:
    def __init__(self, proxy: HttpProxy) -> None:
        self.proxy = proxy
        self.sleeps: list[float] = []
        self.now = 1000.0
        self.refreshes = 0
        self.access = InfluxAccess(url=f"http://127.0.0.1:{proxy.port}", token=Secret(CANARY), org="o")
        self.sink = self.make()
        proxy.inflict(faults.answer(204))

    def make(self, refresh: Callable[[], bool] = lambda: False) -> InfluxSink:
        return InfluxSink(lambda: self.access, SETTINGS, refresh, sleep=self._sleep, clock=lambda: self.now)

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def bench() -> Iterator[Bench]:
    with HttpProxy(1) as proxy:
        yield Bench(proxy)


def test_a_request_is_gzip_to_the_bucket_in_nanoseconds_with_the_token(bench: Bench) -> None:
    seen: list[Exchange] = []

    def remember(exchange: Exchange) -> bytes | None:
        seen.append(exchange)
        return faults.answer(204)(exchange)

    bench.proxy.inflict(remember)
    assert bench.sink.write(LINES, 1010).accepted == 10
    (exchange,) = seen
    assert exchange.head == "POST /api/v2/write?org=o&bucket=network_metrics&precision=ns HTTP/1.1"
    assert exchange.headers["authorization"] == f"Token {CANARY}"
    assert gzip.decompress(exchange.body).decode().split("\n") == LINES


def test_retries_wait_up_to_a_step_that_doubles_and_then_stop(bench: Bench) -> None:
    bench.proxy.inflict(faults.answer(503))
    outcome = bench.sink.write(LINES, 1100)
    assert (outcome.unsent, outcome.obstacle) == (LINES, Obstacle.SERVER)
    assert len(bench.proxy.requests) == 4
    for slept, step in zip(bench.sleeps, (0.1, 0.2, 0.3), strict=True):
        assert 0 <= slept <= step


def test_after_retries_in_vain_there_are_none_until_a_request_is_taken_or_a_minute_has_passed(
    bench: Bench,
) -> None:
    def requests_of_one_write() -> int:
        before = len(bench.proxy.requests)
        bench.sink.write(LINES, bench.now + 100)
        return len(bench.proxy.requests) - before

    bench.proxy.inflict(faults.answer(503))
    assert [requests_of_one_write() for _ in range(3)] == [4, 1, 1]
    bench.now += 61
    assert [requests_of_one_write() for _ in range(2)] == [4, 1]
    bench.proxy.inflict(faults.answer(204))
    assert requests_of_one_write() == 1
    bench.proxy.inflict(faults.answer(503))
    assert requests_of_one_write() == 4


def test_retry_after_is_waited_for(bench: Bench) -> None:
    bench.proxy.inflict(faults.answer(429, Retry_After="7"), requests=1)
    bench.proxy.upstream = 1
    bench.sink.write(LINES, 1100)
    assert bench.sleeps[0] == 7


def test_retry_after_beyond_the_deadline_is_not_waited_for(bench: Bench) -> None:
    bench.proxy.inflict(faults.answer(429, Retry_After="101"))
    assert bench.sink.write(LINES, 1100).obstacle is Obstacle.THROTTLED
    assert (bench.sleeps, len(bench.proxy.requests)) == ([], 1)


def test_no_retry_begins_after_the_deadline(bench: Bench) -> None:
    bench.proxy.inflict(faults.answer(503))
    bench.sink.write(LINES, 1000.2)
    assert bench.now < 1000.2


def test_past_the_deadline_nothing_is_tried(bench: Bench) -> None:
    outcome = bench.sink.write(LINES, 999)
    assert (outcome.unsent, outcome.obstacle) == (LINES, Obstacle.NO_TIME)
    assert bench.proxy.requests == []


def test_after_an_obstacle_the_other_requests_are_not_tried(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_influx, "MAX_LINES", 3)
    bench.proxy.inflict(faults.answer(404))
    assert bench.sink.write(LINES, 1100).unsent == LINES
    assert len(bench.proxy.requests) == 1


def test_a_refused_token_is_read_anew_once(bench: Bench) -> None:
    def only_the_new_one(exchange: Exchange) -> bytes | None:
        good = exchange.headers["authorization"] == "Token rotated"
        return faults.answer(204 if good else 401)(exchange)

    def refresh() -> bool:
        bench.refreshes += 1
        bench.access = InfluxAccess(url=bench.access.url, token=Secret("rotated"), org="o")
        return True

    bench.proxy.inflict(only_the_new_one)
    sink = bench.make(refresh)
    assert sink.write(LINES, 1100).accepted == 10
    assert sink.write(LINES, 1100).accepted == 10
    assert (bench.refreshes, len(bench.proxy.requests)) == (1, 3)


def test_a_token_that_stays_refused_is_a_matter_for_a_person(bench: Bench) -> None:
    bench.proxy.inflict(faults.said(401, "unauthorized", "unauthorized access"))
    outcome = bench.make(lambda: True).write(LINES, 1100)
    assert outcome.unsent == LINES
    assert outcome.obstacle is Obstacle.AUTH
    assert "check the secret" in outcome.detail
    assert len(bench.proxy.requests) == 2


def test_a_secret_that_can_not_be_read_keeps_the_lines() -> None:
    def unreadable() -> InfluxAccess:
        raise Unavailable("the secret can't be read: throttled")

    outcome = InfluxSink(unreadable, SETTINGS).write(LINES, time.monotonic() + 5)
    assert (outcome.unsent, outcome.detail) == (
        LINES,
        "the secret can't be read: throttled",
    )


def test_the_secret_is_not_read_before_the_first_write() -> None:
    def unreadable() -> InfluxAccess:
        raise AssertionError("read too early")

    InfluxSink(unreadable, SETTINGS).write([], time.monotonic() + 5)


@pytest.mark.parametrize("status", [400, 401, 413, 500])
def test_a_token_that_the_server_repeats_is_not_passed_on(bench: Bench, status: int) -> None:
    bench.proxy.inflict(faults.said(status, "x", f"what is Token {CANARY}?"))
    outcome = bench.sink.write(LINES[:2], 1100)
    assert CANARY not in repr(outcome)


def test_a_token_with_a_line_break_is_no_header_of_its_own(bench: Bench) -> None:
    bench.access = InfluxAccess(url=bench.access.url, token=Secret(f"{CANARY}\n"), org="o")
    assert bench.make().write(LINES, 1100).accepted == 10


def test_a_redirect_is_not_followed(bench: Bench) -> None:
    with HttpProxy(1) as elsewhere:
        elsewhere.inflict(faults.answer(204))
        bench.proxy.inflict(faults.answer(307, Location=f"http://127.0.0.1:{elsewhere.port}/api/v2/write"))
        assert bench.sink.write(LINES, 1100).unsent == LINES
        assert elsewhere.requests == []


def test_a_proxy_of_the_environment_is_not_used(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpProxy(1) as surprise:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{surprise.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert bench.make().write(LINES, 1100).accepted == 10
        assert surprise.requests == []


@pytest.mark.parametrize(
    ("url", "obstacle"),
    [
        ("https://127.0.0.1:{port}", Obstacle.TLS),
        ("http://no-such-host.invalid:{port}", Obstacle.UNREACHABLE),
        ("http://127.0.0.1:1", Obstacle.UNREACHABLE),
    ],
)
def test_a_url_that_leads_nowhere_keeps_the_lines(bench: Bench, url: str, obstacle: Obstacle) -> None:
    bench.access = InfluxAccess(url=url.format(port=bench.proxy.port), token=Secret(CANARY), org="o")
    bench.proxy.inflict(faults.garbage)
    outcome = bench.make().write(LINES, 1100)
    assert (outcome.unsent, outcome.obstacle) == (LINES, obstacle)
    assert outcome.detail


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_certificate_that_is_trusted_gets_the_token(certificate: Path, *, trusted: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HttpProxy(1, context) as server:
        server.inflict(faults.answer(204))
        access = InfluxAccess(url=f"https://127.0.0.1:{server.port}", token=Secret(CANARY), org="o")
        sink = InfluxSink(lambda: access, SETTINGS, ca_file=str(certificate) if trusted else None)
        outcome = sink.write(LINES, time.monotonic() + 5)
        assert outcome.obstacle is (None if trusted else Obstacle.TLS)
        assert len(server.requests) == int(trusted)


def test_lines_are_portioned_by_number_and_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_influx, "MAX_LINES", 3)
    monkeypatch.setattr(sink_influx, "MAX_BYTES", 25)
    portions = list(requests_of(["a" * 10, "b" * 10, "c" * 10, "d", "e", "f", "g", "h" * 100, "漢" * 6]))
    assert [line for portion in portions for line in portion][-1] == "漢" * 6
    assert [len(portion) for portion in portions] == [2, 3, 2, 1, 1]


def refusing(is_bad: Callable[[str], bool], message: str = "something is wrong") -> faults.Fault:
    """Refuse a request that holds bad lines, and say which in no way."""

    def fault(exchange: Exchange) -> bytes | None:
        bad = any(map(is_bad, exchange.text.split("\n")))
        return (faults.said(400, "invalid", message) if bad else faults.answer(204))(exchange)

    return fault


MANY = [f"m x={n} {n}" for n in range(500)]


@pytest.mark.parametrize(
    "bad", [{0}, {499}, {7, 300}, set(range(24)), set(range(200, 240)), {*range(0, 99, 9)}]
)
def test_lines_that_nobody_names_are_found_where_others_are_taken(bench: Bench, bad: set[int]) -> None:
    texts = {MANY[n] for n in bad}
    bench.proxy.inflict(refusing(texts.__contains__))
    outcome = bench.sink.write(MANY, 1e9)
    assert {refusal.line for refusal in outcome.refused} == texts
    assert len(outcome.refused) == len(bad)
    assert (outcome.accepted, outcome.unsent) == (500 - len(bad), [])


def test_where_all_lines_are_refused_and_none_is_named_they_are_not_to_blame(bench: Bench) -> None:
    bench.proxy.inflict(refusing(lambda _: True))
    outcome = bench.sink.write(MANY, 1e9)
    assert (outcome.accepted, outcome.refused) == (0, [])
    assert sorted(outcome.unsent) == sorted(MANY)
    assert outcome.obstacle is Obstacle.SERVER
    assert "something is wrong" in outcome.detail
    assert len(bench.proxy.requests) < 50


def test_a_line_that_was_taken_before_and_is_refused_now_acquits_the_others(bench: Bench) -> None:
    def fault(exchange: Exchange) -> bytes | None:
        good = len(bench.proxy.requests) == 2  # the first half of the lines
        return (faults.answer(204) if good else faults.said(400, "x", "no"))(exchange)

    bench.proxy.inflict(fault)
    outcome = bench.sink.write(MANY, 1e9)
    assert (outcome.accepted, outcome.refused) == (250, [])
    assert sorted(outcome.unsent) == sorted(MANY[250:])
    assert len(bench.proxy.requests) < 60


@pytest.mark.parametrize("lines", [MANY[:1], MANY[:3]])
def test_few_lines_that_are_refused_and_not_named_are_kept(bench: Bench, lines: list[str]) -> None:
    bench.proxy.inflict(refusing(lambda _: True))
    outcome = bench.sink.write(lines, 1e9)
    assert (sorted(outcome.unsent), outcome.refused) == (lines, [])


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_page_of_a_proxy_is_no_verdict_on_the_lines(bench: Bench, status: int) -> None:
    bench.proxy.inflict(faults.answer(status, b"<html><h1>nginx</h1></html>", Content_Type="text/html"))
    outcome = bench.sink.write(MANY, 1e9)
    assert (outcome.accepted, outcome.refused) == (0, [])
    assert sorted(outcome.unsent) == sorted(MANY)
    assert outcome.obstacle is Obstacle.SERVER
    assert len(bench.proxy.requests) == (1 if status != 413 else 17)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_that_influxdb_does_not_give_takes_no_line(bench: Bench, status: int) -> None:
    bench.proxy.inflict(faults.answer(status, b"<html>Please sign in</html>"))
    outcome = bench.sink.write(LINES, 1100)
    assert (outcome.accepted, outcome.unsent, outcome.obstacle) == (0, LINES, Obstacle.SERVER)
    assert f"({status})" in outcome.detail
    assert len(bench.proxy.requests) == 1


def test_a_line_that_is_larger_than_any_limit_is_set_aside(bench: Bench) -> None:
    giant = f'm x="{"y" * 70_000}" 1'
    bench.proxy.upstream = 1
    bench.proxy.inflict(lambda exchange: faults.answer(413 if len(exchange.text) > 65_000 else 204)(exchange))
    outcome = bench.sink.write([giant, *LINES], 1e9)
    assert (outcome.accepted, outcome.unsent) == (10, [])
    assert [refusal.line for refusal in outcome.refused] == [giant]


def test_a_text_that_is_cut_has_fewer_lines_tried_at_once(bench: Bench) -> None:
    def quoting_all(exchange: Exchange) -> bytes | None:
        lines = exchange.text.split("\n")
        texts = "\n".join(f"unable to parse '{line}': bad" for line in lines)
        return faults.said(400, "invalid", f"partial write: {texts} dropped=0")(exchange)

    bench.proxy.inflict(quoting_all)
    lines = [f"m,tag={'y' * 100} x={n} {n}" for n in range(3000)]
    outcome = bench.sink.write(lines, 1e9)
    assert sorted(refusal.line for refusal in outcome.refused) == sorted(lines)
    assert len(bench.proxy.requests) < 40


def test_requests_of_one_write_are_bounded(bench: Bench) -> None:
    def naming_the_first(exchange: Exchange) -> bytes | None:
        return faults.said(400, "invalid", f"unable to parse '{exchange.text.split(chr(10))[0]}': bad")(
            exchange
        )

    bench.proxy.inflict(naming_the_first)
    outcome = bench.sink.write(MANY, 1e9)
    assert len(bench.proxy.requests) == delivery.MAX_REQUESTS
    assert len(outcome.refused) == delivery.MAX_REQUESTS
    assert outcome.unsent == MANY[delivery.MAX_REQUESTS :]
    assert outcome.obstacle is Obstacle.NO_TIME


def test_an_answer_that_is_malformed_is_not_logged(
    bench: Bench, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    bench.proxy.inflict(faults.answer_and_close(b"HTTP/1.1 400 Bad\r\nno header but a canary\r\n\r\n"))
    bench.sink.write(LINES, 1100)
    said = capsys.readouterr()
    assert "canary" not in said.out + said.err + caplog.text
