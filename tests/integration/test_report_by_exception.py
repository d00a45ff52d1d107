"""A real InfluxDB answers the same whether everything was written, or what is reported by exception."""

import time
from typing import Any

import pytest

from fixtures.influxdb import Influx
from fixtures.known_stores import NEEDS_INFLUX
from fixtures.traces import START, SeriesPoints, Stores, played
from netvitals.domain.polling.point import Point
from netvitals.store.line_protocol import encode

pytestmark = NEEDS_INFLUX

LAST = (
    'SELECT LAST("value") AS "value" FROM "device_metrics" WHERE "device_id" = \'{device}\''
    ' AND time > {now}s - 70m AND time <= {now}s GROUP BY "metric_name", "instance"'
)
CHANGE = (
    'SELECT SPREAD("value") AS "value" FROM "device_metrics" WHERE "device_id" = \'{device}\''
    ' AND "metric_name" = \'net_bytes_in\' AND time > {start}s AND time <= {now}s GROUP BY "instance"'
)
BOOTED = (
    'SELECT LAST("value") AS "value" FROM "device_metrics" WHERE "device_id" = \'{device}\''
    " AND \"metric_name\" = 'uptime_seconds' AND time > {now}s - 70m AND time <= {now}s"
)


def write(influx: Influx, device: str, store: SeriesPoints) -> None:
    points = [
        Point(metric, value, time_ns, instance)
        for (metric, instance), values in store.items()
        for time_ns, value in values.items()
    ]
    outcome = influx.sink().write(encode(device, points), time.monotonic() + 60)
    assert (outcome.accepted, outcome.refused) == (len(points), [])


@pytest.fixture(scope="module", params=[3, 21, 66, 110])
def history(request: pytest.FixtureRequest) -> tuple[Stores, int]:
    return played(request.param)


@pytest.fixture
def filled(influx: Influx, history: tuple[Stores, int]) -> Influx:
    write(influx, "everything", history[0].everything)
    write(influx, "reported", history[0].reported)
    return influx


def answers(influx: Influx, statement: str, **given: Any) -> list[dict[tuple[str, ...], float]]:
    """Return, of both stores, the value of each series."""
    return [
        {
            tuple(str(row.get(tag, "")) for tag in ("metric_name", "instance")): row["value"]
            for row in influx.query(statement.format(device=device, **given))
            if row.get("metric_name") != "uptime_seconds"
        }
        for device in ("everything", "reported")
    ]


def test_the_last_values_of_seventy_minutes_are_the_same(filled: Influx, history: tuple[Stores, int]) -> None:
    _, end = history
    for now in range(START + 600, end, max(600, (end - START) // 12)):
        everything, reported = answers(filled, LAST, now=now)
        assert everything
        assert reported == everything


def test_what_a_counter_moved_is_the_same(filled: Influx, history: tuple[Stores, int]) -> None:
    _, end = history
    for start in range(START, end - 4200, max(600, (end - START) // 12)):
        everything, reported = answers(filled, CHANGE, start=start, now=start + 4200)
        moved = {series: value for series, value in everything.items() if value}
        assert {series: value for series, value in reported.items() if value} == moved


def test_the_rate_between_any_two_polls_is_the_same(filled: Influx) -> None:
    """Between neighbouring points of the fuller store, the derivative of the other one is the same."""
    derivative = (
        'SELECT NON_NEGATIVE_DERIVATIVE("value", 1s) AS "rate" FROM "device_metrics"'
        ' WHERE "device_id" = \'{device}\' AND "metric_name" = \'net_bytes_in\' GROUP BY "instance"'
    )
    rates = []
    for device in ("everything", "reported"):
        found: dict[str, dict[int, float]] = {}
        for row in filled.query(derivative.format(device=device)):
            found.setdefault(row["instance"], {})[row["time"]] = row["rate"]
        rates.append(found)
    everything, reported = rates
    for instance, values in everything.items():
        written = reported.get(instance, {})
        for time_ns, rate in values.items():
            # A point that was held back stands in a standstill: the next one written has a rate of 0.
            later = [written[each] for each in sorted(written) if each >= time_ns]
            assert rate == pytest.approx(written.get(time_ns, later[0] if later else 0.0)), (
                instance,
                time_ns,
            )


def test_boot_times_are_the_same_within_seconds(filled: Influx, history: tuple[Stores, int]) -> None:
    _, end = history
    for now in range(START + 600, end, max(600, (end - START) // 12)):
        booted = []
        for device in ("everything", "reported"):
            rows = filled.query(BOOTED.format(device=device, now=now))
            booted += [row["time"] / 1e9 - row["value"] for row in rows]
        assert not booted or booted[0] == pytest.approx(booted[1], abs=5.1)
