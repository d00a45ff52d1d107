"""Points of what Windows says of itself: properties of WMI classes, raw counters among them. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from netvitals.collectors import vital_points
from netvitals.collectors.winrm.rows import Row
from netvitals.domain.polling.point import Point

STALE_SECONDS = 3600
"""An older sample would average over hours; two new ones are taken then, as on the first poll."""
_CLOCK_MOVES_SECONDS = 60
"""LastBootUpTime follows corrections of the clock."""
_TICKS_PER_SECOND = 10_000_000
_MAX_DIGITS = 20
_WORD = 2**32
_ZERO_CELSIUS = 273.15
_DMTF = re.compile(r"(\d{14}\.\d{6})([+-])(\d{3})")
_NETWORK = {
    # Raw performance data has its own names: *Persec is the count itself, the rate is for who reads it.
    "net_bytes_in": "BytesReceivedPersec",
    "net_bytes_out": "BytesSentPersec",
    "net_errors_in": "PacketsReceivedErrors",
    "net_errors_out": "PacketsOutboundErrors",
    "net_discards_in": "PacketsReceivedDiscarded",
    "net_discards_out": "PacketsOutboundDiscarded",
}


class CpuSample(msgspec.Struct, frozen=True):
    """PERF_100NSEC_TIMER_INV: idle time of the average processor and the clock, both in 100 ns."""

    idle: int
    clock: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A sample as device memory holds it."""

    idle: int
    clock: int
    of: str
    """The class that it is from: two classes count differently."""
    booted: int | None
    """Seconds since the epoch, by the device's clock."""

    @property
    def sample(self) -> CpuSample:
        return CpuSample(self.idle, self.clock)


def cpu_sample(rows: Sequence[Row]) -> tuple[int, CpuSample] | None:
    """The `_Total` instance with its time; None where it can't be read."""
    for row in rows:
        idle, clock = _number(row, "PercentProcessorTime"), _number(row, "Timestamp_Sys100NS")
        if row.values.get("Name") == "_Total" and idle is not None and clock is not None:
            return row.time_ns, CpuSample(idle, clock)
    return None


def cpu_percent(before: CpuSample, after: CpuSample) -> float | None:
    """None where the clock stood still or went back, or the counter was reset."""
    elapsed, idle = after.clock - before.clock, after.idle - before.idle
    if idle < 0 and before.idle < _WORD:
        idle += _WORD  # a 32-bit counter of an old host has wrapped
    # Clock and counter are not read in the same instant: a bit more idle time than time is an idle host.
    if elapsed <= 0 or not 0 <= idle <= elapsed * 1.05 + _TICKS_PER_SECOND / 10:
        return None
    return max(0.0, 100 * (1 - idle / elapsed))


def is_usable(kept: Kept | None, of: str, booted: int | None, after: CpuSample) -> bool:
    """Whether the time between the kept sample and this one is worth an average."""
    if kept is None or kept.of != of:
        return False
    if None not in (kept.booted, booted) and abs((kept.booted or 0) - (booted or 0)) > _CLOCK_MOVES_SECONDS:
        return False
    return 0 < after.clock - kept.clock < STALE_SECONDS * _TICKS_PER_SECOND


def system_points(rows: Sequence[Row]) -> Iterator[Point]:
    """Win32_OperatingSystem: uptime by the device's own clock, and memory in KiB."""
    for row in rows[:1]:
        booted, now = (_time(row, key) for key in ("LastBootUpTime", "LocalDateTime"))
        if booted is not None and now is not None and now >= booted:
            yield Point("uptime_seconds", (now - booted).total_seconds(), row.time_ns)
        total, free = _number(row, "TotalVisibleMemorySize"), _number(row, "FreePhysicalMemory")
        if total and free is not None and free <= total:
            yield from vital_points.usage("memory", (total - free) * 1024, total * 1024, row.time_ns)


def booted_at(rows: Sequence[Row]) -> int | None:
    """Seconds since the epoch."""
    booted = _time(rows[0], "LastBootUpTime") if rows else None
    return int(booted.timestamp()) if booted is not None else None


def disk_points(rows: Sequence[Row]) -> Iterator[Point]:
    """Win32_LogicalDisk; a volume that is locked or not formatted has no size."""
    for row in rows:
        name, size, free = row.values.get("DeviceID"), _number(row, "Size"), _number(row, "FreeSpace")
        if name and size and free is not None and free <= size:
            yield from vital_points.usage("disk", size - free, size, row.time_ns, name)


def network_points(rows: Sequence[Row]) -> Iterator[Point]:
    """Win32_PerfRawData_Tcpip_NetworkInterface: counts since boot, 32 bits wide before Windows 2012."""
    for row in rows:
        name = row.values.get("Name")
        if not name:
            continue
        for metric, key in _NETWORK.items():
            count = _number(row, key)
            if count is not None:
                yield Point(metric, count, row.time_ns, name)
        bandwidth = _number(row, "CurrentBandwidth")
        if bandwidth:
            yield Point("net_speed_bps", float(bandwidth), row.time_ns, name)


def temperature_points(rows: Sequence[Row]) -> Iterator[Point]:
    """Win32_PerfRawData_Counters_ThermalZoneInformation, in tenths of a kelvin; 0 is no sensor."""
    for row in rows:
        name, kelvin = row.values.get("Name"), _number(row, "HighPrecisionTemperature")
        if name and kelvin:
            celsius = kelvin / 10 - _ZERO_CELSIUS
            if vital_points.is_connected(celsius):
                # ACPI's names are paths from a root, `\\_TZ.TZ00`.
                yield vital_points.temperature(celsius, row.time_ns, name.lstrip("\\"))


def _number(row: Row, key: str) -> int | None:
    """A whole number that is not negative; None for anything else, so that it costs this value only."""
    text = (row.values.get(key) or "").strip()
    if not text.isascii() or not text.isdecimal() or len(text) > _MAX_DIGITS:
        return None
    return int(text)


def _time(row: Row, key: str) -> datetime | None:
    """ISO 8601 as WS-Management has it, or DMTF's `yyyymmddHHMMSS.mmmmmm-UUU` with minutes from UTC."""
    text = (row.values.get(key) or "").strip()
    dmtf = _DMTF.fullmatch(text)
    try:
        if dmtf:
            zone = timezone(timedelta(minutes=int(dmtf[2] + dmtf[3])))
            return datetime.strptime(dmtf[1], "%Y%m%d%H%M%S.%f").replace(tzinfo=zone)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
