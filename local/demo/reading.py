"""Read what the demo shows from the database and from InfluxDB."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from netvitals.adapters.postgres.database import Database

WINDOW_SECONDS = 90
"""Values older than this are not shown: they say nothing about now."""
_STATE = """
    SELECT d.id, d.hostname, host(d.ip_address), coalesce(s.status, 'unknown'), coalesce(s.reason, ''),
        coalesce(s.detail, ''), coalesce(s.cause, ''), coalesce(s.method, ''),
        coalesce(s.memory #>> '{snmp,profile}', ''), extract(epoch FROM now() - s.last_seen_at)::float8
    FROM devices d LEFT JOIN device_state s ON s.device_id = d.id
"""
_COUNTERS = ("net_bytes_in", "net_bytes_out")
_WRAP = 2**32
"""Where a 32-bit counter starts anew; one that was below and falls has wrapped."""


class Reads(Protocol):
    def query(self, statement: str) -> list[dict[str, Any]]:
        """Return an InfluxQL statement's rows; raises Unreadable."""
        ...


class State(NamedTuple):
    """A device as the database knows it."""

    id: str
    hostname: str
    address: str
    status: str
    reason: str
    detail: str
    cause: str
    method: str
    profile: str
    seen_seconds_ago: float | None


class Vitals(NamedTuple):
    """A device's newest values in InfluxDB, by metric: its own, or the highest of its instances."""

    values: Mapping[str, float]
    bits_per_second: Mapping[str, float]
    """Of all interfaces together, by counter, from its last two values."""


class Points(NamedTuple):
    """Points that InfluxDB holds since the start."""

    vitals: Mapping[str, Vitals]
    total: int


NOTHING = Points({}, 0)


class View(NamedTuple):
    """Snapshot of the database, InfluxDB and the spool."""

    states: Sequence[State]
    """In the order of the devices."""
    points: Points = NOTHING
    spooled: int = 0
    """Messages in the spool."""
    notice: str = ""
    """What is wrong just now; points are then those of before."""


def states(database: Database) -> dict[str, State]:
    """Return the state of each device by its id."""
    rows = database.run(lambda cursor: cursor.execute(_STATE).fetchall(), read_only=True)
    return {row[0]: State(*row) for row in rows}


def points(influx: Reads, started_ns: int) -> Points:
    """Return the newest values, the rates, and the number of points since the start.

    Raises:
        Unreadable: it does not say.
    """
    since = max(started_ns, time.time_ns() - WINDOW_SECONDS * 10**9)
    newest = influx.query(f"SELECT last(value) FROM device_metrics WHERE time >= {since} GROUP BY *")  # noqa: S608, a number
    counted = influx.query(f"SELECT count(value) FROM device_metrics WHERE time >= {started_ns}")  # noqa: S608, a number
    rates: dict[str, dict[str, float]] = {}
    for counter in _COUNTERS:
        for device, bits in _bits_per_second(influx, counter, since).items():
            rates.setdefault(device, {})[counter] = bits
    values = _by_device(newest)
    vitals = {device: Vitals(values[device], rates.get(device, {})) for device in values}
    return Points(vitals, counted[0]["count"] if counted else 0)


def _by_device(newest: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    own: dict[str, dict[str, float]] = {}
    highest: dict[str, dict[str, float]] = {}
    for row in newest:
        device, metric, value = row["device_id"], row["metric_name"], row["last"]
        if not row.get("instance"):
            own.setdefault(device, {})[metric] = value
        else:
            found = highest.setdefault(device, {})
            found[metric] = max(value, found.get(metric, value))
    return {device: highest.get(device, {}) | own.get(device, {}) for device in own.keys() | highest.keys()}


def _bits_per_second(influx: Reads, counter: str, since: int) -> dict[str, float]:
    rows = influx.query(
        f"SELECT value FROM device_metrics WHERE metric_name = '{counter}' AND time >= {since} "  # noqa: S608, nothing here is foreign
        "GROUP BY * ORDER BY time DESC LIMIT 2"
    )
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        pairs.setdefault((row["device_id"], row.get("instance", "")), []).append(row)
    total: dict[str, float] = {}
    for (device, _), pair in pairs.items():
        if len(pair) > 1:
            total[device] = total.get(device, 0) + _rate(*pair)
    return total


def _rate(newer: Mapping[str, Any], older: Mapping[str, Any]) -> float:
    grown = newer["value"] - older["value"]
    if grown < 0:
        grown = grown + _WRAP if older["value"] < _WRAP else 0
    return float(grown * 8e9 / (newer["time"] - older["time"]))
