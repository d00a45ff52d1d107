"""Parse the probe's sections of FreeBSD, OpenBSD, NetBSD and macOS: what their own commands print."""

import re
import time
from calendar import timegm
from collections.abc import Mapping, Sequence

from netvitals.collectors import vital_points
from netvitals.collectors.cpu_usage import CpuSample
from netvitals.collectors.ssh.findings import DfRow, Findings, ProbeSection, df_rows, number
from netvitals.domain.text import whole_number

_NET_COLUMNS = {
    "net_bytes_in": ("Ibytes",),
    "net_bytes_out": ("Obytes",),
    "net_errors_in": ("Ierrs", "Ifail"),
    "net_errors_out": ("Oerrs", "Ofail"),
    "net_discards_in": ("Idrop",),
}
"""Columns of `netstat -i`; OpenBSD says `fail` since 6.5, and prints bytes and packets with different
options."""
_NO_DISKS = (
    "devfs",
    "procfs",
    "fdescfs",
    "linprocfs",
    "linsysfs",
    "tmpfs",
    "mfs:",
    "map ",
    "kernfs",
    "ptyfs",
)
_NO_DISK_PATHS = re.compile(r"/(private/var/vm|System/Volumes/(?!Data$).*)")
"""Paths of macOS that share the disk of `/` and are no disks of their own."""
_DOWN = {"no", "inactive", "down", "init", "invalid"}
"""First words of ifconfig's `status:` where a link is down: no carrier, no network, no ring, CARP's init.

For a link that is up there are many words: active, associated, running, master, backup."""
_SPEED = re.compile(r"\s*media:.*?\b(\d{1,6}(?:\.\d)?)(G?)base", re.IGNORECASE)
_SECONDS = re.compile(r"\bsec = (\d{1,12})\b")
_FLAGS = re.compile(r"([\w.-]+): flags=\w+<([\w,]*)>")
_PERCENT_IDLE = re.compile(r"([\d.]{1,8})% idle")


def settings(section: ProbeSection) -> dict[str, str]:
    """Return names and values as sysctl prints them: `a: 1`, `a=1`, `a = 1`."""
    matches = (re.match(r"([\w.]+)\s*[:=]\s*(.*)", line) for line in section.lines)
    return {match[1]: match[2] for match in matches if match}


def uptime(sysctl: ProbeSection, clock: ProbeSection, findings: Findings) -> None:
    booted_at = settings(sysctl)["kern.boottime"]
    seconds = _SECONDS.search(booted_at)
    boot = number(seconds[1]) if seconds else timegm(time.strptime(booted_at, "%a %b %d %H:%M:%S %Y"))
    findings.add_uptime(float(max(0, number(clock.lines[0]) - boot)), sysctl.time_ns)


def cpu(section: ProbeSection, findings: Findings) -> None:
    """Read the CPU times of kern.cp_time: user, nice, system, (on OpenBSD spinning,) interrupt, idle."""
    times = [number(text) for text in re.findall(r"\d+", settings(section)["kern.cp_time"])]
    findings.cpu.append((section.time_ns, CpuSample(sum(times[:-1]), sum(times))))


def memory(section: ProbeSection, findings: Findings) -> None:
    """Read memory: FreeBSD's page counts, less what ZFS gives back; OpenBSD's and NetBSD's `vmstat -s`."""
    values, counts = settings(section), _counts(section)
    if "pages managed" in counts:
        page, total_pages = counts["bytes per page"], counts["pages managed"]
        free = (counts["pages free"] + counts.get("pages inactive", 0)) * page
        total = total_pages * page
    else:
        total = number(values["hw.physmem"])
        names = ("v_free_count", "v_inactive_count", "v_cache_count")
        pages = sum(number(values.get(f"vm.stats.vm.{name}", "0")) for name in names)
        free = pages * number(values["hw.pagesize"])
        free += number(values.get("kstat.zfs.misc.arcstats.size", "0"))
    findings.add_memory(total, total - min(free, total), section.time_ns)


def _counts(section: ProbeSection) -> dict[str, int]:
    """Return the numbers by name of lines such as `  252003 pages managed`."""
    matches = (re.fullmatch(r"\s*(\d{1,20}) (\D+)", line) for line in section.lines)
    return {match[2]: int(match[1]) for match in matches if match}


def mac_memory(section: ProbeSection, sysctl: ProbeSection, findings: Findings) -> None:
    """Read memory as the Activity Monitor counts it: app memory, wired, compressed."""
    page = number(re.findall(r"page size of (\d+)", section.lines[0])[0])
    pages = {name: number(rest.strip(" .")) for name, rest in _pairs(section.lines[1:])}
    held = pages["Anonymous pages"] - pages["Pages purgeable"]
    used = held + pages["Pages wired down"] + pages["Pages occupied by compressor"]
    total = number(settings(sysctl)["hw.memsize"])
    findings.add_memory(total, min(used * page, total), section.time_ns)


