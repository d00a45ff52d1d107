"""Read one device for the page and the terminal: vital signs, interfaces, events, what is missing and why."""

import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from netvitals.domain.errors import NetvitalsError
from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.metrics import OPER_STATUS, VITALS
from netvitals.reading.devices import Event, InventoryReader, StoredDevice
from netvitals.reading.fleet import polled_until
from netvitals.reading.points import HELD_SECONDS, Points
from netvitals.reading.rates import Rate, Samples, newest_rate, rates

VITAL_METRICS = (*(vital.metric for vital in VITALS.values()), "ping_rtt_ms", "ping_loss_percent")
_HELD_METRICS = tuple(vital.metric for vital in VITALS.values() if not vital.every_poll)
"""Metrics of vital signs that are not written with every poll."""
STATE_METRICS = ("uptime_seconds", "collect_ok", "collect_duration_ms")
COUNTERS = (
    "net_bytes_in", "net_bytes_out", "net_errors_in", "net_errors_out", "net_discards_in", "net_discards_out",
)  # fmt: skip
_INTERFACE_STATES = ("net_speed_bps", "net_oper_status")
RAW_SECONDS = 86_400
"""Span up to which every value is read; longer spans are read as means of some 300 parts."""
EVENTS_SECONDS = 30 * 86_400
_EXPECTED = {
    "cpu_percent": "CPU", "memory_percent": "memory", "temperature_celsius": "temperature",
    "disk_percent": "disk",
}  # fmt: skip


class VitalSamples(msgspec.Struct, frozen=True):
    metric: str
    instance: str
    samples: Samples


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """An interface with its current rates, those between its last two polls."""

    name: str
    description: str = ""
    type: str = ""
    if_index: int | None = None
    oper_status: str = ""
    speed_bps: float | None = None
    per_second: Mapping[str, float | None] = {}
    """Rates by counter; None where the counter was reset."""
    trend: Sequence[Rate] = ()
    """Rates of bytes in over the last time."""

    def bits(self, counter: str) -> float | None:
        rate = self.per_second.get(counter)
        return None if rate is None else rate * 8

    @property
    def utilisation(self) -> float | None:
        """Return the percentage of the speed in the busier direction; None where speed or rate is unknown."""
        used = [
            bits for counter in ("net_bytes_in", "net_bytes_out") if (bits := self.bits(counter)) is not None
        ]
        return 100 * max(used) / self.speed_bps if used and self.speed_bps else None

    @property
    def faults_per_second(self) -> float:
        return sum(
            rate or 0
            for counter, rate in self.per_second.items()
            if "errors" in counter or "discards" in counter
        )


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    device: StoredDevice
    vitals: Sequence[VitalSamples]
    states: Mapping[str, float]
    """Newest values by metric, of metrics that are shown as text and not as a chart."""
    interfaces: Sequence[Interface]
    """Interfaces, the busiest first."""
    events: Sequence[Event]
    missing: Sequence[str]
    """Vital signs that the device did not give, each with the reason."""
    notice: str
    since: float
    until: float


