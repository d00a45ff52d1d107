"""List the WMI queries of one poll; names of classes and properties are the same in all languages."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netvitals.collectors.winrm.counters import (
    disk_points,
    network_points,
    system_points,
    temperature_points,
)
from netvitals.collectors.winrm.rows import WmiRow
from netvitals.domain.polling.point import Point


class WmiQuery(NamedTuple):
    """A WQL query of one class."""

    wmi_class: str
    """Class in the namespace root/cimv2."""
    properties: Sequence[str]
    where: str = ""

    @property
    def wql(self) -> str:
        condition = f" WHERE {self.where}" if self.where else ""
        return f"SELECT {','.join(self.properties)} FROM {self.wmi_class}{condition}"  # noqa: S608, our own names


class WmiSection(NamedTuple):
    """Queries of which the first that the host can answer is run."""

    name: str
    queries: Sequence[WmiQuery]
    """Queries in order of preference: the first whose class the host has is run."""
    points: Callable[[Sequence[WmiRow]], Iterator[Point]] | None = None
    optional: bool = False
    """True where many hosts, virtual machines above all, have no such data."""


_CPU_PROPERTIES = ("Name", "PercentProcessorTime", "Timestamp_Sys100NS")

SYSTEM = WmiSection(
    "system",
    (
        WmiQuery(
            "Win32_OperatingSystem",
            ("LastBootUpTime", "LocalDateTime", "TotalVisibleMemorySize", "FreePhysicalMemory"),
        ),
    ),
    system_points,
)
CPU = WmiSection(
    "CPU",
    (
        # The first knows processor groups, of more than 64 processors; Windows 2003 and 2008 have the second.
        WmiQuery("Win32_PerfRawData_Counters_ProcessorInformation", _CPU_PROPERTIES, "Name='_Total'"),
        WmiQuery("Win32_PerfRawData_PerfOS_Processor", _CPU_PROPERTIES, "Name='_Total'"),
    ),
)
DISKS = WmiSection(
    "disks",
    (WmiQuery("Win32_LogicalDisk", ("DeviceID", "Size", "FreeSpace"), "DriveType=3"),),  # 3: a local disk
    disk_points,
)
NETWORK = WmiSection(
    "network",
    (
        WmiQuery(
            "Win32_PerfRawData_Tcpip_NetworkInterface",
            (
                "Name", "BytesReceivedPersec", "BytesSentPersec", "PacketsReceivedErrors",
                "PacketsOutboundErrors", "PacketsReceivedDiscarded", "PacketsOutboundDiscarded",
                "CurrentBandwidth",
            ),
        ),
    ),
    network_points,
)  # fmt: skip
TEMPERATURE = WmiSection(
    "temperature",
    (WmiQuery("Win32_PerfRawData_Counters_ThermalZoneInformation", ("Name", "HighPrecisionTemperature")),),
    temperature_points,
    optional=True,
)
SECTIONS = (SYSTEM, CPU, DISKS, NETWORK, TEMPERATURE)
CLASSES = frozenset(query.wmi_class for section in SECTIONS for query in section.queries)