def _pairs(lines: Sequence[str]) -> list[tuple[str, str]]:
    return [(name.strip('"'), rest) for name, colon, rest in (line.partition(":") for line in lines) if colon]


def mac_cpu(section: ProbeSection, findings: Findings) -> None:
    """Read the CPU of the last second from top's second sample: no command of macOS prints counters."""
    idle = float(_PERCENT_IDLE.findall(section.lines[-1])[-1])
    findings.points.append(vital_points.cpu(100.0 - idle, section.time_ns))


def network(netstat: ProbeSection, more: ProbeSection, ifconfig: ProbeSection, findings: Findings) -> None:
    states = _states(ifconfig.lines)
    others = _links(more)
    for name, cells in _links(netstat).items():
        found = {**others.get(name, {}), **cells}
        if name.startswith("lo") and name[2:].isdecimal():
            continue
        values: dict[str, float | None] = dict.fromkeys(_NET_COLUMNS)
        for metric, columns in _NET_COLUMNS.items():
            value = next((found[column] for column in columns if column in found), "-")
            values[metric] = whole_number(value)
        state = states.get(name, {})
        values |= {"net_oper_status": state.get("oper"), "net_speed_bps": state.get("speed")}
        index = re.search(r"#(\d{1,9})", found["Network"])
        findings.add_interface(name, values, int(index[1]) if index else None, netstat.time_ns)


def _links(section: ProbeSection) -> dict[str, dict[str, str]]:
    """Return by interface the row of `netstat -i` that is about the link itself.

    Columns are counted from the end, because an interface without an address leaves out that cell.
    """
    header: list[str] = []
    links = {}
    for line in section.lines:
        cells = line.split()
        if cells[:1] == ["Name"]:
            header = cells
        elif len(cells) > 3 and cells[2].startswith("<Link") and header:  # noqa: PLR2004, Name Mtu Network …
            from_end = zip(reversed(header[4:]), reversed(cells[3:]), strict=False)
            links[cells[0].rstrip("*")] = {"Network": cells[2], **dict(from_end)}
    return links


def _states(lines: Sequence[str]) -> Mapping[str, dict[str, float]]:
    """Return by interface, from ifconfig, `oper` as RFC 2863 numbers it and `speed` in bits per second."""
    states: dict[str, dict[str, float]] = {}
    state: dict[str, float] = {}
    for line in lines:
        head = _FLAGS.match(line)
        if head:
            flags = head[2].split(",")
            state = states.setdefault(head[1], {"oper": 1 if {"UP", "RUNNING"} <= set(flags) else 2})
        elif line.lstrip().startswith("status:"):
            if _DOWN & set(line.split()[1:2]):
                state["oper"] = 2
        elif (speed := _SPEED.match(line)) is not None:
            state["speed"] = float(speed[1]) * (1e9 if speed[2] else 1e6)
    return states


def temperature(section: ProbeSection, findings: Findings) -> None:
    """Read `dev.cpu.0.temperature: 45.0C` (FreeBSD), `hw.sensors.cpu0.temp0=45.00 degC (zone)` (OpenBSD)."""
    sensors = []
    for name, value in settings(section).items():
        celsius = re.match(r"(-?\d{1,5}(?:\.\d{1,6})?) ?(?:deg)?C\b", value)
        if celsius:
            plain = name.removeprefix("hw.sensors.").removesuffix(".temperature")
            sensors.append((plain, "", float(celsius[1])))
    findings.add_temperatures(sensors, section.time_ns)


def disks(df: ProbeSection, findings: Findings) -> None:
    findings.add_disks([row for row in df_rows(df.lines) if _is_disk(row)], df.time_ns)


def _is_disk(row: DfRow) -> bool:
    """Return whether it is a file system of its own: no memory, snapshot, or directory mounted once more.

    FreeBSD's nullfs has a directory for its source, Time Machine `com.apple.TimeMachine…@/dev/disk1s1`, and
    ZFS mounts snapshots below `.zfs`. (DragonFly's `/dev/…@ROOT` is a disk.)
    """
    if row.source.startswith(_NO_DISKS) or _NO_DISK_PATHS.fullmatch(row.path):
        return False
    if row.source.startswith("/") and not row.source.startswith("/dev/"):
        return False
    return "@/dev/" not in row.source and "/.zfs/snapshot/" not in row.path
