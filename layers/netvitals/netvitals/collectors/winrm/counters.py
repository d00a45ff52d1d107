"""Make points of properties of WMI classes, raw performance counters among them; no input or output."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from netvitals.collectors import vital_points
from netvitals.collectors.cpu_usage import CpuSample, is_recent, is_same_boot, percent
from netvitals.collectors.winrm.rows import WmiRow
from netvitals.domain.polling.point import Point, instance_name
from netvitals.domain.text import whole_number

_TICKS_PER_SECOND = 10_000_000
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


class KeptCounters(msgspec.Struct, frozen=True, kw_only=True):
    """A sample of CPU time as device memory holds it."""

    idle: int
    clock: int
    of: str
    """Class that it is from: two classes count differently."""
    booted: int | None
    """Time of the host's start in seconds since the epoch, by the device's clock."""

    @property
    def sample(self) -> CpuSample:
        return CpuSample(self.clock - self.idle, self.clock)

    def is_usable(self, of: str, booted: int | None, after: CpuSample) -> bool:
        """Return whether an average can be made between this sample and a later one."""
        same = of == self.of and is_same_boot(self.booted, booted)
        return same and is_recent((after.total - self.clock) / _TICKS_PER_SECOND)


def kept_counters(sample: CpuSample, of: str, booted: int | None) -> KeptCounters:
    """Return a sample of this class and boot for the next poll."""
    return KeptCounters(idle=sample.total - sample.busy, clock=sample.total, of=of, booted=booted)


def cpu_sample(rows: Sequence[WmiRow]) -> tuple[int, CpuSample] | None:
    """Return the sample in the instance `_Total`, with its time; None where it can't be read.

    PERF_100NSEC_TIMER_INV: idle time of the average processor and the clock, both in 100 ns.
    """
    for row in rows:
        idle, clock = _number(row, "PercentProcessorTime"), _number(row, "Timestamp_Sys100NS")
        if row.values.get("Name") == "_Total" and idle is not None and clock is not None:
            return row.time_ns, CpuSample(clock - idle, clock)
    return None


def cpu_percent(before: CpuSample, after: CpuSample) -> float | None:
    """Return CPU percent; None where the clock stood still or went back, or the counter was reset."""
    idle_before, idle_after = before.total - before.busy, after.total - after.busy
    if idle_after < idle_before:
        if idle_before >= _WORD:
            return None
        # A 32-bit counter of an old host has wrapped.
        after = CpuSample(after.busy - _WORD, after.total)
    # Clock and counter are not read in the same instant: a bit more idle time than time is an idle host.
    return percent(before, after, tolerance=(after.total - before.total) * 0.05 + _TICKS_PER_SECOND / 10)


def system_points(rows: Sequence[WmiRow]) -> Iterator[Point]:
    """Yield the points of Win32_OperatingSystem: uptime by the device's own clock, and memory in bytes."""
    for row in rows[:1]:
        booted, now = (_time(row, key) for key in ("LastBootUpTime", "LocalDateTime"))
        if booted is not None and now is not None and now >= booted:
            yield Point("uptime_seconds", (now - booted).total_seconds(), row.time_ns)
        total, free = _number(row, "TotalVisibleMemorySize"), _number(row, "FreePhysicalMemory")
        if total and free is not None and free <= total:
            yield from vital_points.usage("memory", (total - free) * 1024, total * 1024, row.time_ns)


def booted_at(rows: Sequence[WmiRow]) -> int | None:
    """Return when the host has booted, in seconds since the epoch by its clock."""
    booted = _time(rows[0], "LastBootUpTime") if rows else None
    return int(booted.timestamp()) if booted is not None else None


def disk_points(rows: Sequence[WmiRow]) -> Iterator[Point]:
    """Yield the points of Win32_LogicalDisk; a volume that is locked or not formatted has no size."""
    for row in rows:
        name, size, free = row.values.get("DeviceID"), _number(row, "Size"), _number(row, "FreeSpace")
        if name and size and free is not None and free <= size:
            yield from vital_points.usage("disk", size - free, size, row.time_ns, name)


def network_points(rows: Sequence[WmiRow]) -> Iterator[Point]:
    """Yield the points of Win32_PerfRawData_Tcpip_NetworkInterface: counts since boot.

    They are 32 bits wide before Windows 2012.
    """
    for row in rows:
        name = instance_name(row.values.get("Name") or "")
        if not name:
            continue
        for metric, key in _NETWORK.items():
            count = _number(row, key)
            if count is not None:
                yield Point(metric, count, row.time_ns, name)
        bandwidth = _number(row, "CurrentBandwidth")
        if bandwidth:
            yield Point("net_speed_bps", float(bandwidth), row.time_ns, name)


def temperature_points(rows: Sequence[WmiRow]) -> Iterator[Point]:
    """Yield the points of Win32_PerfRawData_Counters_ThermalZoneInformation.

    They are tenths of a kelvin; 0 is no sensor.
    """
    for row in rows:
        name, kelvin = row.values.get("Name"), _number(row, "HighPrecisionTemperature")
        if name and kelvin:
            celsius = kelvin / 10 - _ZERO_CELSIUS
            if vital_points.is_connected(celsius):
                # ACPI's names are paths from a root, `\\_TZ.TZ00`.
                yield vital_points.temperature(celsius, row.time_ns, name.lstrip("\\"))


def _number(row: WmiRow, key: str) -> int | None:
    """Return a whole number that is not negative; None for anything else, which costs this value only."""
    return whole_number((row.values.get(key) or "").strip())


def _time(row: WmiRow, key: str) -> datetime | None:
    """Parse ISO 8601, or DMTF's `yyyymmddHHMMSS.mmmmmm-UUU` with minutes from UTC; None for anything else."""
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
