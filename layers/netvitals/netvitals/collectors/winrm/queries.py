"""What a Windows host is asked. Class and property names are the same in every language of Windows."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netvitals.collectors.winrm.counters import (
    disk_points,
    network_points,
    system_points,
    temperature_points,
)
from netvitals.collectors.winrm.rows import Row
from netvitals.domain.polling.point import Point


class Query(NamedTuple):
    wmi_class: str
    """In the namespace root/cimv2."""
    properties: Sequence[str]
    where: str = ""

    @property
    def wql(self) -> str:
        condition = f" WHERE {self.where}" if self.where else ""
        return f"SELECT {','.join(self.properties)} FROM {self.wmi_class}{condition}"  # noqa: S608, our own names


class Section(NamedTuple):
    name: str
    queries: Sequence[Query]
    """The first that the host knows is asked."""
    points: Callable[[Sequence[Row]], Iterator[Point]] | None = None
    optional: bool = False
    """Many hosts have nothing to say to it, virtual machines above all."""


_CPU_PROPERTIES = ("Name", "PercentProcessorTime", "Timestamp_Sys100NS")

SYSTEM = Section(
    "system",
    (
        Query(
            "Win32_OperatingSystem",
            ("LastBootUpTime", "LocalDateTime", "TotalVisibleMemorySize", "FreePhysicalMemory"),
        ),
    ),
    system_points,
)
CPU = Section(
    "CPU",
    (
        # The first knows processor groups, of more than 64 processors; Windows 2003 and 2008 have the second.
        Query("Win32_PerfRawData_Counters_ProcessorInformation", _CPU_PROPERTIES, "Name='_Total'"),
        Query("Win32_PerfRawData_PerfOS_Processor", _CPU_PROPERTIES, "Name='_Total'"),
    ),
)
DISKS = Section(
    "disks",
    (Query("Win32_LogicalDisk", ("DeviceID", "Size", "FreeSpace"), "DriveType=3"),),  # 3: a local disk
    disk_points,
)
NETWORK = Section(
    "network",
    (
        Query(
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
TEMPERATURE = Section(
    "temperature",
    (Query("Win32_PerfRawData_Counters_ThermalZoneInformation", ("Name", "HighPrecisionTemperature")),),
    temperature_points,
    optional=True,
)
SECTIONS = (SYSTEM, CPU, DISKS, NETWORK, TEMPERATURE)
CLASSES = frozenset(query.wmi_class for section in SECTIONS for query in section.queries)
