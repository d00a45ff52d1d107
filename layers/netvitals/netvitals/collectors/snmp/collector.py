"""Collect from one SNMP device: whether it is there, what it is, its vital signs and interfaces."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence

import msgspec

from netvitals.collectors.memory import recall
from netvitals.collectors.snmp.interfaces import (
    Interfaces,
    descriptions_of,
    has_only_64_bit,
    points_of_interfaces,
    read_interfaces,
)
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
from netvitals.collectors.snmp.wire.faults import SnmpFault
from netvitals.collectors.snmp.wire.session import SnmpSession
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
ENGINE_TIME = "1.3.6.1.6.3.10.2.1.3.0"
"""snmpEngineTime, seconds: does not wrap after 497 days as sysUpTime does (RFC 3411)."""
_OID = re.compile(r"\d{1,10}(\.\d{1,10}){1,127}", re.ASCII)
_TICKS_WRAP_SECONDS = 2**32 // 100
_REDISCOVER_SECONDS = 86_400
"""How often everything is asked for anew, so that a module that was plugged in is found."""


type _Target = Target[SnmpSettings, SnmpCredential]


class SnmpMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """What device memory holds of the last polls, under the key `snmp`."""

    sysobjectid: str = ""
    profile: str = ""
    sources: dict[str, list[int]] = {}
    """By section that was asked for, the sources that gave something."""
    asked_all_at: int = 0
    all_64_bit: bool = False
    repetitions: int | None = None


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
        if self._profiles is None:
            self._profiles = packaged_profiles()
        return self._profiles

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
        metrics = target.job.kind == "metrics"
        first = await session.get([SYS_UPTIME, ENGINE_TIME, *([SYS_OBJECT_ID, SYS_DESCR] if metrics else [])])
        reading.alive, reading.rtt_ms = True, first.rtt_ms
        system = first.tables
        uptime = uptime_seconds(system.value(SYS_UPTIME), system.value(ENGINE_TIME))
        if uptime is not None:
            time_ns = system.time_ns(SYS_UPTIME) or system.time_ns(ENGINE_TIME)
            reading.points.append(Point("uptime_seconds", uptime, time_ns))
        if not metrics:
            reading.reason = Reason.OK
            return
        identity = identity_of(system)
        profile = await self._profile(session, target, identity, memory)
        if profile != memory.profile or identity.sysobjectid != memory.sysobjectid:
            memory = SnmpMemory(identity.sysobjectid, profile, repetitions=memory.repetitions)
        await _Metrics(self.profiles, session, target, reading, memory, budget).read()

    async def _profile(
        self, session: SnmpSession, target: _Target, identity: Identity, memory: SnmpMemory
    ) -> str:
        forced = target.settings.profile
        if forced:
            return forced
        if memory.profile and identity.sysobjectid == memory.sysobjectid and not _is_stale(memory):
            return memory.profile
        candidates = self.profiles.candidates(identity)
        probes = probes_of(candidates)
        return choose(candidates, (await session.read(probes, ())).tables)


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
    ) -> None:
        self._session = session
        self._budget = budget
        self._wanted = target.settings.interfaces
        self._reading = reading
        self._memory = memory
        self._faults: list[str] = []
        standard = profiles.load(STANDARD)
        try:
            own = profiles.load(memory.profile, memory.sysobjectid)
        except ConfigurationError as error:
            own, self._faults = standard, [str(error)]
        self._vitals = Vitals(own, standard)
        self._counted = own.interfaces
        counted = {"interfaces": range(len(self._counted))} if self._counted else {}
        self._everything: Chosen = {**self._vitals.everything(), **counted}
        self._impossible: list[str] = []

    async def read(self) -> None:
        """Ask for vital signs and interfaces at once; the points of each are kept when it is there."""
        before = self._memory
        chosen = self._chosen()
        async with asyncio.TaskGroup() as tasks:
            vitals = tasks.create_task(self._read_vitals(chosen))
            interfaces = tasks.create_task(self._read_interfaces(chosen.get("interfaces", ())))
        ports, counted = interfaces.result()
        sources = vitals.result() | counted
        lost = any(numbers and not sources.get(name) for name, numbers in before.sources.items())
        asked_all_at = int(time.time()) if _is_stale(before) else before.asked_all_at
        after = msgspec.structs.replace(
            before,
            sources=sources,
            asked_all_at=0 if self._faults or (lost and not _is_stale(before)) else asked_all_at,
            all_64_bit=has_only_64_bit(ports),
            repetitions=self._session.repetitions,
        )
        if after != before:
            self._reading.memory[MEMORY] = msgspec.to_builtins(after)
        self._conclude()

    def _chosen(self) -> Chosen:
        """Return the sources that gave something last time; all of a section that was never asked for."""
        if _is_stale(self._memory):
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

        A section whose sources give nothing any more, or what can't be, is asked for whole.
        """
        found = await self._evaluated(chosen)
        lost = {
            name: self._everything[name]
            for name, sources in found.sources.items()
            if not sources and chosen[name] and len(chosen[name]) < len(self._everything[name])
        }
        if lost:
            again = await self._evaluated(lost)
            found.sources |= again.sources
            found.impossible += again.impossible
        self._impossible = found.impossible
        return found.sources

    async def _evaluated(self, chosen: Chosen) -> Evaluation:
        tables, found = await self._read(self._vitals.reads(chosen)), Evaluation()
        await self._in_turns(self._vitals.evaluate(chosen, tables, found), None)
        self._reading.points += found.points
        return found

    async def _in_turns[Result](self, steps: Steps[Result], otherwise: Result) -> Result:
        """Return what the steps do, or `otherwise` where the device has used up its processor time."""
        try:
            return await in_turns(steps, self._budget)
        except BudgetSpent as spent:
            self._faults.append(str(spent))
            return otherwise

    async def _read(self, reads: Reads) -> Tables:
        read = await self._session.read(reads.scalars, reads.columns)
        if read.error is not None:
            self._faults.append(str(read.error))
        return read.tables

    async def _read_interfaces(self, chosen: Sequence[int]) -> tuple[Interfaces, dict[str, list[int]]]:
        """Return IF-MIB's interfaces with the vendor's counters, and the vendor's sources that gave some."""
        sources = {n: source for n, source in enumerate(self._counted) if n in chosen}
        async with asyncio.TaskGroup() as tasks:
            standard = tasks.create_task(
                read_interfaces(self._session, self._wanted, all_64_bit=self._memory.all_64_bit)
            )
            own = tasks.create_task(self._read(reads_of(sources.values())))
        interfaces = standard.result()
        counted = {
            n: await self._in_turns(rows_counted(source, own.result()), []) for n, source in sources.items()
        }
        rows = [row for found in counted.values() for row in found]
        others = await self._in_turns(replace_counters(interfaces, rows, self._wanted), Interfaces())
        for points in (
            points_of_interfaces(interfaces, self._wanted),
            points_without_index(others, self._wanted),
        ):
            await self._in_turns(gathered(points, self._reading.points), None)
        await self._in_turns(gathered(descriptions_of(interfaces), self._reading.interfaces), None)
        self._faults += map(str, interfaces.faults)
        productive = {"interfaces": [n for n, found in counted.items() if found]}
        return interfaces, productive if self._counted else {}


def _is_stale(memory: SnmpMemory) -> bool:
    return time.time() - memory.asked_all_at > _REDISCOVER_SECONDS


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
