"""Parse the probe's output into findings: pure functions, for which every byte is hostile."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from netvitals.collectors.ssh import bsd, linux
from netvitals.collectors.ssh.findings import Findings, ProbeSection
from netvitals.domain.text import ELLIPSIS

type Chunks = Sequence[tuple[int, bytes]]
"""Output as it arrived: pairs of time, in nanoseconds since the epoch, and octets."""

_MAX_LINES = 2500
"""Lines of one section: a host with two thousand interfaces still fits. Lines that are left out are
reported."""
_MOST_LINES = 50_000
"""Lines of all sections together; further ones are not read."""
_LONGEST_LINE = 1024
"""Bytes of a line; a longer one is cut, and ends in an ellipsis, so that no number becomes another."""


class Part(NamedTuple):
    """A reader of some sections: takes their texts in this order, and the findings to add to."""

    what: str
    sections: tuple[str, ...]
    reader: Callable[..., None]
    need: Literal["always", "if asked", "never"] = "always"
    """Cases in which an empty first section is a fault: a host need not have sensors."""


_LINUX = (
    Part("uptime", ("uptime",), linux.uptime),
    Part("cpu", ("cpu",), linux.cpu),
    Part("cpu", ("cpu2",), linux.cpu, "never"),
    Part("memory", ("memory", "cgroup"), linux.memory),
    Part("interfaces", ("network", "interfaces"), linux.network),
    Part("temperature", ("temperature",), linux.temperature, "never"),
    Part("disk", ("df", "mounts"), linux.disks, "if asked"),
)
_BSD = (
    Part("uptime", ("sysctl", "clock"), bsd.uptime),
    Part("cpu", ("sysctl",), bsd.cpu),
    Part("cpu", ("cpu2",), bsd.cpu, "never"),
    Part("memory", ("sysctl",), bsd.memory),
    Part("interfaces", ("netstat", "netstat2", "ifconfig"), bsd.network),
    Part("temperature", ("temperature",), bsd.temperature, "never"),
    Part("disk", ("df",), bsd.disks, "if asked"),
)
_MAC = (
    Part("uptime", ("sysctl", "clock"), bsd.uptime),
    Part("cpu", ("top",), bsd.mac_cpu),
    Part("memory", ("vm_stat", "sysctl"), bsd.mac_memory),
    Part("interfaces", ("netstat", "netstat2", "ifconfig"), bsd.network),
    Part("disk", ("df",), bsd.disks, "if asked"),
)
SYSTEMS = {
    "Linux": _LINUX,
    "FreeBSD": _BSD,
    "DragonFly": _BSD,
    "OpenBSD": _BSD,
    "NetBSD": _BSD,
    "Darwin": _MAC,
}
"""Parts by the system's name, as `uname -s` prints it."""


def sections_of(chunks: Chunks, nonce: str) -> dict[str, ProbeSection]:
    """Return the sections by name, from `begin` on; none where the probe did not run.

    What a profile or a banner prints before does not matter; a line that was cut off is left out, since a
    part of a number is another number.
    """
    found: dict[str, ProbeSection] = {}
    section = ProbeSection()
    for time_ns, line in _lines(chunks, f"@@{nonce} begin "):
        if line.startswith(f"@@{nonce} "):
            name, _, word = line.partition(" ")[2].partition(" ")
            section = found.setdefault(name, ProbeSection(time_ns, word, []))
        elif line and len(section.lines) < _MAX_LINES:
            section.lines.append(line)
        elif line:
            section.is_cut = True
    return found


def _lines(chunks: Chunks, first: str) -> Iterator[tuple[int, str]]:
    """Yield the complete lines from the first with this prefix on, each with its time of arrival."""
    ends = list(accumulate(len(data) for _, data in chunks))
    output = b"".join([b"\n", *(data for _, data in chunks)])
    # The line break in front is one that was not sent: what ends at `end` came `end` bytes after the first.
    start = output.find(f"\n{first}".encode()) + 1
    for _ in range(_MOST_LINES if start else 0):
        end = output.find(b"\n", start)
        if end < 0:
            return
        line = output[start : min(end, start + _LONGEST_LINE)].decode("utf-8", "replace").rstrip("\r")
        whole = end - start <= _LONGEST_LINE
        yield chunks[bisect_right(ends, end - 1)][0], line if whole else line + ELLIPSIS
        start = end + 1


def read(sections: Mapping[str, ProbeSection]) -> Findings:
    """Read the sections of a known system; one that can't be read costs only its own findings."""
    findings = Findings()
    for part in SYSTEMS[sections["begin"].word]:
        first = sections.get(part.sections[0])
        if first is None or not first.lines:
            if part.need == "always" or (part.need == "if asked" and first is not None):
                findings.faults.append(f"{part.what}: the device says nothing of it")
            continue
        try:
            part.reader(*(sections.get(name, ProbeSection()) for name in part.sections), findings)
        except (ValueError, LookupError, ArithmeticError):
            findings.faults.append(f"{part.what}: what the device says is not understood")
        if first.is_cut:
            findings.faults.append(f"{part.what}: the device says more than {_MAX_LINES} lines of it")
    return findings
