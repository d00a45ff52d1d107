"""Rates, sparklines and spans of time, as the page and the terminal show them."""

import socket
import threading

import pytest

from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.secret import Secret
from netvitals.reading.devices import StoredDevice
from netvitals.reading.fleet import Cached, representative, traffic
from netvitals.reading.influxql import InfluxQuery, any_of, text
from netvitals.reading.points import SeriesKey
from netvitals.reading.rates import Rate, newest_rate, rates
from netvitals.store.access import InfluxAccess

SECOND = 10**9


def device(**given: object) -> StoredDevice:
    base: dict[str, object] = dict.fromkeys(StoredDevice.__struct_fields__, "") | {
        "enabled": True, "maintenance_until": None, "flapping": False, "failures": 0, "status": "online",
        **{name: None for name in StoredDevice.__struct_fields__ if name.endswith(("_at", "_since"))},
    }  # fmt: skip
    return StoredDevice(**(base | given))  # type: ignore[arg-type]  # as the test gives them


def failure_of(url: str, seconds: float) -> str:
    access = InfluxAccess(url=url, token=Secret("s3cret"), org="o")
    with pytest.raises(Unavailable) as caught:
        InfluxQuery(lambda: access, seconds=seconds).series("SHOW MEASUREMENTS")
    return str(caught.value)


def test_an_influxdb_that_is_not_found_is_told_as_that_whatever_its_host_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "can't be reached (NameResolutionError)" in failure_of("http://timeseries.invalid:8086", 5)


def test_an_influxdb_that_is_silent_is_told_with_the_time_that_was_waited() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "no answer within 0.2 s" in failure_of(url, 0.2)


def test_a_counter_that_stood_still_after_its_last_point_has_the_rate_zero_up_to_the_last_poll() -> None:
    samples = [(0, 0.0), (300 * SECOND, 3000.0)]
    assert rates(samples, 600 * SECOND) == [
        Rate(0, 300 * SECOND, 10.0), Rate(300 * SECOND, 600 * SECOND, 0.0)
    ]  # fmt: skip
    assert newest_rate(samples, 600 * SECOND) == 0
    assert newest_rate(samples, 300 * SECOND) == 10
    assert newest_rate(samples) == 10


def test_a_counter_that_began_anew_has_no_rate_for_that_once() -> None:
    samples = [(0, 5000.0), (300 * SECOND, 12.0), (600 * SECOND, 3012.0)]
    assert [rate.per_second for rate in rates(samples)] == [None, 10.0]
    assert newest_rate(samples[:2]) is None
    assert newest_rate([]) is None
    assert newest_rate([(0, 1.0)]) is None


def test_traffic_is_that_of_all_interfaces_and_none_of_a_device_that_does_not_answer() -> None:
    counters = {
        SeriesKey("a", "net_bytes_in", "1"): [(0, 0.0), (100 * SECOND, 500.0)],
        SeriesKey("a", "net_bytes_in", "2"): [(0, 0.0), (100 * SECOND, 100.0)],
    }
    assert traffic(counters, device(metrics_attempt_at=100.0)) == {"net_bytes_in": 6.0}
    assert traffic(counters, device(metrics_attempt_at=400.0)) == {"net_bytes_in": 0.0}


def test_a_devices_own_value_stands_for_it_else_its_highest() -> None:
    values = {("a", "1"): 80.0, ("a", ""): 40.0, ("b", "x"): 3.0, ("b", "y"): 7.0}
    assert representative(values) == {"a": 40.0, "b": 7.0}


def test_an_answer_is_kept_for_all_who_ask_meanwhile() -> None:
    answers = iter(range(10))
    kept = Cached(lambda: next(answers), 60)
    assert [kept.get(), kept.get()] == [0, 0]
    assert kept.now(0) == 0


def test_nobody_waits_for_an_answer_that_is_slow_and_it_is_there_for_the_next_one() -> None:
    may_answer = threading.Event()
    kept = Cached(lambda: may_answer.wait(30), 60)
    assert kept.now(0.01) is None
    assert kept.now(0) is None
    may_answer.set()
    assert kept.now(30) is True


def test_texts_are_literals_and_regular_expressions_match_them_whole() -> None:
    assert text("it's \\ 'x'") == r"'it\'s \\ \'x\''"
    assert any_of(["a.b", "c/d"]) == r"/^(a\.b|c\/d)$/"
