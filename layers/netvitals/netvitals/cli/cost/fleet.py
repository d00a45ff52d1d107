"""Describe the fleet whose cost is computed: from options, from an inventory file, or from the database."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from netvitals.cli.cost.invocations import DeviceGroup
from netvitals.cli.cost.lines import points_of
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.inventory.device import Device
from netvitals.domain.polling.changes import Samples
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.policy import Policy
from netvitals.usecases.fan_out import is_silent

TYPE = "network"
"""Device type of the devices that options describe."""


class Assumed(NamedTuple):
    """Assumptions about devices that were never polled."""

    ports: float = 24
    used: float = 0.5
    silent: float = 0.01


class PolledSizes(NamedTuple):
    """Sizes that the last polls of one device found."""

    ports: int
    moving: int | None
    """Ports whose octets moved; None where the poll tells nothing of it."""
    points: int


class Listed(NamedTuple):
    """Devices grouped by how they are polled, and the faults of those that can't be polled."""

    fleet: list[DeviceGroup]
    problems: list[str]


class _Group:
    """Counts devices that are polled alike."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.silent = self.known = self.ports = self.points = 0
        self.moving = self.of_ports = 0
        """Ports whose octets moved, among the ports (`of_ports`) of which that is known."""

    def add(self, read: PolledSizes | None, *, silent: bool) -> None:
        self.number += 1
        self.silent += silent
        if read is None:
            return
        self.known += 1
        self.ports += read.ports
        self.points += read.points
        if read.moving is not None:
            self.moving += read.moving
            self.of_ports += read.ports


def described(number: int, assumed: Assumed, configuration: Configuration) -> list[DeviceGroup]:
    """Return a fleet of equal network devices."""
    polling = _polling(configuration.policy(TYPE, {}))
    return [_devices(polling, _Group(number), assumed)]


def listed(devices: Iterable[Device], assumed: Assumed, configuration: Configuration) -> Listed:
    """Return the devices of an inventory file, with assumed sizes."""
    groups, problems = _grouped(devices, configuration, {}, None)
    return Listed([_devices(polling, group, assumed) for polling, group in groups.items()], problems)


def polled(
    devices: Iterable[Device], samples: Mapping[str, Samples], configuration: Configuration, now: float
) -> Listed:
    """Return the devices of the database, with the ports and the silence that polls have found."""
    reads = {device_id: read_of(each) for device_id, each in samples.items()}
    groups, problems = _grouped(devices, configuration, reads, now)
    fleet = [
        _devices(polling, group, Assumed(silent=group.silent / group.number))
        for polling, group in groups.items()
    ]
    return Listed(fleet, problems)


def read_of(samples: Samples) -> PolledSizes:
    """Return the sizes that a device's samples show."""
    ports = samples.series.get("net_bytes_in", {})
    moving = [instance for instance, sample in ports.items() if not sample.held]
    is_full = samples.due_at == samples.full_at  # everything was written, moved or not
    return PolledSizes(len(ports), None if is_full else len(moving), sum(map(len, samples.series.values())))


class _Polling(NamedTuple):
    """Settings of a device's polls that change their cost."""

    protocol: str
    status_interval: int
    metrics_interval: int


def _grouped(
    devices: Iterable[Device],
    configuration: Configuration,
    reads: Mapping[str, PolledSizes],
    now: float | None,
) -> tuple[dict[_Polling, _Group], list[str]]:
    groups: dict[_Polling, _Group] = {}
    problems = []
    for device in devices:
        try:
            policy = configuration.policy(device.device_type, device.settings)
        except ConfigurationError as error:
            problems.append(f"device {device.id!r}: {error}")
            continue
        group = groups.setdefault(_polling(policy), _Group())
        silent = now is not None and is_silent(device, policy, now)
        group.add(reads.get(device.id) or _estimated(device), silent=silent)
    return groups, problems


def _polling(policy: Policy) -> _Polling:
    protocol = policy.protocols[0] if policy.protocols else "ping"
    return _Polling(protocol, policy.status_interval_seconds, policy.metrics_interval_seconds)


def _estimated(device: Device) -> PolledSizes | None:
    """Return the ports and measures estimated from a device's number of points, as those of a switch."""
    if not device.points:
        return None
    per_port = points_of(1, 0) - points_of(0, 0)
    ports = max(0, round((device.points - points_of(0, 0)) / per_port))
    return PolledSizes(ports, None, device.points)


def _devices(polling: _Polling, group: _Group, assumed: Assumed) -> DeviceGroup:
    """Return the devices of a group; known sizes replace assumed ones."""
    ports = group.ports / group.known if group.known else assumed.ports * (polling.protocol != "ping")
    points = group.points / group.known if group.known else 0
    return DeviceGroup(
        number=group.number,
        ports=ports,
        used=group.moving / group.of_ports if group.of_ports else assumed.used,
        measures=max(0.0, points - points_of(ports, 0)),
        silent=assumed.silent,
        protocol=polling.protocol,
        status_interval=polling.status_interval,
        metrics_interval=polling.metrics_interval,
    )
