"""Compute a device's bytes of line protocol, by simulated polls through the real rule and encoder."""

from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import NamedTuple

from netvitals.domain.polling.changes import (
    FULL_SECONDS,
    InterfaceInfo,
    Poll,
    Samples,
    changes,
    status_changes,
)
from netvitals.domain.polling.point import Point
from netvitals.store.line_protocol import encode, encode_interfaces, status_line

DEVICE_ID = "access-sw-0001"
"""An id of average length."""
PORT_NAME = "GigabitEthernet1/0/{}"
DESCRIPTION = "desk 001, 2nd floor"
_PLAYED = 16
"""Ports, or measures, of a simulated device; its bytes divided by this are those of one."""
_FEWEST_POLLS = 10
_START = 1_795_000_000
_NS = 10**9


class _Played(NamedTuple):
    ports: int = 0
    moving: int = 0
    """Number of ports whose octets move between any two polls."""
    measures: int = 0
    """Values that every poll writes, beyond those of a switch."""


def metrics_lines(
    ports: float, used: float, measures: float, interval: int, *, everything: bool = False
) -> float:
    """Return the bytes a second that metrics polls of a device write, as InfluxDB bills them.

    Args:
        ports: interfaces.
        used: share of them whose octets move.
        measures: values beside those that every switch has, such as the percentages of further disks.
        interval: seconds between two polls.
        everything: whether all points of each poll are written.
    """
    base = _written(_Played(), interval, everything=everything)

    def more(played: _Played) -> float:
        return (_written(played, interval, everything=everything) - base) / _PLAYED

    idle, moving = _Played(ports=_PLAYED), _Played(ports=_PLAYED, moving=_PLAYED)
    per_port = (1 - used) * more(idle) + used * more(moving)
    return base + ports * per_port + measures * more(_Played(measures=_PLAYED))


def status_lines(interval: int, *, everything: bool = False) -> float:
    """Return the bytes a second that status polls write for a device that answers all of them."""
    points = _reached(_START * _NS)
    return (
        _size(encode(DEVICE_ID, points if everything else status_changes(points, {}, steady=True))) / interval
    )


def heartbeat_lines(interval: int) -> float:
    """Return the bytes a second that the status function writes for a device whose status does not change."""
    return _size([status_line(DEVICE_ID, "online", 1, _START * _NS)]) / interval


def silent_lines(interval: int) -> float:
    """Return the bytes a second that polls write for a device that does not answer."""
    return _size(encode(DEVICE_ID, [Point("ping_status", 0, _START * _NS)])) / interval


def points_of(ports: float, measures: float) -> float:
    """Return the number of points of one metrics poll."""
    base, port = (len(_points(_Played(ports=number), 0)) for number in (0, 1))
    return base + ports * (port - base) + measures


def series_of(ports: float, measures: float) -> float:
    """Return how many series InfluxDB keeps of a device: one for each field of each measurement and tags."""
    return points_of(ports, measures) + 3 * ports + 2


def _size(lines: list[str]) -> int:
    """Return the bytes of lines, with their line breaks."""
    return sum(len(line.encode()) + 1 for line in lines)


@cache
def _written(played: _Played, interval: int, *, everything: bool) -> float:
    """Return the bytes a second of a device, averaged over polls that span several full writes."""
    if everything:
        return _size(encode(DEVICE_ID, _points(played, 1))) / interval
    polls = max(_FEWEST_POLLS, 2 * FULL_SECONDS // interval)
    infos = [_info(number) for number in range(played.ports)]
    samples: Samples | None = None
    lines: list[str] = []
    for number, due_at in zip(range(polls + 1), count(_START, interval), strict=False):
        poll = Poll(DEVICE_ID, "10.0.0.1", due_at, interval)
        found = changes(poll, _points(played, number, due_at), samples, infos)
        samples = found.samples
        if number:  # the first writes everything because nothing is known before it
            lines += encode(DEVICE_ID, found.points)
            lines += encode_interfaces(DEVICE_ID, found.interfaces, due_at * _NS)
    return _size(lines) / (polls * interval)


def _info(number: int) -> InterfaceInfo:
    return InterfaceInfo(PORT_NAME.format(number + 1), DESCRIPTION, "ethernetCsmacd", number + 1)


def _points(played: _Played, number: int, due_at: int = _START) -> list[Point]:
    """Return the points of a device's poll, like those of a Cisco switch."""
    time_ns = due_at * _NS + 123_456_789
    points = [
        *_reached(time_ns),
        Point("collect_ok", 1, time_ns),
        Point("collect_duration_ms", 312.4475860595703, time_ns),
        Point("uptime_seconds", float(10_000_000 + due_at - _START), time_ns),
        Point("cpu_percent", 17.0, time_ns),
        Point("memory_percent", 31.41592653589793, time_ns),
        Point("memory_used_bytes", 30_000_000.0 + number, time_ns),
        Point("memory_total_bytes", 100_000_000.0, time_ns),
        Point("temperature_celsius", 38.0, time_ns, "SW#1, Sensor#1 (envmon)"),
        *_parts(time_ns),
        *(
            Point("disk_percent", 31.41592653589793, time_ns, f"/srv/data/{n}")
            for n in range(played.measures)
        ),
    ]
    for port in range(played.ports):
        points += _port_points(port, number if port < played.moving else 0, time_ns)
    return points


def _parts(time_ns: int) -> Iterator[Point]:
    """Yield the points of parts such as fans: their values stay within their deadband while nothing fails."""
    for number in (1, 2):
        yield Point("fan_rpm", 4100.0, time_ns, f"Switch 1 - FAN {number} speed")
        yield Point("fan_state", 1, time_ns, f"Switch 1 - FAN {number}")
        yield Point("power_supply_state", 1, time_ns, f"Switch 1 - Power Supply {number}")
    yield Point("poe_watts", 115.0, time_ns)


def _reached(time_ns: int) -> list[Point]:
    return [Point("ping_status", 1, time_ns), Point("ping_rtt_ms", 51.23397558927536, time_ns)]


def _port_points(port: int, moved: int, time_ns: int) -> Iterator[Point]:
    values = {
        "net_oper_status": 1,
        "net_bytes_in": 4_000_000_000_000 + moved,
        "net_bytes_out": 4_000_000_000_000 + moved,
        "net_errors_in": 1,
        "net_errors_out": 1,
        "net_discards_in": 1,
        "net_discards_out": 1,
        "net_speed_bps": 1e9,
    }
    for name, value in values.items():
        yield Point(name, value, time_ns, PORT_NAME.format(port + 1), port + 1)
