"""Query one section after another; collect points as they are read, faults, and memory for the next poll."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from netvitals.collectors import vital_points
from netvitals.collectors.cpu_usage import CpuSample, is_same_boot
from netvitals.collectors.winrm.counters import (
    KeptCounters,
    booted_at,
    cpu_percent,
    cpu_sample,
    kept_counters,
)
from netvitals.collectors.winrm.faults import NoSuchClass, QueryFault
from netvitals.collectors.winrm.protocol import MEMORY
from netvitals.collectors.winrm.queries import (
    CLASSES,
    CPU,
    DISKS,
    NETWORK,
    SYSTEM,
    TEMPERATURE,
    WmiQuery,
    WmiSection,
)
from netvitals.collectors.winrm.rows import WmiRow
from netvitals.domain.polling.observation import Reading, Reason

ABSENT_SECONDS = 240, 86_400
"""Least and most seconds for which a class that the host does not have is not queried again.

It is as long as the host has been up: one that has just started has not loaded all of them.
"""
SECOND_SAMPLE_SECONDS = 1.0


class WinrmMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of device memory under the key `winrm`."""

    cpu: KeptCounters | None = None
    absent: dict[str, int] = {}
    """Times at which classes are queried again that the host does not have, in seconds since the epoch, by
    class."""


class _Cpu(NamedTuple):
    query: WmiQuery
    time_ns: int
    sample: CpuSample


class Survey:
    """Runs the queries of one poll; `rows` runs one, and raises QueryFault for it or WinrmFault for all."""

    def __init__(
        self,
        rows: Callable[[WmiQuery], list[WmiRow]],
        reading: Reading,
        memory: WinrmMemory,
        deadline: float,
        pause_seconds: float | None = None,
    ) -> None:
        """Take a deadline on the clock of `time.monotonic`, and the pause between two samples of CPU time."""
        self.faults: list[tuple[WmiSection, QueryFault]] = []
        self._rows = rows
        self._reading = reading
        self._kept = memory.cpu
        self._booted: int | None = None
        now = int(time.time())
        self._absent = {name: at for name, at in memory.absent.items() if now < at and name in CLASSES}
        self._until = now + max(ABSENT_SECONDS)
        self._deadline = deadline
        self._pause_seconds = SECOND_SAMPLE_SECONDS if pause_seconds is None else pause_seconds

    def run(self) -> None:
        """Run every query; what was read and learnt is in the reading whatever is raised."""
        try:
            self._booted = booted_at(self._section(SYSTEM))
            self._forget_absence()
            first = self._cpu()
            again = time.monotonic() + self._pause_seconds
            since_last_poll = first is not None and self._cpu_since_last_poll(first)
            for section in (DISKS, NETWORK, TEMPERATURE):
                self._section(section)
            if first is not None and not since_last_poll:
                self._cpu_twice(first, again)
        finally:
            self._reading.memory[MEMORY] = msgspec.to_builtins(WinrmMemory(self._kept, self._absent))

    def _forget_absence(self) -> None:
        """Query missing classes again after a restart, and else after a time that grows with the uptime."""
        if self._booted is None:
            return
        if self._kept is not None and not is_same_boot(self._kept.booted, self._booted):
            self._absent.clear()
        now = int(time.time())
        least, most = ABSENT_SECONDS
        self._until = now + min(max(now - self._booted, least), most)

    def _section(self, section: WmiSection) -> list[WmiRow]:
        query, rows = self._asked(section)
        assert section.points is not None  # noqa: S101, the CPU's section goes its own way
        points = list(section.points(rows))
        if rows and not points and not section.optional:
            self._fault(section, QueryFault(Reason.PROTOCOL, "its answer holds nothing that can be used"))
        if section.optional and query is not None and not points:
            self._absent[query.wmi_class] = self._until
        self._reading.points += points
        return rows

    def _asked(self, section: WmiSection) -> tuple[WmiQuery | None, list[WmiRow]]:
        """Return the rows of the first class that the host has; none where it has none, which is no fault."""
        for query in section.queries:
            if query.wmi_class in self._absent:
                continue
            try:
                return query, self._rows(query)
            except NoSuchClass:
                self._absent[query.wmi_class] = self._until
            except QueryFault as fault:
                self._fault(section, fault)
                break
        return None, []

    def _cpu(self) -> _Cpu | None:
        query, rows = self._asked(CPU)
        found = cpu_sample(rows)
        if query is None or found is None:
            if query is not None:
                self._fault(CPU, QueryFault(Reason.PROTOCOL, "its answer has no instance `_Total`"))
            return None
        return _Cpu(query, *found)

    def _cpu_since_last_poll(self, now: _Cpu) -> bool:
        before = self._kept
        self._keep(now)
        if before is None or not before.is_usable(now.query.wmi_class, self._booted, now.sample):
            return False
        return self._cpu_between(before.sample, now)

    def _cpu_twice(self, first: _Cpu, again: float) -> None:
        pause = max(0.0, again - time.monotonic())
        if time.monotonic() + pause >= self._deadline:
            self._fault(CPU, QueryFault(Reason.TIMEOUT, "no time was left for a second sample"))
            return
        time.sleep(pause)
        try:
            found = cpu_sample(self._rows(first.query))
        except QueryFault as fault:
            self._fault(CPU, fault)
            return
        second = _Cpu(first.query, *found) if found else first
        self._keep(second)
        if not self._cpu_between(first.sample, second):
            self._fault(CPU, QueryFault(Reason.PROTOCOL, "its counters do not run"))

    def _cpu_between(self, before: CpuSample, after: _Cpu) -> bool:
        percent = cpu_percent(before, after.sample)
        if percent is not None:
            self._reading.points.append(vital_points.cpu(percent, after.time_ns))
        return percent is not None

    def _keep(self, cpu: _Cpu) -> None:
        self._kept = kept_counters(cpu.sample, cpu.query.wmi_class, self._booted)

    def _fault(self, section: WmiSection, fault: QueryFault) -> None:
        self.faults.append((section, fault))

    def lacking(self) -> Sequence[str]:
        """Return the sections that most hosts have and this one does not."""
        return [
            section.name
            for section in (SYSTEM, CPU, DISKS, NETWORK)
            if all(query.wmi_class in self._absent for query in section.queries)
        ]
