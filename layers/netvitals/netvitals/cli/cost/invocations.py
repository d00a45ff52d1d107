"""Compute number and duration of collectors' invocations for a fleet: bundles by slot, as fan-out sends them.

Waiting dominates the cost: an invocation lasts as long as its slowest device.
"""

from collections.abc import Sequence
from math import ceil, erfc, exp, sqrt
from typing import NamedTuple

import msgspec

from netvitals.cli.cost import figures, lines
from netvitals.domain.polling.job import Kind
from netvitals.usecases.bundles import MAX_JOBS, MAX_POINTS, Group, slot_of

HOURS = 730
SECONDS = HOURS * 3600
KINDS: tuple[Kind, ...] = ("status", "metrics")
_MANY = 100
"""Mean from which on Poisson's distribution is approximated by the normal distribution."""


class DeviceGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Devices that are polled alike."""

    number: int
    ports: float = 24
    """Interfaces of one device, on average."""
    used: float = 0.5
    """Share of the interfaces whose octet counters move."""
    measures: float = 0
    """Values of each poll beyond those of a switch, such as percentages of further disks."""
    silent: float = 0.01
    """Share of the devices that have not answered for longer than their timeout."""
    protocol: str = "snmp"
    """First protocol in order of preference; `ping` where there is none."""
    status_interval: int = 30
    metrics_interval: int = 300

    def interval(self, kind: Kind) -> int:
        return self.status_interval if kind == "status" else self.metrics_interval

    def cpu(self, kind: Kind) -> float:
        """Return the processor seconds of one poll."""
        per = self._protocol
        return per.status_cpu if kind == "status" else per.metrics_cpu + self.ports * per.port_cpu

    def wait(self, kind: Kind) -> float:
        return self._protocol.status_wait if kind == "status" else self._protocol.metrics_wait

    @property
    def _protocol(self) -> figures.PollSeconds:
        """Return the figures of its protocol; of the most expensive one where it was never measured."""
        return figures.PROTOCOLS.get(self.protocol, figures.DEAREST)

    @property
    def points(self) -> float:
        """Return the number of points of one metrics poll."""
        return lines.points_of(self.ports, self.measures)


class Invocations(NamedTuple):
    """Invocations that poll bundles of one kind."""

    number: float
    """Invocations a month."""
    jobs: float
    """Jobs in one invocation, on average."""
    seconds: float
    """Duration of one invocation, on average."""
    in_slot: float
    """Messages that are delivered at the same moment."""
    slot: int
    """Seconds until the next such moment."""
    silent: bool


class _Due(NamedTuple):
    """Counts the jobs that are due in one slot, on average."""

    jobs: float
    points: float
    cpu: float
    """Processor seconds of all of them."""
    wait: float
    """Seconds of waiting for the slowest kind of device."""


def collected(fleet: Sequence[DeviceGroup], kind: Kind, memory_mb: int) -> list[Invocations]:
    """Return the invocations of one collector."""
    found = []
    for silent, travels in ((False, Group.LIVE), (True, Group.SILENT)):
        slots = {group: slot_of(travels, group.interval(kind)) for group in fleet}
        for slot in sorted(set(slots.values())):
            due = _due([group for group in fleet if slots[group] == slot], kind, slot, silent=silent)
            if due.jobs > 0:
                found.append(_invocations(due, kind, slot, memory_mb, silent=silent))
    return found


def share(memory_mb: int) -> float:
    """Return the share of a processor that a function with this memory gets; at most one is of use to it."""
    return min(memory_mb / figures.WHOLE_PROCESSOR_MB, 1.0)


def all_failing(fleet: Sequence[DeviceGroup], kind: Kind, memory_mb: int) -> float:
    """Return how many collectors run at once while all devices fail and none is known to be silent yet."""
    total = 0.0
    for each in collected([msgspec.structs.replace(group, silent=0.0) for group in fleet], kind, memory_mb):
        total += each.number / SECONDS * (each.seconds + figures.FAILED_WAIT)
    return total


def _due(groups: Sequence[DeviceGroup], kind: Kind, slot: int, *, silent: bool) -> _Due:
    jobs = points = cpu = 0.0
    for group in groups:
        part = group.silent if silent else 1 - group.silent
        here = group.number * part * slot / group.interval(kind)
        jobs += here
        points += here * group.points
        cpu += here * (figures.SILENT_CPU if silent else group.cpu(kind))
    wait = figures.SILENT_WAIT if silent else max(group.wait(kind) for group in groups)
    return _Due(jobs, points, cpu, wait)


def _invocations(due: _Due, kind: Kind, slot: int, memory_mb: int, *, silent: bool) -> Invocations:
    at_most: float = MAX_JOBS[kind]
    if kind == "metrics":
        at_most = max(1.0, min(at_most, MAX_POINTS * due.jobs / due.points))
    messages = messages_of(due.jobs, int(at_most))
    jobs = due.jobs / messages
    cpu = figures.INVOCATION_CPU + due.cpu / messages
    requests = jobs * (1 if kind == "status" else figures.METRICS_REQUESTS)
    lost = 0.0 if silent else (1 - (1 - figures.LOST_REQUESTS) ** requests) * figures.LOST_WAIT
    seconds = due.wait + lost + cpu / share(memory_mb) + figures.STORE_WAIT
    return Invocations(messages * SECONDS / slot, jobs, seconds, messages, slot, silent)


def messages_of(mean_jobs: float, at_most: int) -> float:
    """Return the mean number of messages of a slot; phases are hashes: jobs are Poisson-distributed."""
    messages, full = 0.0, 0
    while (more := _exceeds(mean_jobs, full * at_most)) > 1e-6:  # noqa: PLR2004, of a message
        messages += more
        full += 1
    return max(messages, 1e-6)


def _exceeds(mean: float, number: int) -> float:
    """Return the probability that a Poisson-distributed number exceeds a limit."""
    if mean > _MANY:
        return erfc((number + 0.5 - mean) / sqrt(2 * mean)) / 2
    term = total = exp(-mean)
    for n in range(1, number + 1):
        term *= mean / n
        total += term
    return max(0.0, 1 - total)


def peak(groups: Sequence[Invocations]) -> int:
    """Return how many invocations run at once when a slot's messages are delivered."""
    return ceil(max((each.in_slot for each in groups), default=0)) + ceil(
        sum(each.number * each.seconds for each in groups) / SECONDS
    )
