"""What Windows counts, and what it amounts to."""

from collections.abc import Iterable

import msgspec
import pytest

from fixtures.windows import nic
from netvitals.collectors.cpu_usage import STALE_SECONDS, CpuSample
from netvitals.collectors.winrm.counters import (
    KeptCounters,
    booted_at,
    cpu_percent,
    cpu_sample,
    disk_points,
    network_points,
    system_points,
    temperature_points,
)
from netvitals.collectors.winrm.rows import WmiRow
from netvitals.domain.polling.point import Point, fault_of

SECOND = 10_000_000
START = 130_390_000_000_000_000  # a FILETIME of March 2014


def row(**given: object) -> WmiRow:
    return WmiRow({key: None if value is None else str(value) for key, value in given.items()}, 5)


def sample(idle: int, clock: int) -> CpuSample:
    return CpuSample(clock - idle, clock)


def told(points: Iterable[Point]) -> dict[tuple[str, str], float]:
    found = list(points)
    assert [fault_of(point) for point in found] == [None] * len(found)
    return {(point.metric_name, point.instance): point.value for point in found}


def test_what_was_not_idle_was_busy() -> None:
    before = sample(40 * SECOND, START)
    assert cpu_percent(before, sample(265 * SECOND, START + 300 * SECOND)) == pytest.approx(25)


def test_an_idle_host_whose_counter_runs_ahead_of_its_clock_is_at_zero() -> None:
    assert cpu_percent(sample(0, START), sample(301 * SECOND, START + 300 * SECOND)) == 0


@pytest.mark.parametrize(
    ("idle", "clock"),
    [
        pytest.param(0, 300 * SECOND, id="the counter was reset"),
        pytest.param(2**40 + 1, 0, id="the clock stood still"),
        pytest.param(2**40 + 1, -SECOND, id="the clock went back"),
        pytest.param(2**40 + 900 * SECOND, 300 * SECOND, id="more idle time than time"),
    ],
)
def test_counters_that_make_no_sense_give_no_value(idle: int, clock: int) -> None:
    assert cpu_percent(sample(2**40, START), sample(idle, START + clock)) is None


def test_a_32_bit_counter_that_wrapped_goes_on() -> None:
    before, after = sample(2**32 - 50 * SECOND, START), sample(25 * SECOND, START + 100 * SECOND)
    assert cpu_percent(before, after) == pytest.approx(25)


def test_only_the_total_of_all_processors_is_read() -> None:
    rows = [
        row(Name="0,_Total", PercentProcessorTime=1, Timestamp_Sys100NS=2),
        row(Name="_Total", PercentProcessorTime=3, Timestamp_Sys100NS=4),
    ]
    assert cpu_sample(rows) == (5, sample(3, 4))
    assert cpu_sample(rows[:1]) is None


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({}, True),
        ({"of": "another class"}, False),
        ({"booted": 1}, False),
        ({"booted": 1030}, True),
        ({"booted": None}, True),
        ({"clock": START - STALE_SECONDS * SECOND}, False),
        ({"clock": START + SECOND}, False),
    ],
)
def test_a_kept_sample_counts_for_the_same_class_and_boot_and_not_for_ever(
    changes: dict[str, object], *, usable: bool
) -> None:
    given: dict[str, object] = {
        "idle": 1,
        "clock": START - 300 * SECOND,
        "of": "c",
        "booted": 1000,
        **changes,
    }
    kept = msgspec.convert(given, KeptCounters)
    assert kept.is_usable("c", 1000, sample(2, START)) is usable


@pytest.mark.parametrize(
    ("booted", "now"),
    [
        ("2014-03-10T08:00:00.5-06:00", "2014-03-11T08:00:00.5-06:00"),
        ("2014-03-10T14:00:00Z", "2014-03-11T08:00:00-06:00"),
        ("20140310080000.500000-360", "20140311080000.500000-360"),
        ("20140310150000.000000+060", "20140311080000.000000-360"),
        ("2014-03-10T14:00:00.1234567Z", "2014-03-11T14:00:00.1234567Z"),
    ],
)
def test_uptime_is_the_time_since_boot_by_the_hosts_own_clock(booted: str, now: str) -> None:
    rows = [row(LastBootUpTime=booted, LocalDateTime=now)]
    assert told(system_points(rows)) == {("uptime_seconds", ""): pytest.approx(86_400, abs=1)}
    assert booted_at(rows) == 1_394_460_000


def test_memory_is_in_kibibytes() -> None:
    found = told(system_points([row(TotalVisibleMemorySize=4_000_000, FreePhysicalMemory=1_000_000)]))
    assert found == {
        ("memory_percent", ""): 75,
        ("memory_used_bytes", ""): 3_000_000 * 1024,
        ("memory_total_bytes", ""): 4_000_000 * 1024,
    }


@pytest.mark.parametrize("free", [None, "", "-1", "5000000", "1e3", "٣", "9" * 30])
def test_memory_that_is_no_number_or_more_than_there_is_gives_nothing(free: str | None) -> None:
    assert told(system_points([row(TotalVisibleMemorySize=4_000_000, FreePhysicalMemory=free)])) == {}


def test_a_volume_that_is_locked_has_no_size_and_costs_no_other_its_value() -> None:
    found = told(
        disk_points([row(DeviceID="D:", Size=None, FreeSpace=None), row(DeviceID="C:", Size=8, FreeSpace=2)])
    )
    assert found == {
        ("disk_percent", "C:"): 75,
        ("disk_used_bytes", "C:"): 6,
        ("disk_total_bytes", "C:"): 8,
    }


def test_what_a_terminal_obeys_is_out_of_a_name_before_it_is_a_point() -> None:
    points = [
        *network_points([row(**nic("Ethernet\x1b[2J"))]),
        *disk_points([row(DeviceID="C:\x9b", Size=8, FreeSpace=2)]),
    ]
    assert {point.instance for point in points} == {"Ethernet [2J", "C:"}


def test_interfaces_give_what_snmp_gives() -> None:
    found = told(network_points([row(**nic("Intel[R] PRO_1000"))]))
    assert found == {
        (name, "Intel[R] PRO_1000"): value
        for name, value in {
            "net_bytes_in": 1000,
            "net_bytes_out": 500,
            "net_errors_in": 3,
            "net_errors_out": 0,
            "net_discards_in": 1,
            "net_discards_out": 0,
            "net_speed_bps": 1e9,
        }.items()
    }


def test_a_counter_of_an_old_host_is_stored_as_it_is_and_a_negative_one_is_not() -> None:
    given = {**nic("NIC"), "BytesReceivedPersec": 2**32 - 1, "BytesSentPersec": -5, "CurrentBandwidth": 0}
    found = told(network_points([row(**given)]))
    assert found["net_bytes_in", "NIC"] == 2**32 - 1
    assert not {("net_bytes_out", "NIC"), ("net_speed_bps", "NIC")} & set(found)


def test_thermal_zones_are_tenths_of_a_kelvin_and_zero_is_no_sensor() -> None:
    rows = [
        row(Name=r"\_TZ.TZ00", HighPrecisionTemperature=3010),
        row(Name=r"\_TZ.TZ01", HighPrecisionTemperature=0),
        row(Name=r"\_TZ.TZ02", HighPrecisionTemperature=9999),
    ]
    assert told(temperature_points(rows)) == {("temperature_celsius", "_TZ.TZ00"): pytest.approx(27.85)}
