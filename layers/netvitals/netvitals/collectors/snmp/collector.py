"""Poll one device over SNMP: decide whether it answers, identify it, read vital signs and interfaces."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from netvitals.collectors.memory import recall
from netvitals.collectors.snmp.interfaces import (
    Interfaces,
    descriptions_of,
    has_only_64_bit,
    points_of_interfaces,
    read_interfaces,
    silent_columns,
)
from netvitals.collectors.snmp.memory import SnmpMemory
from netvitals.collectors.snmp.profiles.index import (
    STANDARD,
    Identity,
    ProfileBook,
    choose,
    probes_of,
)
from netvitals.collectors.snmp.profiles.packaged import packaged_profiles
from netvitals.collectors.snmp.profiles.vitals import Chosen, Evaluation, Reads, Vitals, reads_of
from netvitals.collectors.snmp.protocol import MEMORY, SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.tables import Tables, Value, text_of
from netvitals.collectors.snmp.vendor_interfaces import points_without_index, replace_counters, rows_counted
from netvitals.collectors.snmp.wire.faults import NoAnswer, SnmpFault, TooMuch
from netvitals.collectors.snmp.wire.session import Read, SnmpSession
from netvitals.collectors.snmp.wire.sessions import Opened, open_session
from netvitals.domain.errors import ConfigurationError, CredentialMissing
from netvitals.domain.polling.budget import Budget, BudgetSpent, Steps
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Target
from netvitals.usecases.turns import gathered, in_turns

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
HOST_UPTIME = "1.3.6.1.2.1.25.1.1.0"
"""OID of hrSystemUptime (RFC 2790): of the host, where sysUpTime is of its agent."""
ENGINE_TIME = "1.3.6.1.6.3.10.2.1.3.0"
"""OID of snmpEngineTime (RFC 3411), in seconds: it does not wrap after 497 days as sysUpTime does."""
_OID = re.compile(r"\d{1,10}(\.\d{1,10}){1,127}", re.ASCII)
_TICKS_WRAP_SECONDS = 2**32 // 100
_AGENT_SECONDS = 60
"""Seconds by which the host's uptime exceeds its agent's where both are stored."""
_SMALL_TABLE_ROWS = 24
"""Rows of a table whose size is remembered: a request for a larger or unknown one asks for 25 rows."""

type _Target = Target[SnmpSettings, SnmpCredential]


class SnmpCollector:
    """Implements `ports.Collector`."""

    def __init__(
        self,
        profiles: ProfileBook | None = None,
        connect: Callable[[_Target, int | None, Budget], Opened] = open_session,
    ) -> None:
        """Take `connect`, which opens a session with the repetitions that the device managed before."""
        self._profiles = profiles
        self._connect = connect

    @property
    def profiles(self) -> ProfileBook:
        return self._profiles or packaged_profiles()

    async def collect(self, target: _Target, reading: Reading) -> None:
        memory = recall(target.job.memory, MEMORY, SnmpMemory) or SnmpMemory()
        try:
            budget = Budget(max_values=target.settings.max_varbinds)
            opened = self._connect(target, memory.repetitions, budget)
            try:
                await self._collect(opened.session, target, reading, memory, budget)
            finally:
                reading.memory.update(opened.memory())
        except SnmpFault as fault:
            reading.alive = reading.alive or fault.alive
            reading.fail(fault.reason, str(fault))
        except CredentialMissing as error:
            reading.fail(Reason.BAD_CREDENTIAL, str(error))

    async def _collect(
        self, session: SnmpSession, target: _Target, reading: Reading, memory: SnmpMemory, budget: Budget
    ) -> None:
        metrics, now = target.job.kind == "metrics", time.time()
        asked = [SYS_UPTIME, ENGINE_TIME, *([SYS_OBJECT_ID, SYS_DESCR] if metrics else [])]
        if memory.host_uptime or not memory.asked_all or (metrics and memory.is_stale(now)):
            asked.append(HOST_UPTIME)
        first = await session.get(asked)
        reading.alive, reading.rtt_ms = True, first.rtt_ms
        system = first.tables
        lost = _loss_of(first)
        if not lost:  # else the uptime of the agent might be taken for the host's
            reading.points += uptime_points(system)
        if not metrics:
            reading.reason = Reason.OK
            return
        agent = uptime_seconds(system.value(SYS_UPTIME), system.value(ENGINE_TIME))
        if memory.is_of_earlier_start(agent, now):
            memory = memory.to_be_asked()
        identity = identity_of(system)
        if lost and memory.profile and not identity.sysobjectid:
            identity = Identity(memory.sysobjectid, identity.sysdescr)
        profile, lost_probe = await self._profile(session, target, identity, memory, is_whole=not lost)
        if profile != memory.profile or identity.sysobjectid != memory.sysobjectid:
            memory = SnmpMemory(identity.sysobjectid, profile, repetitions=memory.repetitions)
        after = memory
        if memory.is_stale(now):
            host_uptime = system.value(HOST_UPTIME) is not None
            after = msgspec.structs.replace(memory.asked_everything(agent, now), host_uptime=host_uptime)
        faults = [fault for fault in (lost, lost_probe) if fault]
        await _Metrics(self.profiles, session, target, reading, memory, budget, after).read(faults)

    async def _profile(
        self, session: SnmpSession, target: _Target, identity: Identity, memory: SnmpMemory, *, is_whole: bool
    ) -> tuple[str, SnmpFault | None]:
        """Return the name of the device's profile, and the fault for which it is not sure.

        A known device keeps its profile where answers were lost by which it would be chosen: `is_whole` is
        False where `identity` lacks some, and those to the probes may be lost as well.
        """
        if forced := target.settings.profile:
            return forced, None
        is_known = bool(memory.profile) and identity.sysobjectid == memory.sysobjectid
        if is_known and not (is_whole and memory.is_stale(time.time())):
            return memory.profile, None
        candidates = self.profiles.candidates(identity)
        probed = await session.read(probes_of(candidates), ())
        lost = _loss_of(probed)
        return memory.profile if lost and is_known else choose(candidates, probed.tables), lost


@lru_cache(maxsize=256)
def _vitals(profiles: ProfileBook, name: str, sysobjectid: str, wanted: frozenset[str]) -> Vitals:
    """Return the sources of a profile for these vital signs, as they are for a device of this sysObjectID."""
    return Vitals(profiles.load(name, sysobjectid), profiles.load(STANDARD), wanted)


class _Metrics:
    """Reads everything that a metrics job asks for."""

    def __init__(  # noqa: PLR0917, one poll has these parts
        self,
        profiles: ProfileBook,
        session: SnmpSession,
        target: _Target,
        reading: Reading,
        memory: SnmpMemory,
        budget: Budget,
        after: SnmpMemory,
    ) -> None:
        """Take `memory` before and `after` the poll: one object unless everything is asked for."""
        self._session = session
        self._budget = budget
        self._wanted = target.settings.interfaces
        self._reading = reading
        self._memory = memory
        self._after = after
        self._asks_all = after is not memory
        self._faults: list[str] = []
        wanted = frozenset(target.job.settings.vitals.collected())
        try:
            self._vitals = _vitals(profiles, memory.profile, memory.sysobjectid, wanted)
        except ConfigurationError as error:
            self._vitals = _vitals(profiles, STANDARD, "", wanted)
            self._faults.append(str(error))
        self._counted = self._vitals.interfaces
        counted = {"interfaces": range(len(self._counted))} if self._counted else {}
        self._everything: Chosen = {**self._vitals.everything(), **counted}
        self._impossible: list[str] = []
        self._silent: list[str] = []

    async def read(self, faults: Sequence[SnmpFault]) -> None:
        """Ask for vital signs and interfaces at once; the points of each are kept when it is there.

        With `faults`, answers by which the device is identified were lost: the poll is `partial`.
        """
        before = self._memory
        self._faults += map(str, faults)
        chosen = self._chosen()
        if not self._asks_all:
            self._session.expect(before.rows)
        async with asyncio.TaskGroup() as tasks:
            vitals = tasks.create_task(self._read_vitals(chosen))
            interfaces = tasks.create_task(self._read_interfaces(chosen.get("interfaces", ())))
        ports, counted = interfaces.result()
        sources = vitals.result() | counted
        lost = any(numbers and not sources.get(name) for name, numbers in before.sources.items())
        after = msgspec.structs.replace(
            self._after,
            sources=sources,
            all_64_bit=has_only_64_bit(ports) or (before.all_64_bit and bool(ports.unanswered)),
            silent=[*self._silent, *silent_columns(ports)],
            repetitions=self._session.repetitions,
            rows={table: rows for table, rows in self._session.rows.items() if rows <= _SMALL_TABLE_ROWS},
        )
        if self._faults or (lost and not self._asks_all):
            after = after.to_be_asked()
        if after != before:
            self._reading.memory[MEMORY] = msgspec.to_builtins(after)
        self._conclude()

    def _chosen(self) -> Chosen:
        """Return the sources that gave something last time; all of a section that was never asked for."""
        if self._asks_all:
            return self._everything
        known = self._memory.sources
        return {name: known.get(name, numbers) for name, numbers in self._everything.items()}

    def _conclude(self) -> None:
        if self._faults:
            self._reading.fail(Reason.PARTIAL, self._faults[0])
        else:
            self._reading.fail(Reason.OK, "; ".join(dict.fromkeys(self._impossible)))

    async def _read_vitals(self, chosen: Chosen) -> dict[str, list[int]]:
        """Return, by section, the sources that gave something.

        A section whose sources give nothing any more, or what can't be, is asked for whole. Not so where
        answers were lost: what it gave before is no reason to take it from another source for a poll.
        """
        found, read = await self._evaluated(chosen)
        self._impossible = found.impossible
        without = {name: chosen[name] for name, numbers in found.sources.items() if not numbers}
        if _loss_of(read) and not self._asks_all:
            return found.sources | {name: list(numbers) for name, numbers in without.items()}
        lost = {
            name: self._everything[name]
            for name, numbers in without.items()
            if numbers and len(numbers) < len(self._everything[name])
        }
        if lost:
            again, _ = await self._evaluated(lost)
            self._impossible += again.impossible
            return found.sources | again.sources
        return found.sources

    async def _evaluated(self, chosen: Chosen) -> tuple[Evaluation, Read]:
        read, found = await self._read(self._vitals.reads(chosen)), Evaluation()
        await self._in_turns(self._vitals.evaluate(chosen, read.tables, found), None)
        self._reading.points += found.points
        return found, read

    async def _in_turns[Result](self, steps: Steps[Result], otherwise: Result) -> Result:
        """Return what the steps do, or `otherwise` where the device has used up its processor time."""
        try:
            return await in_turns(steps, self._budget)
        except BudgetSpent as spent:
            self._faults.append(str(spent))
            return otherwise

    async def _read(self, reads: Reads) -> Read:
        read = await self._session.read(reads.scalars, reads.columns)
        if read.error is not None:
            self._faults.append(str(read.error))
        await self._in_turns(self._cut(read), None)
        return read

    def _cut(self, read: Read) -> Steps[None]:
        """Drop the rows of which a part was lost on the way."""
        lost = [column for column, fault in read.faults.items() if isinstance(fault, NoAnswer | TooMuch)]
        silent = [c for c in lost if not read.tables.column(c) and read.tables.has_rows_beside(c)]
        self._silent += silent
        for column in lost:
            if column not in silent or column not in self._memory.silent:
                yield from read.tables.cut_after(column)

    async def _read_interfaces(self, chosen: Sequence[int]) -> tuple[Interfaces, dict[str, list[int]]]:
        """Return IF-MIB's interfaces with the vendor's counters, and the vendor's sources that gave some."""
        standard = read_interfaces(
            self._session,
            self._wanted,
            all_64_bit=self._memory.all_64_bit,
            silent_before=self._memory.silent,
        )
        productive: dict[str, list[int]] = {}
        others = Interfaces()
        if self._counted:
            interfaces, others, productive["interfaces"] = await self._with_own_counters(standard, chosen)
        else:
            interfaces = await standard
        points = chain(
            points_of_interfaces(interfaces, self._wanted), points_without_index(others, self._wanted)
        )
        await self._in_turns(gathered(points, self._reading.points), None)
        await self._in_turns(gathered(descriptions_of(interfaces), self._reading.interfaces), None)
        self._faults += map(str, interfaces.faults)
        return interfaces, productive

    async def _with_own_counters(
        self, standard: Coroutine[Any, Any, Interfaces], chosen: Sequence[int]
    ) -> tuple[Interfaces, Interfaces, list[int]]:
        """Return interfaces with the vendor's counters, others without ifIndex, and productive sources."""
        sources = {n: source for n, source in enumerate(self._counted) if n in chosen}
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(standard)
            own = tasks.create_task(self._read(reads_of(sources.values())))
        interfaces, read = reading.result(), own.result()
        counted = {
            n: await self._in_turns(rows_counted(source, read.tables), []) for n, source in sources.items()
        }
        rows = [row for found in counted.values() for row in found]
        # All of them gave something at the last poll.
        is_lost = _loss_of(read) is not None and not self._asks_all
        withheld = sources.values() if is_lost else ()
        others = await self._in_turns(
            replace_counters(interfaces, rows, self._wanted, withheld=withheld), Interfaces()
        )
        return interfaces, others, [n for n, found in counted.items() if found or is_lost]


