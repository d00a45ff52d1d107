"""The points of CPU, memory, disks and temperature, as every protocol makes them."""

import pytest

from netvitals.collectors.vital_points import cpu, is_connected, temperature, usage
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.point import Point, fault_of

NOW = 5


def test_an_amount_of_a_total_is_percent_used_and_total() -> None:
    assert usage("memory", 250, 1000, NOW) == [
        Point("memory_percent", 25.0, NOW),
        Point("memory_used_bytes", 250.0, NOW),
        Point("memory_total_bytes", 1000.0, NOW),
    ]


def test_a_percentage_that_a_device_tells_beats_the_one_that_follows() -> None:
    points = usage("disk", 250, 1000, NOW, "/", percent=30.5)
    assert [(point.metric_name, point.value, point.instance) for point in points] == [
        ("disk_percent", 30.5, "/"),
        ("disk_used_bytes", 250.0, "/"),
        ("disk_total_bytes", 1000.0, "/"),
    ]


@pytest.mark.parametrize(
    ("used", "total", "percent", "names"),
    [
        (None, None, 12.0, ["disk_percent"]),
        (None, 1000, 12.0, ["disk_percent", "disk_total_bytes"]),
        (250, None, None, ["disk_used_bytes"]),
        (250, 0, None, ["disk_used_bytes", "disk_total_bytes"]),
        (None, None, None, []),
    ],
)
def test_what_is_not_known_is_left_out(
    used: float | None, total: float | None, percent: float | None, names: list[str]
) -> None:
    assert [point.metric_name for point in usage("disk", used, total, NOW, percent=percent)] == names


@pytest.mark.parametrize("celsius", [-128.0, -40.0, 0.0, 125.0, 127.0])
def test_a_sensor_that_is_not_connected_measures_nothing(celsius: float) -> None:
    assert not is_connected(celsius)


@pytest.mark.parametrize("celsius", [-39.9, 0.1, 45.0, 124.9])
def test_a_sensor_that_is_connected_measures(celsius: float) -> None:
    assert is_connected(celsius)


def test_a_temperature_has_three_decimals() -> None:
    assert temperature(26.850000000000023, NOW, "TZ00") == Point("temperature_celsius", 26.85, NOW, "TZ00")


def test_every_point_is_of_a_known_metric() -> None:
    points = [cpu(1, NOW), temperature(20, NOW), *usage("memory", 1, 2, NOW), *usage("disk", 1, 2, NOW)]
    assert [fault_of(point) for point in points] == [None] * 8
    assert {point.metric_name for point in points} <= METRICS.keys()
