"""Windows host of the demo: its answers, and what of these must become points."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from local.demo.expectations import Always, Between, Expected, Reported, octets, wave
from local.devices.winrm_machine import Machine, Row

_GIB = 1024**3
_IDLE_SHARE = 0.7
_UP_SECONDS = 8_640_000
_PERFORMANCE = "Win32_PerfRawData"


class Windows(NamedTuple):
    machine: Machine
    expected: Expected


def domain_controller(bits_per_second: float) -> Windows:
    """A physical server: two volumes, one locked, a network card, a thermal zone."""
    received, sent = octets(bits_per_second, 7_000_000_000), octets(bits_per_second / 3, 3_000_000_000)
    zone, card = r"\_TZ.TZ00", "HPE Ethernet 1Gb 4-port 331i Adapter"
    kelvin = wave(301, 4, 35, scale=0.1)
    machine = Machine(
        {
            "Win32_OperatingSystem": _system,
            f"{_PERFORMANCE}_Counters_ProcessorInformation": _processor,
            "Win32_LogicalDisk": [
                _volume("C:", 200 * _GIB, 130 * _GIB),
                _volume("D:", 2000 * _GIB, 300 * _GIB),
                {"DeviceID": "E:", "Size": None, "FreeSpace": None, "DriveType": 3},
            ],
            f"{_PERFORMANCE}_Tcpip_NetworkInterface": lambda: [_card(card, received, sent)],
            f"{_PERFORMANCE}_Counters_ThermalZoneInformation": lambda: [
                {"Name": zone, "HighPrecisionTemperature": kelvin()}
            ],
        }
    )
    expected: Expected = {
        ("cpu_percent", ""): Between(29, 31),
        **_of_total("memory", 24 * _GIB, 32 * _GIB, ""),
        **_of_total("disk", 130 * _GIB, 200 * _GIB, "C:"),
        **_of_total("disk", 300 * _GIB, 2000 * _GIB, "D:"),
        ("net_bytes_in", card): received,
        ("net_bytes_out", card): sent,
        **{
            (f"net_{what}_{way}", card): Always(0) for what in ("errors", "discards") for way in ("in", "out")
        },
        ("net_speed_bps", card): Always(1e9),
        ("temperature_celsius", zone.lstrip("\\")): Between(296 - 273.15, 306 - 273.15),
    }
    return Windows(machine, expected)


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


def _card(name: str, received: Reported, sent: Reported) -> Row:
    nothing = (
        "PacketsReceivedErrors",
        "PacketsOutboundErrors",
        "PacketsReceivedDiscarded",
        "PacketsOutboundDiscarded",
    )
    return {
        "Name": name,
        "BytesReceivedPersec": received(),
        "BytesSentPersec": sent(),
        **dict.fromkeys(nothing, 0),
        "CurrentBandwidth": 10**9,
    }


def _of_total(section: str, used: int, total: int, instance: str) -> Expected:
    return {
        (f"{section}_percent", instance): Always(100 * used / total),
        (f"{section}_used_bytes", instance): Always(used),
        (f"{section}_total_bytes", instance): Always(total),
    }
