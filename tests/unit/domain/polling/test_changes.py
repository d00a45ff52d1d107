"""Report by exception: what is held back changes no value, no rate and no boot time."""

import random
import zlib
from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest

from fixtures.traces import START, played, poll_at
from netvitals.domain.polling.changes import (
    FULL_SECONDS,
    InterfaceInfo,
    Poll,
    Samples,
    changes,
    status_changes,
    status_memory,
)
from netvitals.domain.polling.point import Point
from netvitals.domain.polling.samples_codec import pack, unpack

LOOKBACK_SECONDS = 70 * 60


def octets(due_at: int, value: int, instance: str = "Gi1/0/1", if_index: int = 1) -> Point:
    return Point("net_bytes_in", value, due_at * 10**9 + 123, instance=instance, if_index=if_index)


def first_poll(*points: Point) -> Samples:
    return changes(poll_at(START), points, None).samples


def test_the_first_poll_of_a_device_writes_everything() -> None:
    points = [octets(START, 5), Point("cpu_percent", 3.0, START)]
    assert changes(poll_at(START), points, None).points == points


def test_a_counter_that_stands_still_is_held_back() -> None:
    before = first_poll(octets(START, 5))
    found = changes(poll_at(START + 300), [octets(START + 300, 5)], before)
    assert found.points == []
    assert found.held == [octets(START + 300, 5)]


def test_a_counter_that_moves_after_idleness_brings_its_last_idle_sample_at_its_own_time() -> None:
    before = first_poll(octets(START, 5))
    before = changes(poll_at(START + 300), [octets(START + 300, 5)], before).samples
    before = changes(poll_at(START + 600), [octets(START + 600, 5)], before).samples
    found = changes(poll_at(START + 900), [octets(START + 900, 77)], before)
    assert found.points == [octets(START + 600, 5), octets(START + 900, 77)]


def test_a_counter_that_moves_with_each_poll_is_written_once_a_poll() -> None:
    before = first_poll(octets(START, 5))
    assert changes(poll_at(START + 300), [octets(START + 300, 6)], before).points == [octets(START + 300, 6)]


def test_percentages_and_temperatures_are_written_with_each_poll() -> None:
    steady = [Point("cpu_percent", 3.0, START), Point("temperature_celsius", 30.0, START, instance="inlet")]
    assert changes(poll_at(START + 300), steady, first_poll(*steady)).points == steady


def fan(due_at: int, rpm: float) -> Point:
    return Point("fan_rpm", rpm, due_at * 10**9, instance="Fan 1")


def test_a_value_that_stays_within_its_deadband_stands_where_it_was_written() -> None:
    before, written = first_poll(fan(START, 4000.0)), []
    for number, rpm in enumerate((4100.0, 4190.0, 3810.0, 4210.0, 4300.0), 1):
        found = changes(poll_at(START + 300 * number), [fan(START + 300 * number, rpm)], before)
        before = found.samples
        written += found.points
    # Within 5 % of 4000, however it got there; then the end of the standstill, and what is beyond.
    assert written == [fan(START + 900, 4000.0), fan(START + 1200, 4210.0)]


def test_a_full_write_tells_the_value_itself_and_the_deadband_begins_there() -> None:
    before = first_poll(fan(START, 4000.0))
    due_at = START
    while before.full_at == START:
        due_at += 300
        found = changes(poll_at(due_at), [fan(due_at, 4150.0)], before)
        before = found.samples
    assert found.points[-1] == fan(due_at, 4150.0)
    assert changes(poll_at(due_at + 300), [fan(due_at + 300, 4300.0)], before).points == []


def test_everything_is_written_every_fifty_minutes() -> None:
    before, written = first_poll(octets(START, 5)), []
    for due_at in range(START + 300, START + 300 + 20 * 300, 300):
        found = changes(poll_at(due_at), [octets(due_at, 5)], before)
        before = found.samples
        written += [due_at] if found.points else []
    assert len(written) == 2
    assert written[1] - written[0] == FULL_SECONDS


def test_devices_write_everything_at_different_times() -> None:
    def full_at(device_id: str) -> int:
        before = changes(Poll(device_id, "10.0.0.1", START, 300), [octets(START, 5)], None).samples
        for due_at in range(START + 300, START + 3600, 300):
            found = changes(Poll(device_id, "10.0.0.1", due_at, 300), [octets(due_at, 5)], before)
            if found.points:
                return due_at
            before = found.samples
        raise AssertionError

    assert len({full_at(f"sw-{number}") for number in range(100)}) == 10