def _loss_of(read: Read) -> SnmpFault | None:
    """Return the fault for which answers are missing that the device may have."""
    return read.error if isinstance(read.error, NoAnswer | TooMuch) else None


def identity_of(system: Tables) -> Identity:
    """Return what a device says of itself in sysObjectID and sysDescr."""
    sysobjectid = text_of(system.value(SYS_OBJECT_ID))
    return Identity(sysobjectid if _OID.fullmatch(sysobjectid) else "", text_of(system.value(SYS_DESCR)))


def uptime_seconds(ticks: Value, engine: Value = None) -> float | None:
    """Return seconds since the agent started: sysUpTime's, or snmpEngineTime where that has wrapped."""
    if not isinstance(ticks, int):
        return float(engine) if isinstance(engine, int) else None
    uptime = ticks / 100
    if isinstance(engine, int) and engine > _TICKS_WRAP_SECONDS and engine > uptime:
        return float(engine)
    return uptime


def uptime_points(system: Tables) -> Iterator[Point]:
    """Yield the uptime of the host, or of the agent where the host has none; both where they differ."""
    ticks, engine, host = (system.value(oid) for oid in (SYS_UPTIME, ENGINE_TIME, HOST_UPTIME))
    agent_seconds = uptime_seconds(ticks, engine)
    host_seconds = uptime_seconds(host, engine) if isinstance(host, int) else None
    time_ns = system.time_ns(SYS_UPTIME) or system.time_ns(ENGINE_TIME) or system.time_ns(HOST_UPTIME)
    if host_seconds is None or (agent_seconds is not None and host_seconds < agent_seconds):
        # No host is younger than its agent: some count other things here.
        if agent_seconds is not None:
            yield Point("uptime_seconds", agent_seconds, time_ns)
        return
    yield Point("uptime_seconds", host_seconds, time_ns)
    if agent_seconds is not None and host_seconds - agent_seconds > _AGENT_SECONDS:
        yield Point("agent_uptime_seconds", agent_seconds, time_ns)