class DeviceReader:
    """Reads one device at a time."""

    def __init__(self, devices: InventoryReader, points: Points) -> None:
        self._devices, self._points = devices, points

    def view(self, wanted: str, seconds: float) -> DeviceView:
        """Return a device as of now, with the values of the last `seconds`.

        Raises:
            NoSuchDevice: there is none.
            NetvitalsError: the database can't be used.
        """
        device = self._devices.find(wanted)
        now = time.time()
        events = self._devices.events(since=now - max(seconds, EVENTS_SECONDS), device=device.id, limit=200)
        notice, vitals, states, interfaces = "", [], {}, []
        try:
            vitals = self._vitals(device, now - seconds, now)
            states = self._states(device, now)
            interfaces = self._interfaces(device, now)
        except NetvitalsError as error:
            notice = str(error)
        missing = [] if notice else [*_missing(device, vitals, interfaces)]
        return DeviceView(
            device=device, vitals=vitals, states=states, interfaces=interfaces, events=events,
            missing=missing, notice=notice, since=now - seconds, until=now,
        )  # fmt: skip

    def interface_rates(self, wanted: str, interface: str, seconds: float) -> dict[str, list[Rate]]:
        """Return the rates of one interface's counters over the last `seconds`, by counter."""
        device = self._devices.find(wanted)
        now = time.time()
        found = self._points.window([device.id], COUNTERS, now - seconds - HELD_SECONDS, now)
        return {
            key.metric: [
                rate for rate in rates(samples, polled_until(device)) if rate.end_ns > (now - seconds) * 1e9
            ]
            for key, samples in found.items()
            if key.instance == interface
        }

    def _vitals(self, device: StoredDevice, since: float, until: float) -> list[VitalSamples]:
        span = until - since
        if span <= RAW_SECONDS:
            found = self._points.window([device.id], VITAL_METRICS, since, until)
            if span < HELD_SECONDS:
                found |= self._points.window([device.id], _HELD_METRICS, until - HELD_SECONDS, until)
        else:
            found = self._points.means(
                device.id, VITAL_METRICS, since, until, max(60, int(span / 300) // 60 * 60)
            )
        order = {name: place for place, name in enumerate(VITAL_METRICS)}
        keys = sorted(found, key=lambda key: (order[key.metric], key.instance))
        return [VitalSamples(key.metric, key.instance, found[key]) for key in keys if found[key]]

    def _states(self, device: StoredDevice, now: float) -> dict[str, float]:
        found = self._points.window([device.id], STATE_METRICS, now - HELD_SECONDS, now, newest=1)
        return {key.metric: samples[-1][1] for key, samples in found.items() if samples and not key.instance}

    def _interfaces(self, device: StoredDevice, now: float) -> list[Interface]:
        since = now - HELD_SECONDS
        infos = self._points.interfaces(device.id, since, now)
        moved = self._points.window([device.id], COUNTERS, since, now)
        stood = self._points.window([device.id], _INTERFACE_STATES, since, now, newest=1)
        by_name: dict[str, dict[str, Samples]] = {}
        for (_, metric, instance), samples in (moved | stood).items():
            by_name.setdefault(instance, {})[metric] = samples
        made = [
            _interface(name, series, infos.get(name), polled_until(device))
            for name, series in by_name.items()
        ]
        return sorted(made, key=lambda each: (-_traffic(each), each.if_index or 0, each.name))


def _traffic(interface: Interface) -> float:
    return sum(interface.per_second.get(counter) or 0 for counter in ("net_bytes_in", "net_bytes_out"))


def _interface(
    name: str, series: Mapping[str, Samples], info: InterfaceInfo | None, polled_ns: int
) -> Interface:
    speed, oper = series.get("net_speed_bps"), series.get("net_oper_status")
    return Interface(
        name=name,
        description=info.description if info else "",
        type=info.type if info else "",
        if_index=info.if_index if info else None,
        oper_status=OPER_STATUS.get(int(oper[-1][1]), "") if oper else "",
        speed_bps=speed[-1][1] if speed else None,
        per_second={
            counter: rate
            for counter in COUNTERS
            if counter in series
            if (rate := newest_rate(series[counter], polled_ns)) is not None
        },
        trend=rates(series.get("net_bytes_in", []), polled_ns),
    )


def _missing(
    device: StoredDevice, vitals: Sequence[VitalSamples], interfaces: Sequence[Interface]
) -> Iterator[str]:
    if device.last_attempt_at is None:
        yield "values: it was never polled (not enabled, not due yet, or no schedule runs)"
        return
    there = {vital.metric for vital in vitals}
    named = [word for metric, word in _EXPECTED.items() if metric not in there]
    named += [] if interfaces else ["interfaces"]
    if not named:
        return
    why = device.detail or ("" if device.reason in ("", "ok") else device.reason)
    if not why:
        why = "the last poll was complete, so the device does not tell" + (
            f" (profile {device.profile})" if device.profile else ""
        )
    yield f"{', '.join(named)}: {why}"
