"""What the page and the terminal ask InfluxDB, answered by the real one and by the demo's alike."""

import time
from collections.abc import Sequence

import pytest

from fixtures.influxdb import Influx
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.point import Point
from netvitals.reading.influxql import InfluxQuery
from netvitals.reading.points import Points, SeriesKey
from netvitals.store.line_protocol import encode, encode_interfaces

NOW = 1_790_000_000
ODD = "C:\\rack 1/a,b='x'|(.*) \u00fc"
"""A device's id with all that InfluxQL and its regular expressions take for their own."""


def write(influx: Influx, lines: Sequence[str]) -> None:
    outcome = influx.sink().write(lines, time.monotonic() + 30)
    assert (outcome.accepted, outcome.refused) == (len(lines), [])


def at(seconds: int) -> int:
    return (NOW - seconds) * 10**9


@pytest.fixture
def points(any_influx: Influx) -> Points:
    for device in ("a", ODD):
        write(
            any_influx,
            encode(
                device,
                [
                    *(Point("cpu_percent", value, at(60 * back)) for back, value in enumerate((30, 20, 10))),
                    Point("cpu_percent", 99, at(7200)),
                    *(Point("disk_percent", 50 + n, at(0), f"/{n}") for n in range(2)),
                    *(Point("net_bytes_in", 10 * back, at(300 - back), "eth 0") for back in range(4)),
                ],
            )
            + encode_interfaces(device, [InterfaceInfo("eth 0", "old", "", None)], at(600))
            + encode_interfaces(device, [InterfaceInfo("eth 0", 'to "core"', "ethernetCsmacd", 7)], at(10)),
        )
    return Points(InfluxQuery(lambda: any_influx.access))


def test_the_newest_value_of_each_device_and_instance_is_found(points: Points) -> None:
    tag = ODD.replace("\\", "%5C")
    assert points.newest("cpu_percent", NOW - 3600, NOW) == {("a", ""): 30, (tag, ""): 30}
    disks = points.newest("disk_percent", NOW - 3600, NOW)
    assert disks == {(device, f"/{n}"): 50 + n for device in ("a", tag) for n in range(2)}
    assert points.newest("cpu_percent", NOW + 1, NOW + 2) == {}


@pytest.mark.parametrize("others", [[], ["a", "b"]])
def test_an_odd_id_is_found_as_it_is_and_matches_nothing_else(points: Points, others: list[str]) -> None:
    found = points.window([ODD, *others], ["cpu_percent", "memory_percent"], NOW - 3600, NOW)
    tag = ODD.replace("\\", "%5C")
    assert found[SeriesKey(tag, "cpu_percent", "")] == [(at(120), 10), (at(60), 20), (at(0), 30)]
    assert {key.device for key in found} == {tag, *("a" for each in others if each == "a")}


def test_the_newest_two_values_of_a_series_come_oldest_first(points: Points) -> None:
    found = points.window(["a"], ["net_bytes_in"], NOW - 3600, NOW, newest=2)
    assert found == {SeriesKey("a", "net_bytes_in", "eth 0"): [(at(298), 20), (at(297), 30)]}


def test_means_are_of_whole_parts_of_time(points: Points) -> None:
    found = points.means("a", ["cpu_percent", "disk_percent"], NOW - 3600, NOW, 600)
    assert [value for _, value in found[SeriesKey("a", "cpu_percent", "")]] == [20]
    assert [value for _, value in found[SeriesKey("a", "disk_percent", "/1")]] == [51]


def test_the_newest_description_of_an_interface_counts(points: Points) -> None:
    infos = points.interfaces(ODD, NOW - 3600, NOW)
    assert infos == {"eth 0": InterfaceInfo("eth 0", 'to "core"', "ethernetCsmacd", 7)}


def test_an_influxdb_that_is_away_or_refuses_says_why_and_never_the_token(any_influx: Influx) -> None:
    access = any_influx.access
    any_influx.server.away = True
    try:
        with pytest.raises(Unavailable, match=r"InfluxDB http://127\.0\.0\.1:\d+: 503 .*taken away"):
            Points(InfluxQuery(lambda: access)).newest("cpu_percent", 0, 1)
    finally:
        any_influx.server.away = False
    any_influx.server.token, token = "another", any_influx.server.token
    try:
        with pytest.raises(Unavailable, match=r"401 .*check the token") as refused:
            Points(InfluxQuery(lambda: access)).newest("cpu_percent", 0, 1)
    finally:
        any_influx.server.token = token
    assert token not in str(refused.value)
