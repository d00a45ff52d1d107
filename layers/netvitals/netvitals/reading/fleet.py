"""Read the fleet: every device with its status and newest vital signs, cached for some seconds."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from netvitals.domain.errors import NetvitalsError
from netvitals.reading.devices import InventoryReader, Site, StoredDevice
from netvitals.reading.influxql import stored_tag
from netvitals.reading.points import HELD_SECONDS, Points, SeriesKey
from netvitals.reading.rates import Samples, newest_rate

FLEET_METRICS = ("cpu_percent", "memory_percent", "temperature_celsius", "disk_percent", "ping_rtt_ms")
TRAFFIC = ("net_bytes_in", "net_bytes_out")
DEVICES_SECONDS = 4.0
"""Seconds for which one answer of PostgreSQL serves all visitors."""
POINTS_SECONDS = 30.0
"""Seconds for which one answer of InfluxDB, which bills queries, serves all visitors."""
VALUES_PATIENCE_SECONDS = 0.3
"""Seconds that the first visitor waits for values before the rows are shown without."""
TREND_SECONDS = 3 * 3600
MAX_DETAILED = 150
"""Most rows whose details are read at once: as many as a tall screen shows."""


class Fleet(NamedTuple):
    devices: Sequence[StoredDevice]
    vitals: Mapping[str, Mapping[str, float]]
    """Values by the device's stored tag and metric: its own value, or the highest of its instances."""
    lost: Sequence[Site]
    notice: str
    """Text that says why values are missing; empty where InfluxDB answered."""
    is_pending: bool
    """True where InfluxDB has not answered yet."""
    read_at: float


class Detail(NamedTuple):
    """Values that only visible rows of the table show."""

    trend: Samples
    """CPU over time; the round-trip time where there is no CPU."""
    bytes_per_second: Mapping[str, float]
    """Rates of all interfaces together, by counter."""


class Cached[Made]:
    """Caches an answer for some seconds.

    An answer that took long is kept for ten times as long as it took.
    """

    def __init__(self, read: Callable[[], Made], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._lock = threading.Lock()
        self._reading: threading.Thread | None = None
        self._made: Made | None = None
        self._until = float("-inf")

    def get(self) -> Made:
        """Return the answer, read again where it is too old; other threads wait for that read."""
        with self._lock:
            began = time.monotonic()
            if self._made is None or began >= self._until:
                self._made = self._read()
                now = time.monotonic()
                self._until = now + max(self._seconds, 10 * (now - began))
            return self._made

    def now(self, patience: float) -> Made | None:
        """Return the last answer, and start a thread that reads the next one where it is too old.

        None where there is none yet and none arrives within `patience` seconds. Errors of `read` are dropped.
        """
        if self._until <= time.monotonic() and (self._reading is None or not self._reading.is_alive()):
            self._reading = threading.Thread(target=self.get, daemon=True)
            self._reading.start()
        if self._made is None and self._reading is not None:
            self._reading.join(patience)
        return self._made


class FleetReader:
    """Reads the fleet for any number of visitors."""

    def __init__(
        self, devices: InventoryReader, points: Points, *, points_seconds: float = POINTS_SECONDS
    ) -> None:
        self._devices, self._points = devices, points
        self._fleet = Cached(self._read_devices, DEVICES_SECONDS)
        self._vitals = Cached(self._read_vitals, points_seconds)

    def fleet(self) -> Fleet:
        """Return the fleet; without values where InfluxDB can't be asked or has not answered yet.

        Raises:
            NetvitalsError: the database can't be used.
        """
        devices, lost = self._fleet.get()
        known = self._vitals.now(VALUES_PATIENCE_SECONDS)
        vitals, notice = known or ({}, "")
        return Fleet(devices, vitals, lost, notice, known is None, time.time())

    def details(self, ids: Collection[str]) -> dict[str, Detail]:
        """Return trend and traffic of some devices, by id; empty where InfluxDB can't be asked."""
        now = time.time()
        asked = set(ids)
        wanted = {device.id: device for device in self._fleet.get()[0] if device.id in asked}
        chosen = dict(list(wanted.items())[:MAX_DETAILED])
        try:
            trends = self._points.window(chosen, ("cpu_percent", "ping_rtt_ms"), now - TREND_SECONDS, now)
            counters = self._points.window(chosen, TRAFFIC, now - HELD_SECONDS, now, newest=2)
        except NetvitalsError:
            return {}
        cpu = {key.device: samples for key, samples in trends.items() if key[1:] == ("cpu_percent", "")}
        rtt = {key.device: samples for key, samples in trends.items() if key.metric == "ping_rtt_ms"}
        found = {}
        for device in chosen.values():
            tag = stored_tag(device.id)
            mine = {key: samples for key, samples in counters.items() if key.device == tag}
            found[device.id] = Detail(cpu.get(tag) or rtt.get(tag) or [], traffic(mine, device))
        return found

    def _read_devices(self) -> tuple[list[StoredDevice], list[Site]]:
        return self._devices.all(), self._devices.lost_sites()

    def _read_vitals(self) -> tuple[dict[str, dict[str, float]], str]:
        now = time.time()
        found: dict[str, dict[str, float]] = {}
        try:
            for metric in FLEET_METRICS:
                for device, value in representative(
                    self._points.newest(metric, now - HELD_SECONDS, now)
                ).items():
                    found.setdefault(device, {})[metric] = value
        except NetvitalsError as error:
            return found, str(error)
        return found, ""


def representative(values: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """Return each device's own value (instance ""), or the highest of its instances."""
    own = {device: value for (device, instance), value in values.items() if not instance}
    highest: dict[str, float] = {}
    for (device, _), value in values.items():
        highest[device] = max(value, highest.get(device, value))
    return highest | own


def traffic(counters: Mapping[SeriesKey, Samples], device: StoredDevice) -> dict[str, float]:
    """Return bytes per second of all interfaces together, by counter, up to the device's newest poll."""
    polled_ns = polled_until(device)
    total: dict[str, float] = {}
    for (_, metric, _), samples in counters.items():
        rate = newest_rate(samples, polled_ns)
        if rate is not None:
            total[metric] = total.get(metric, 0.0) + rate
    return total


def polled_until(device: StoredDevice) -> int:
    """Return when the device last answered a metrics poll, in nanoseconds: up to then counters are known."""
    if device.failures or device.metrics_attempt_at is None:
        return 0
    return int(device.metrics_attempt_at * 1e9)
