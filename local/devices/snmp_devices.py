"""Devices for simulated agents: what a switch of so many ports answers."""

import time

from local.devices.snmp_agent import Agent
from local.devices.snmp_mib import Counter32, Counter64, Gauge32, IpAddress, Object, ObjectId, TimeTicks

_SYSTEM = "1.3.6.1.2.1.1"
_IF_TABLE = "1.3.6.1.2.1.2.2.1"
_IF_X_TABLE = "1.3.6.1.2.1.31.1.1.1"
_ETHERNET, _GIGABIT = 6, 1_000_000_000
_STARTED = time.monotonic()
"""When all devices of this process started, so that none that stands for another seems to have restarted."""


def system(
    name: str, object_id: str = "1.3.6.1.4.1.8072.3.2.10", descr: str = "simulated"
) -> dict[str, Object]:
    """SNMPv2-MIB system."""
    return {
        f"{_SYSTEM}.1.0": descr,
        f"{_SYSTEM}.2.0": ObjectId(object_id),
        f"{_SYSTEM}.3.0": lambda: TimeTicks((time.monotonic() - _STARTED) * 100 + 8_640_000),
        f"{_SYSTEM}.4.0": "noc@example.net",
        f"{_SYSTEM}.5.0": name,
        f"{_SYSTEM}.6.0": "rack 4",
        f"{_SYSTEM}.7.0": 2,
    }


def interfaces(count: int, name: str = "GigabitEthernet1/0/{}", first_index: int = 1) -> dict[str, Object]:
    """IF-MIB ifTable and ifXTable of this many ports; every tenth is down, octets differ by port."""
    objects: dict[str, Object] = {"1.3.6.1.2.1.2.1.0": count}
    for port in range(1, count + 1):
        objects |= _interface(first_index + port - 1, port, name.format(port))
    return objects


def _interface(index: int, port: int, name: str) -> dict[str, Object]:
    status = 2 if port % 10 == 0 else 1
    octets = 4_000_000_000 + port * 1_234_567
    entry: dict[int, Object] = {
        1: index,
        2: name,
        3: _ETHERNET,
        4: 1500,
        5: Gauge32(_GIGABIT),
        6: bytes((2, 0, 0, 0, port >> 8, port & 255)),
        7: 1,
        8: status,
        9: TimeTicks(1000),
        **{column: Counter32((octets + column) % 2**32) for column in (10, 11, 12, 16, 17, 18)},
        **{column: Counter32(port) for column in (13, 14, 15, 19, 20)},
        21: Gauge32(0),
        22: ObjectId("0.0"),
    }
    extension: dict[int, Object] = {
        1: name.replace("GigabitEthernet", "Gi"),
        **{column: Counter32(port) for column in (2, 3, 4, 5)},
        **{column: Counter64(octets * 1000 + column) for column in (6, 7, 8, 9, 10, 11, 12, 13)},
        14: 1,
        15: Gauge32(1000),
        16: 2,
        17: 1,
        18: f"uplink {port}" if port <= 2 else f"desk {port:03}",
        19: TimeTicks(0),
    }
    return {f"{_IF_TABLE}.{column}.{index}": value for column, value in entry.items()} | {
        f"{_IF_X_TABLE}.{column}.{index}": value for column, value in extension.items()
    }


def switch_objects(ports: int, name: str = "switch") -> dict[str, Object]:
    """A switch's system group, interfaces, one IP address, and CPU, memory and temperature of a Catalyst."""
    return {
        **system(name, "1.3.6.1.4.1.9.1.1208", "Cisco IOS Software, C2960 Software, Version 15.0(2)SE"),
        **interfaces(ports),
        "1.3.6.1.2.1.4.20.1.1.192.0.2.1": IpAddress("192.0.2.1"),
        "1.3.6.1.4.1.9.9.109.1.1.1.1.2.1": 0,
        "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1": Gauge32(17),
        "1.3.6.1.4.1.9.9.48.1.1.1.2.1": "Processor",
        "1.3.6.1.4.1.9.9.48.1.1.1.5.1": Gauge32(30_000_000),
        "1.3.6.1.4.1.9.9.48.1.1.1.6.1": Gauge32(70_000_000),
        "1.3.6.1.4.1.9.9.13.1.3.1.2.1006": "SW#1, Sensor#1, GREEN",
        "1.3.6.1.4.1.9.9.13.1.3.1.3.1006": Gauge32(38),
        "1.3.6.1.4.1.9.9.13.1.3.1.6.1006": 1,
    }


def switch(ports: int = 24, *, delay: float = 0.0, loss: float = 0.0, community: str = "public") -> Agent:
    return Agent(switch_objects(ports), delay=delay, loss=loss, community=community)
