"""Hosts of the demo that are logged in to: what a Windows server answers, and what must become points."""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from local.demo.expectations import ANY, Between, Expected, always, octets, of_total, wave
from local.devices.winrm_machine import Machine, Row

_GIB = 1024**3
_IDLE_SHARE = 0.7
_UP_SECONDS = 8_640_000
_PERFORMANCE = "Win32_PerfRawData"
_FAULTS = tuple(f"net_{what}_{way}" for what in ("errors", "discards") for way in ("in", "out"))


def this_machine() -> Expected:
    """Return the bounds of this machine's values, whatever disks, interfaces and sensors it has.

    Some sandboxes count no CPU time, of which nothing can be made.
    """
    memory = Between(0, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return {
        ("cpu_percent", ANY): Between(0, 100),
        ("memory_percent", ""): Between(0, 100),
        ("memory_used_bytes", ""): memory,
        ("memory_total_bytes", ""): memory,
        ("disk_percent", ANY): Between(0, 100),
        ("disk_used_bytes", ANY): Between(0, 2**63),
        ("disk_total_bytes", ANY): Between(1, 2**63),
        **{(counter, ANY): Between(0, 2**64) for counter in ("net_bytes_in", "net_bytes_out", *_FAULTS)},
        ("net_oper_status", ANY): Between(1, 7),
        ("net_speed_bps", ANY): Between(1, 1e12),
        ("temperature_celsius", ANY): Between(-40, 125),
    }


class Windows(NamedTuple):
    machine: Machine
    expected: Expected


def domain_controller(bits_per_second: float) -> Windows:
    """A physical server: two volumes, one locked, a network card, a thermal zone."""
    received, sent = octets(bits_per_second, 7_000_000_000), octets(bits_per_second / 3, 3_000_000_000)
    zone, card = r"\_TZ.TZ00", "HPE Ethernet 1Gb 4-port 331i Adapter"
    kelvin = wave(301, 4, 35, scale=0.1)
    sound = dict.fromkeys((f"Packets{way}{what}" for way in _WAYS for what in ("Errors", "Discarded")), 0)
    machine = Machine(
        {
            "Win32_OperatingSystem": _system,
            f"{_PERFORMANCE}_Counters_ProcessorInformation": _processor,
            "Win32_LogicalDisk": [
                _volume("C:", 200 * _GIB, 130 * _GIB),
                _volume("D:", 2000 * _GIB, 300 * _GIB),
                {"DeviceID": "E:", "Size": None, "FreeSpace": None, "DriveType": 3},
            ],
            f"{_PERFORMANCE}_Tcpip_NetworkInterface": lambda: [
                {"Name": card, "CurrentBandwidth": 10**9, **sound}
                | {"BytesReceivedPersec": received(), "BytesSentPersec": sent()}
            ],
            f"{_PERFORMANCE}_Counters_ThermalZoneInformation": lambda: [
                {"Name": zone, "HighPrecisionTemperature": kelvin()}
            ],
        }
    )
    expected: Expected = {
        ("cpu_percent", ""): Between(29, 31),
        **of_total("memory", 24 * _GIB, 32 * _GIB),
        **of_total("disk", 130 * _GIB, 200 * _GIB, "C:"),
        **of_total("disk", 300 * _GIB, 2000 * _GIB, "D:"),
        ("net_bytes_in", card): received,
        ("net_bytes_out", card): sent,
        **{(counter, card): always(0) for counter in _FAULTS},
        ("net_speed_bps", card): always(1e9),
        ("temperature_celsius", zone.lstrip("\\")): Between(296 - 273.15, 306 - 273.15),
    }
    return Windows(machine, expected)


_WAYS = ("Received", "Outbound")


def _system() -> Sequence[Row]:
    now = time.time()
    return [
        {
            "LastBootUpTime": _date(now - _UP_SECONDS),
            "LocalDateTime": _date(now),
            "TotalVisibleMemorySize": 32 * _GIB // 1024,
            "FreePhysicalMemory": 8 * _GIB // 1024,
        }
    ]


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))


def _processor() -> Sequence[Row]:
    """Return counters of a processor that is busy for the same share of all time."""
    clock = time.time_ns() // 100
    return [{"Name": "_Total", "PercentProcessorTime": int(clock * _IDLE_SHARE), "Timestamp_Sys100NS": clock}]


def _volume(name: str, size: int, used: int) -> Row:
    return {"DeviceID": name, "Size": size, "FreeSpace": size - used, "DriveType": 3}