def test_a_poll_that_follows_one_that_was_not_recorded_writes_everything() -> None:
    assert changes(poll_at(START + 600), [octets(START + 600, 5)], first_poll(octets(START, 5))).points


def test_another_address_under_the_same_id_is_another_device() -> None:
    before = first_poll(octets(START, 5))
    assert changes(poll_at(START + 300, "10.0.0.2"), [octets(START + 300, 5)], before).points


def test_an_interface_that_moves_to_another_index_is_written() -> None:
    before = first_poll(octets(START, 5))
    moved = octets(START + 300, 5, if_index=7)
    assert changes(poll_at(START + 300), [moved], before).points == [moved]


def test_a_reboot_writes_everything() -> None:
    def points(due_at: int, uptime: float) -> list[Point]:
        return [Point("uptime_seconds", uptime, due_at * 10**9), octets(due_at, 0)]

    before = first_poll(*points(START, 9000))
    assert changes(poll_at(START + 300), points(START + 300, 9300), before).points == []
    rebooted = points(START + 300, 12)
    assert changes(poll_at(START + 300), rebooted, before).points == rebooted


def test_an_uptime_that_drifts_from_the_one_written_is_written() -> None:
    def uptime(due_at: int, drift: float) -> list[Point]:
        return [Point("uptime_seconds", due_at - START + 100 + drift, due_at * 10**9)]

    before = changes(poll_at(START + 300), uptime(START + 300, 3), first_poll(*uptime(START, 0))).samples
    found = changes(poll_at(START + 600), uptime(START + 600, 6), before)
    assert found.points == uptime(START + 300, 3) + uptime(START + 600, 6)


def test_a_series_that_vanishes_leaves_its_last_sample() -> None:
    before = first_poll(octets(START, 5))
    before = changes(poll_at(START + 300), [octets(START + 300, 5)], before).samples
    found = changes(poll_at(START + 600), [], before)
    assert found.points == [octets(START + 300, 5)]
    assert changes(poll_at(START + 900), [], found.samples).points == []


def test_an_interface_is_described_when_it_is_new_or_described_anew() -> None:
    core = InterfaceInfo("Gi1/0/1", "to core", "ethernetCsmacd", 1)
    found = changes(poll_at(START), [], None, [core])
    assert found.interfaces == [core]
    found = changes(poll_at(START + 300), [], found.samples, [core])
    assert found.interfaces == []
    renamed = msgspec.structs.replace(core, description="to edge")
    assert changes(poll_at(START + 600), [], found.samples, [renamed]).interfaces == [renamed]


def test_samples_survive_their_packing_to_the_nanosecond_and_to_the_last_digit() -> None:
    points = [octets(START, 2**64 - 1), Point("net_speed_bps", 1e9 / 3, START * 10**9 + 7, instance="ä")]
    samples = changes(poll_at(START), points, None, [InterfaceInfo("ä", "x", "y", 3)]).samples
    packed = pack(samples)
    assert packed is not None
    assert unpack(packed) == samples


@pytest.mark.parametrize("packed", [b"", b"x", b"\x78\x9c\x03\x00\x00\x00\x00\x01", bytes(100)])
def test_samples_that_can_not_be_read_are_no_samples(packed: bytes) -> None:
    assert unpack(packed) is None


def test_a_truncated_or_mutated_packing_never_raises() -> None:
    packed = pack(first_poll(octets(START, 5), octets(START, 6, "Gi1/0/2", 2)))
    assert packed is not None
    generator = random.Random(5)  # noqa: S311, repeatable
    for _ in range(2000):
        damaged = bytearray(packed[: generator.randrange(len(packed) + 1)])
        if damaged:
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        unpack(bytes(damaged))


def test_columns_that_do_not_belong_together_are_no_samples() -> None:
    packed = pack(first_poll(octets(START, 5), octets(START, 6, "Gi1/0/2", 2), fan(START, 4000.0)))
    assert packed is not None
    body, generator, refused = zlib.decompress(packed), random.Random(6), 0  # noqa: S311, repeatable
    for _ in range(3000):
        damaged = bytearray(body)
        damaged[generator.randrange(len(body))] = generator.randrange(256)
        found = unpack(zlib.compress(damaged))
        refused += found is None
        if found is not None:
            assert sum(map(len, found.series.values())) <= 3
    assert 300 < refused < 3000


