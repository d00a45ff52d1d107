"""SNMP devices of the demo: their answers, and what of these must become points.

Each function gives the objects of one kind of device, and by metric and instance what netvitals has to make
of them.
"""

from typing import NamedTuple

from local.demo.expectations import Between, Expectation, Expected, Series, always, octets, of_total, wave
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
            **_row(f"{_CISCO}.9.109.1.1.1.1", 1, {2: 0, 8: cpu}),
            **_row(f"{_CISCO}.9.13.1.3.1", 1006, {2: f"{sensor}, GREEN", 3: temperature, 6: 1}),
        },
        {("cpu_percent", ""): cpu, ("temperature_celsius", f"{sensor} (envmon)"): temperature},
    )
    return model | vitals | _pool(112_000_000, 268_000_000) | _ports(ports, bits_per_second)


def router(name: str, bits_per_second: float) -> Simulation:
    """An old router: no ifXTable, and 32-bit counters that are about to wrap."""
    cpu = wave(38, 14, 25)
    model = _model(name, f"{_CISCO}.1.209", "Cisco Internetwork Operating System Software, C2600")
    vitals = Simulation({f"{_CISCO}.2.1.58.0": cpu}, {("cpu_percent", ""): cpu})
    ports = _ports(4, bits_per_second, "FastEthernet0/{}", bits=32)
    return model | vitals | _pool(21_000_000, 9_000_000) | ports


def server(name: str, bits_per_second: float) -> Simulation:
    """A host with net-snmp: HOST-RESOURCES with four processors, memory and two file systems."""
    load = {number: wave(25 + 10 * number, 12, 14 + number) for number in range(1, 5)}
    cpus = Simulation(
        {f"{_PROCESSOR}.{196_607 + number}": each for number, each in load.items()},
        {
            **{("cpu_percent", f"CPU {number}"): each for number, each in load.items()},
            ("cpu_percent", ""): Between(20, 80),
        },
    )
    model = _model(name, "1.3.6.1.4.1.8072.3.2.10", "Linux db-1 6.1.0-27-amd64 #1 SMP x86_64")
    disks = (
        _storage(1, _RAM, "Physical memory", 32 * _GIB, 21 * _GIB)
        | _storage(31, _FIXED_DISK, "/", 100 * _GIB, 43 * _GIB)
        | _storage(32, _FIXED_DISK, "/var/lib/postgresql", 1000 * _GIB, 871 * _GIB)
    )
    return model | cpus | disks | _ports(2, bits_per_second, "eth{}")


def ups(name: str) -> Simulation:
    """A UPS whose management card has ENTITY-SENSOR-MIB: two temperatures, and one sensor of another kind."""
    readings = {"Battery": wave(27.5, 1.5, 60, scale=0.1), "Inlet": wave(22, 2, 40, scale=0.1)}
    sensors = _sensor(3, "Output load", 1, Gauge32(430))
    for index, (place, reading) in enumerate(readings.items(), 1):
        sensors |= _sensor(index, f"{place} temperature", _CELSIUS, reading)
    temperatures: Expected = {
        ("temperature_celsius", f"{place} temperature"): each for place, each in readings.items()
    }
    model = _model(name, "1.3.6.1.4.1.318.1.3.27", "Network Management Card, UPS 3000")
    return model | Simulation(sensors, temperatures) | _ports(1, 40_000, "eth{}")


def firewall(name: str, bits_per_second: float) -> Simulation:
    """A FortiGate."""
    cpu, memory, disk = wave(52, 20, 18), 4_000_000, 28_000
    numbers = {4: Gauge32(61), 5: Gauge32(memory), 6: Gauge32(disk // 4), 7: Gauge32(disk)}
    expected: Expected = {
        ("cpu_percent", ""): cpu,
        **of_total("memory", memory * 1024 * 61 // 100, memory * 1024),
        **of_total("disk", disk // 4 * 1024**2, disk * 1024**2, "Disk"),
    }
    vitals = Simulation(_row(f"{_FORTINET}.4.1", 0, {3: cpu, **numbers}), expected)
    model = _model(name, f"{_FORTINET}.1.1006", "FortiGate-100F")
    return model | vitals | _ports(6, bits_per_second, "port{}")


def _model(name: str, object_id: str, descr: str) -> Simulation:
    return Simulation(system(name, object_id, descr), {})


def _row(entry: str, index: int, columns: dict[int, Object]) -> dict[str, Object]:
    return {f"{entry}.{column}.{index}": value for column, value in columns.items()}


def _pool(used: int, free: int) -> Simulation:
    """CISCO-MEMORY-POOL-MIB with one pool."""
    pool = _row(f"{_CISCO}.9.48.1.1.1", 1, {2: "Processor", 5: Gauge32(used), 6: Gauge32(free)})
    return Simulation(pool, of_total("memory", used, used + free))


def _storage(index: int, kind: int, name: str, size: int, used: int) -> Simulation:
    """A row of hrStorageTable."""
    units, type_ = 65_536, ObjectId(f"{_STORAGE_TYPE}.{kind}")
    row: dict[int, Object] = {1: index, 2: type_, 3: name, 4: units, 5: size // units, 6: used // units}
    expected = of_total("memory", used, size) if kind == _RAM else of_total("disk", used, size, name)
    return Simulation(_row(_STORAGE, index, row), expected)


def _sensor(index: int, name: str, kind: int, reading: Object) -> dict[str, Object]:
    """A row of entPhySensorTable in tenths, with its name."""
    row = {1: kind, 2: _UNITS, 3: 1, 4: reading, 5: _SENSOR_OK}
    return {**_row(_SENSOR, index, row), f"{_ENTITY_NAME}.{index}": name}


def _ports(
    count: int, bits_per_second: float, name: str = "GigabitEthernet1/0/{}", *, bits: int = 64
) -> Simulation:
    """Ports of which two uplinks carry most; every tenth is down and carries nothing.

    With 32 bits they have no ifXTable, and counters that are about to wrap.
    """
    # Traffic and speed stand in one table alone: where answers are lost, netvitals falls back to the other.
    unused = (f"{_IFX}.",) if bits == 32 else tuple(f"{_IF}.{column}." for column in (5, 10, 16))
    objects = {oid: value for oid, value in interfaces(count, name).items() if not oid.startswith(unused)}
    columns = (f"{_IFX}.6", f"{_IFX}.10") if bits == 64 else (f"{_IF}.10", f"{_IF}.16")
    expected: dict[Series, Expectation] = {}
    for port in range(1, count + 1):
        shown = name.format(port).replace("GigabitEthernet", "Gi")
        pace = 0 if port % 10 == 0 else bits_per_second / (port if port <= _UPLINKS else 20 + port)
        already = 5_000_000_000 * port if bits == 64 else 2**32 - 30_000_000
        received, sent = octets(pace, already, bits=bits), octets(pace / 3, already, bits=bits)
        objects |= {f"{columns[0]}.{port}": received, f"{columns[1]}.{port}": sent}
        expected |= {("net_bytes_in", shown): received, ("net_bytes_out", shown): sent}
        for metric in ("net_errors_in", "net_errors_out", "net_discards_in", "net_discards_out"):
            expected[metric, shown] = always(port)
        expected["net_oper_status", shown] = always(2 if port % 10 == 0 else 1)
        expected["net_speed_bps", shown] = always(1e9)
        if port <= _UPLINKS and bits == 64:
            objects[f"{_IFX}.15.{port}"] = Gauge32(10_000)  # ifHighSpeed, in million bits per second
            expected["net_speed_bps", shown] = always(1e10)
    return Simulation(objects, expected)
