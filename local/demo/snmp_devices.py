"""SNMP devices of the demo: their answers, and what of these must become points.

Each function gives the objects of one kind of device, and by metric and instance what netvitals has to make
of them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from local.demo.expectations import Always, Between, Expectation, Expected, Reported, Series, octets, wave
from local.devices.snmp_devices import interfaces, system
from local.devices.snmp_mib import Gauge32, Object, ObjectId

_IF, _IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
_CISCO, _FORTINET = "1.3.6.1.4.1.9", "1.3.6.1.4.1.12356.101"
_STORAGE, _PROCESSOR = "1.3.6.1.2.1.25.2.3.1", "1.3.6.1.2.1.25.3.3.1.2"
_STORAGE_TYPE = "1.3.6.1.2.1.25.2.1"
_SENSOR, _ENTITY_NAME = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.2.1.47.1.1.1.1.7"
_RAM, _FIXED_DISK = 2, 4
_CELSIUS, _UNITS, _SENSOR_OK = 8, 9, 1
_GIB = 1024**3
_UPLINKS = 2


class Simulation(NamedTuple):
    objects: dict[str, Object]
    expected: Expected

    def __or__(self, other: object) -> "Simulation":
        if not isinstance(other, Simulation):
            return NotImplemented
        return Simulation(self.objects | other.objects, {**self.expected, **other.expected})


def switch(name: str, ports: int, bits_per_second: float) -> Simulation:
    """A Catalyst: 64-bit counters, CPU, memory pool, and the temperature of ENVMON."""
    cpu, temperature, sensor = wave(24, 9), wave(41, 3, 45), "SW#1, Sensor#1"
    model = _model(name, f"{_CISCO}.1.1208", "Cisco IOS Software, C2960X Software, Version 15.2(7)E8")
    vitals = Simulation(
        {
            f"{_CISCO}.9.109.1.1.1.1.2.1": 0,
            f"{_CISCO}.9.109.1.1.1.1.8.1": cpu,
            f"{_CISCO}.9.13.1.3.1.2.1006": f"{sensor}, GREEN",
            f"{_CISCO}.9.13.1.3.1.3.1006": temperature,
            f"{_CISCO}.9.13.1.3.1.6.1006": 1,
        },
        {("cpu_percent", ""): cpu, ("temperature_celsius", f"{sensor} (envmon)"): temperature},
    )
    return model | vitals | _pool(112_000_000, 268_000_000) | _wide(ports, bits_per_second)


def router(name: str, bits_per_second: float) -> Simulation:
    """An old router: no ifXTable, and 32-bit counters that are about to wrap."""
    cpu = wave(38, 14, 25)
    objects = interfaces(4, "FastEthernet0/{}")
    narrow = {oid: value for oid, value in objects.items() if not oid.startswith(_IFX)}
    expected: dict[Series, Expectation] = {}
    for port in range(1, 5):
        name_of = f"FastEthernet0/{port}"
        received, sent = (octets(bits_per_second / share, 2**32 - 30_000_000, bits=32) for share in (port, 3))
        narrow |= {f"{_IF}.10.{port}": received, f"{_IF}.16.{port}": sent}
        expected |= _port(name_of, port, received, sent)
    model = _model(name, f"{_CISCO}.1.209", "Cisco Internetwork Operating System Software, C2600")
    vitals = Simulation({f"{_CISCO}.2.1.58.0": cpu}, {("cpu_percent", ""): cpu})
    return model | vitals | _pool(21_000_000, 9_000_000) | Simulation(narrow, expected)


def server(name: str, bits_per_second: float) -> Simulation:
    """A host with net-snmp: HOST-RESOURCES with four processors, memory and two file systems."""
    load = [wave(35 + 10 * number, 12, 15 + number) for number in range(4)]
    cpus = Simulation(
        {f"{_PROCESSOR}.{196_608 + number}": each for number, each in enumerate(load)},
        {
            **{("cpu_percent", f"CPU {number}"): each for number, each in enumerate(load, 1)},
            ("cpu_percent", ""): Between(20, 80),
        },
    )
    model = _model(name, "1.3.6.1.4.1.8072.3.2.10", "Linux db-1 6.1.0-27-amd64 #1 SMP x86_64")
    disks = (
        _storage(1, _RAM, "Physical memory", 32 * _GIB, 21 * _GIB)
        | _storage(31, _FIXED_DISK, "/", 100 * _GIB, 43 * _GIB)
        | _storage(32, _FIXED_DISK, "/var/lib/postgresql", 1000 * _GIB, 871 * _GIB)
    )
    return model | cpus | disks | _wide(2, bits_per_second, "eth{}")


def ups(name: str) -> Simulation:
    """A UPS whose management card has ENTITY-SENSOR-MIB: two temperatures, and one sensor of another kind."""
    readings = {"Battery": wave(27.5, 1.5, 60, scale=0.1), "Inlet": wave(22, 2, 40, scale=0.1)}
    objects: dict[str, Object] = {}
    expected: dict[Series, Expectation] = {}
    for index, (place, reading) in enumerate(readings.items(), 1):
        objects |= _sensor(index, f"{place} temperature", _CELSIUS, reading)
        expected["temperature_celsius", f"{place} temperature"] = reading
    objects |= _sensor(3, "Output load", 1, Gauge32(430))
    model = _model(name, "1.3.6.1.4.1.318.1.3.27", "Network Management Card, UPS 3000")
    return model | Simulation(objects, expected) | _wide(1, 40_000, "eth{}")


def firewall(name: str, bits_per_second: float) -> Simulation:
    """A FortiGate."""
    cpu = wave(52, 20, 18)
    vitals: dict[str, Object] = {
        f"{_FORTINET}.4.1.3.0": cpu,
        f"{_FORTINET}.4.1.4.0": Gauge32(61),
        f"{_FORTINET}.4.1.5.0": Gauge32(4_000_000),
        f"{_FORTINET}.4.1.6.0": Gauge32(7_000),
        f"{_FORTINET}.4.1.7.0": Gauge32(28_000),
    }
    disk = 28_000 * 1024**2
    expected: dict[Series, Expectation] = {
        ("cpu_percent", ""): cpu,
        ("memory_percent", ""): Always(61),
        ("memory_total_bytes", ""): Always(4_000_000 * 1024),
        ("memory_used_bytes", ""): Always(4_000_000 * 1024 * 0.61),
        **_of_total("disk", disk // 4, disk, "Disk"),
    }
    model = _model(name, f"{_FORTINET}.1.1006", "FortiGate-100F")
    return model | Simulation(vitals, expected) | _wide(6, bits_per_second, "port{}")


def _model(name: str, object_id: str, descr: str) -> Simulation:
    return Simulation(system(name, object_id, descr), {})


def _pool(used: int, free: int) -> Simulation:
    """CISCO-MEMORY-POOL-MIB with one pool."""
    pool: dict[str, Object] = {2: "Processor", 5: Gauge32(used), 6: Gauge32(free)}  # type: ignore[dict-item]  # of Object
    return Simulation(
        {f"{_CISCO}.9.48.1.1.1.{column}.1": value for column, value in pool.items()},
        _of_total("memory", used, used + free, ""),
    )


def _storage(index: int, kind: int, name: str, size: int, used: int) -> Simulation:
    """A row of hrStorageTable."""
    units = 65_536
    row: dict[int, Object] = {
        1: index, 2: ObjectId(f"{_STORAGE_TYPE}.{kind}"), 3: name,
        4: units, 5: size // units, 6: used // units,
    }  # fmt: skip
    expected = _of_total("memory", used, size, "") if kind == _RAM else _of_total("disk", used, size, name)
    return Simulation({f"{_STORAGE}.{column}.{index}": value for column, value in row.items()}, expected)


def _of_total(section: str, used: int, total: int, instance: str) -> dict[Series, Expectation]:
    return {
        (f"{section}_percent", instance): Always(100 * used / total),
        (f"{section}_used_bytes", instance): Always(used),
        (f"{section}_total_bytes", instance): Always(total),
    }


def _sensor(index: int, name: str, kind: int, reading: Object) -> dict[str, Object]:
    """A row of entPhySensorTable in tenths, with its name."""
    row: dict[int, Object] = {1: kind, 2: _UNITS, 3: 1, 4: reading, 5: _SENSOR_OK}
    return {f"{_SENSOR}.{column}.{index}": value for column, value in row.items()} | {
        f"{_ENTITY_NAME}.{index}": name
    }


def _wide(ports: int, bits_per_second: float, name: str = "GigabitEthernet1/0/{}") -> Simulation:
    """Ports with 64-bit counters: two uplinks carry most, every tenth port is down and carries nothing."""
    objects = interfaces(ports, name)
    expected: dict[Series, Expectation] = {}
    for port in range(1, ports + 1):
        share = bits_per_second / (port if port <= _UPLINKS else 20 + port)
        pace = 0 if port % 10 == 0 else share
        received, sent = octets(pace, 5_000_000_000 * port), octets(pace / 3, 2_000_000_000 * port)
        objects |= {f"{_IFX}.6.{port}": received, f"{_IFX}.10.{port}": sent}
        shown = name.format(port).replace("GigabitEthernet", "Gi")
        expected |= _port(shown, port, received, sent)
        if port <= _UPLINKS:
            objects[f"{_IFX}.15.{port}"] = Gauge32(10_000)  # ifHighSpeed, in million bits per second
            expected["net_speed_bps", shown] = Always(1e10)
    return Simulation(objects, expected)


def _port(name: str, port: int, received: Reported, sent: Reported) -> dict[Series, Expectation]:
    return {("net_bytes_in", name): received, ("net_bytes_out", name): sent, **dict(_steady(name, port))}


def _steady(name: str, port: int) -> Iterator[tuple[Series, Expectation]]:
    for metric in ("net_errors_in", "net_errors_out", "net_discards_in", "net_discards_out"):
        yield (metric, name), Always(port)
    yield ("net_oper_status", name), Always(2 if port % 10 == 0 else 1)
    yield ("net_speed_bps", name), Always(1e9)