def test_samples_of_another_version_are_no_samples() -> None:
    packed = pack(first_poll(octets(START, 5)))
    assert packed is not None
    version, *rest = msgspec.msgpack.decode(zlib.decompress(packed))
    assert unpack(zlib.compress(msgspec.msgpack.encode([version, *rest]))) is not None
    assert unpack(zlib.compress(msgspec.msgpack.encode([version - 1, *rest]))) is None


def test_an_interface_with_another_alias_is_another_series() -> None:
    def named(due_at: int, alias: str) -> Point:
        return msgspec.structs.replace(octets(due_at, 5), alias=alias)

    before = first_poll(named(START, "uplink"))
    before = changes(poll_at(START + 300), [named(START + 300, "uplink")], before).samples
    found = changes(poll_at(START + 600), [named(START + 600, "core")], before)
    assert found.points == [named(START + 300, "uplink"), named(START + 600, "core")]


def status_poll(at: float, uptime: float, **values: float) -> list[Point]:
    time_ns = int(at * 1e9)
    given = {"uptime_seconds": uptime, "ping_status": 1, "ping_rtt_ms": 2.5, "ping_loss_percent": 0.0}
    return [Point(name, value, time_ns) for name, value in (given | values).items()]


def test_of_a_status_poll_like_the_one_before_only_the_round_trip_time_is_written() -> None:
    memory = status_memory(status_poll(START, 1000), {})
    again = status_poll(START + 30, 1030)
    assert [point.metric_name for point in status_changes(again, memory, steady=True)] == ["ping_rtt_ms"]
    assert status_memory(again, memory) == {}


def test_a_reboot_and_a_loss_are_written_by_the_status_poll_that_sees_them() -> None:
    memory = status_memory(status_poll(START, 1000), {})
    rebooted = status_poll(START + 30, 3, ping_loss_percent=50.0)
    written = {point.metric_name for point in status_changes(rebooted, memory, steady=True)}
    assert written == {"uptime_seconds", "ping_rtt_ms", "ping_loss_percent"}
    assert status_memory(rebooted, memory) == {"booted_at": START + 27, "ping_lost": True}
    assert status_memory(status_poll(START + 60, 33), memory | {"ping_lost": True})["ping_lost"] is None


def test_a_memory_that_somebody_else_wrote_is_no_uptime() -> None:
    points = status_poll(START, 1000)
    assert len(status_changes(points, {"booted_at": "x"}, steady=True)) == 2


# --- A whole history


def _segments(points: dict[int, float]) -> Iterator[tuple[tuple[int, float], tuple[int, float]]]:
    return pairwise(sorted(points.items()))


@pytest.mark.parametrize("seed", range(100))
def test_every_value_and_rate_is_as_if_everything_were_written(seed: int) -> None:
    stores, _ = played(seed)
    for key, everything in stores.everything.items():
        reported = stores.reported[key]
        assert reported.items() <= everything.items(), "nothing is written that was not measured"
        for (start, value), (end, next_value) in _segments(reported):
            for time_ns in (time_ns for time_ns in everything if start < time_ns < end):
                if key[0] == "uptime_seconds":
                    expected = value + (time_ns - start) / 1e9
                    assert abs(everything[time_ns] - expected) <= 5
                else:
                    assert everything[time_ns] == value == next_value, (key, time_ns)


@pytest.mark.parametrize("seed", range(100))
def test_every_last_value_of_seventy_minutes_is_as_if_everything_were_written(seed: int) -> None:
    stores, end = played(seed)
    for key, everything in stores.everything.items():
        reported = stores.reported[key]
        for now in range(START + 60, end, 157):
            window = (now - LOOKBACK_SECONDS) * 10**9, now * 10**9
            expected, last = _last(everything, *window), _last(reported, *window)
            if key[0] == "uptime_seconds" and expected and last:
                booted, other = expected[0] / 1e9 - expected[1], last[0] / 1e9 - last[1]
                assert abs(booted - other) <= 5
            else:
                assert (last and last[1]) == (expected and expected[1]), (key, now)


def _last(points: dict[int, float], start: int, end: int) -> tuple[int, float] | None:
    within = [time_ns for time_ns in points if start <= time_ns < end]
    return (max(within), points[max(within)]) if within else None
