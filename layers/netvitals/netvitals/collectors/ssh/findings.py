"""Collect what is read from the probe's output: points, CPU counters, and faults."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from netvitals.collectors import vital_points
from netvitals.collectors.cpu_usage import CpuSample
from netvitals.domain.polling.point import Point, instance_name

MAX_LINE = 300
"""Characters of a line that is read; the commands that the probe runs print no longer one."""
_MAX_DIGITS = 20
_MAX_DISKS = 256
_DF_ROW = re.compile(r"(.+?)\s++(\d{1,20}+)\s++(-?\d{1,19}+)\s++(-?\d{1,19}+)\s++(?:\d{1,20}+%|-)\s++(/.*)")
_LONGEST_UPTIME = 1e11
"""Seconds of the longest uptime that is believed: some 3000 years."""


class ProbeSection(msgspec.Struct):
    """The lines between two markers of the output."""

    time_ns: int = 0
    """Time at which the marker arrived, in nanoseconds since the epoch."""
    word: str = ""
    """The rest of the marker's line, behind the section's name."""
    lines: list[str] = []
    is_cut: bool = False
    """True where there were more lines than are read."""


class DfRow(msgspec.Struct, frozen=True):
    """A line of `df -kP`, in kibibytes."""

    source: str
    size: int
    used: int
    available: int
    path: str


class Findings(msgspec.Struct):
    """Points, CPU counters and faults, added to while sections are read."""

    points: list[Point] = []
    cpu: list[tuple[int, CpuSample]] = []
    """Samples with their times: one, or two that are one second apart."""
    uptime: float | None = None
    faults: list[str] = []
    """Texts for a person: the sections that are missing or were not understood."""

    def add_uptime(self, seconds: float, time_ns: int) -> None:
        if not 0 <= seconds < _LONGEST_UPTIME:  # infinity and NaN are no times either
            raise ValueError(f"up for {seconds} seconds")
        self.uptime = seconds
        self.points.append(Point("uptime_seconds", seconds, time_ns))

    def add_memory(self, total: int, used: int, time_ns: int) -> None:
        if not 0 <= used <= total or not total:
            raise ValueError(f"{used} bytes used of {total}")
        self.points += vital_points.usage("memory", used, total, time_ns)

    def add_disks(self, rows: Iterable[DfRow], time_ns: int) -> None:
        for row in rows:
            # What df calls capacity: of what users may fill; the rest is reserved for root.
            capacity = _share(row.used, row.used + row.available)
            used, total = row.used * 1024, row.size * 1024
            self.points += vital_points.usage("disk", used, total, time_ns, row.path, percent=capacity)

    def add_interface(
        self, name: str, values: Mapping[str, float | None], index: int | None, time_ns: int
    ) -> None:
        self.points += [
            Point(metric, value, time_ns, instance_name(name), index)
            for metric, value in values.items()
            if value is not None
        ]

    def keep_interfaces(self, wants: Callable[[str], bool]) -> None:
        """Leave out the points of interfaces whose name is not wanted."""
        self.points = [
            point
            for point in self.points
            if not point.metric_name.startswith("net_") or wants(point.instance)
        ]

    def add_temperatures(self, sensors: Sequence[tuple[str, str, float]], time_ns: int) -> None:
        """Add sensors: (name, text that distinguishes it from others of that name, degrees Celsius)."""
        connected = [each for each in sensors if vital_points.is_connected(each[2])]
        count = Counter(name for name, _, _ in connected)
        for name, own, celsius in connected:
            instance = name if count[name] == 1 else f"{name} [{own}]"
            self.points.append(vital_points.temperature(celsius, time_ns, instance))


def number(text: str) -> int:
    """Return a whole number as commands print it.

    Raises:
        ValueError: it is none, or longer than a 64-bit number.
    """
    if len(text) > _MAX_DIGITS:
        raise ValueError("too long for a number")
    return int(text)


def df_rows(lines: Sequence[str]) -> list[DfRow]:
    """Return the file systems that have a size, each source and each path once."""
    rows: list[DfRow] = []
    seen: set[str] = set()
    for line in lines[: _MAX_DISKS + 1]:
        match = _DF_ROW.fullmatch(line) if len(line) <= MAX_LINE else None
        if match is None:
            continue
        row = DfRow(match[1], number(match[2]), number(match[3]), number(match[4]), match[5])
        if row.size and not {row.source, row.path} & seen:
            seen |= {row.source, row.path}
            rows.append(row)
    return rows


def _share(part: int, whole: int) -> float:
    return max(0.0, min(100.0, 100 * part / whole)) if whole > 0 else 100.0
