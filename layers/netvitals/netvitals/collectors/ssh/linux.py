"""Parse the probe's sections of a Linux host: /proc and /sys (proc(5), hwmon/sysfs-interface.rst)."""

from collections.abc import Iterator, Sequence

from netvitals.collectors.cpu_usage import CpuSample
from netvitals.collectors.ssh.findings import DfRow, Findings, ProbeSection, df_rows, number
from netvitals.domain.text import whole_number

_OPER_STATUS = {
    "up": 1,
    "down": 2,
    "testing": 3,
    "unknown": 4,
    "dormant": 5,
    "notpresent": 6,
    "lowerlayerdown": 7,
}
"""Numbers of RFC 2863 for the words of sysfs' `operstate` (Documentation/networking/operstates.rst)."""
_NET_COLUMNS = {
    "net_bytes_in": 0,
    "net_bytes_out": 8,
    "net_errors_in": 2,
    "net_errors_out": 10,
    "net_discards_in": 3,
    "net_discards_out": 11,
}
"""Columns of /proc/net/dev, counted from the one behind the interface's name."""
_CGROUP_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)
"""Files with the limit, the use, and the page cache in that use: of cgroup 2, and of cgroup 1."""


def uptime(section: ProbeSection, findings: Findings) -> None:
    findings.add_uptime(float(section.lines[0].split()[0]), section.time_ns)


def cpu(section: ProbeSection, findings: Findings) -> None:
    """Read the first line of /proc/stat; guest time is part of user and nice, iowait counts as idle."""
    word, *times = section.lines[0].split()
    if word != "cpu":
        raise ValueError("no line of all CPUs")
    user, nice, system, idle, *more = map(number, times[:8])
    iowait, irq, softirq, steal = more + [0] * (4 - len(more))
    busy = user + nice + system + irq + softirq + steal
    findings.cpu.append((section.time_ns, CpuSample(busy, busy + idle + iowait)))


def memory(section: ProbeSection, cgroup: ProbeSection, findings: Findings) -> None:
    """Read memory: free is what a new program could have; in a container the container's limit counts."""
    sizes = {name: number(rest.split()[0]) * 1024 for name, _, rest in _partitioned(section.lines, ":")}
    total = sizes["MemTotal"]
    available = sizes.get("MemAvailable")
    if available is None:  # before Linux 3.14; about what `free` made of it
        parts = ("MemFree", "Buffers", "Cached", "SReclaimable")
        available = sum(sizes.get(part, 0) for part in parts) - sizes.get("Shmem", 0)
    used = total - min(max(available, 0), total)
    limit, limited_use = _limits(cgroup)
    if limit is not None and limit < total:
        total, used = limit, min(limited_use, limit)
    findings.add_memory(total, used, section.time_ns)


def _limits(cgroup: ProbeSection) -> tuple[int | None, int]:
    """Return a container's memory limit, or None, and its use without reclaimable page cache."""
    values = {name: rest for name, _, rest in _partitioned(cgroup.lines, " ")}
    for limit, current, cache in _CGROUP_FILES:
        if values.get(limit, "max").isdecimal() and current in values:
            return number(values[limit]), max(0, number(values[current]) - number(values.get(cache, "0")))
    return None, 0


def network(section: ProbeSection, interfaces: ProbeSection, findings: Findings) -> None:
    known = {fields[0]: fields for fields in map(str.split, interfaces.lines) if len(fields) == 4}  # noqa: PLR2004, as the probe writes
    for name, _, rest in _partitioned(section.lines, ":", last=True):
        columns = rest.split()
        if name == "lo" or len(columns) < 12:  # noqa: PLR2004, up to the transmit drops
            continue
        _, state, index, speed = known.get(name, [name, "", "-", "-"])
        values: dict[str, float | None] = {
            metric: whole_number(columns[column]) for metric, column in _NET_COLUMNS.items()
        }
        values["net_oper_status"] = _OPER_STATUS.get(state)
        values["net_speed_bps"] = (whole_number(speed) or 0) * 1e6 or None
        findings.add_interface(name, values, whole_number(index), section.time_ns)


def temperature(section: ProbeSection, findings: Findings) -> None:
    """Read hwmon's sensors by chip and label, and the thermal zones that are no chip of hwmon."""
    chips: set[str] = set()
    sensors = []
    for line in section.lines:
        fields = line.split(None, 5)
        if len(fields) < 5:  # noqa: PLR2004, as the probe writes
            continue
        kind, device, sensor, reading, chip, *label = fields
        thousandths = whole_number(reading.removeprefix("-"))
        if thousandths is None:
            continue
        if kind == "hwmon":
            chips.add(chip)
        # A zone's chip has the zone's type for its name, with underscores (drivers/thermal/thermal_hwmon.c).
        elif chip.replace("-", "_") in chips or chip in chips:
            continue
        own = f"{device} {sensor}" if kind == "hwmon" else device
        name = " ".join([chip if chip != "-" else device, *label])
        sensors.append((name, own, _celsius(-thousandths if reading.startswith("-") else thousandths)))
    findings.add_temperatures(sensors, section.time_ns)


def _celsius(thousandths: int) -> float:
    """Convert thousandths of a degree; some thermal drivers give whole degrees."""
    return thousandths / 1000 if abs(thousandths) >= 1000 else float(thousandths)  # noqa: PLR2004, see above


def disks(df: ProbeSection, mounts: ProbeSection, findings: Findings) -> None:
    kinds = {path: kind for kind, _, path in _partitioned(mounts.lines, " ")}
    rows = df_rows(df.lines)
    root = next((row for row in rows if row.path == "/" and kinds.get("/", "").startswith("overlay")), None)
    findings.add_disks([row for row in rows if not _is_below(root, row)], df.time_ns)


def _is_below(root: DfRow | None, row: DfRow) -> bool:
    """Return whether this is the writable layer of the root overlay: the same disk once more."""
    if root is None or row is root:
        return False
    return (row.size, row.used, row.available) == (root.size, root.used, root.available)


def _partitioned(
    lines: Sequence[str], separator: str, *, last: bool = False
) -> Iterator[tuple[str, str, str]]:
    for line in lines:
        before, found, after = line.rpartition(separator) if last else line.partition(separator)
        if found:
            yield before.strip(), found, after.strip()
