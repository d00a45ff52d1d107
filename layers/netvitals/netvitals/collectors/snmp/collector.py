"""One SNMP device: is it there, what is it, and what are its vital signs."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from netvitals.collectors.snmp.interfaces import (
    Interfaces,
    has_only_64_bit,
    points_of_interfaces,
    read_interfaces,
)
from netvitals.collectors.snmp.profiles.answers import Answers, Value, text_of
from netvitals.collectors.snmp.profiles.index import (
    STANDARD,
    Identity,
    ProfileBook,
    choose,
    probes_of,
)
from netvitals.collectors.snmp.profiles.packaged import packaged_profiles
from netvitals.collectors.snmp.profiles.vitals import Chosen, Reads, Vitals, reads_of
from netvitals.collectors.snmp.protocol import SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.vendor_interfaces import points_without_index, replace_counters, rows_counted
from netvitals.collectors.snmp.wire.faults import SnmpFault
from netvitals.collectors.snmp.wire.session import SnmpSession, Walk
from netvitals.collectors.snmp.wire.sessions import Opened, open_session
from netvitals.domain.errors import ConfigurationError, CredentialMissing
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Target

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
ENGINE_TIME = "1.3.6.1.6.3.10.2.1.3.0"
"""snmpEngineTime, seconds: does not wrap after 497 days as sysUpTime does (RFC 3411)."""
_TICKS_WRAP_SECONDS = 2**32 // 100
_REDISCOVER_SECONDS = 86_400
"""How often everything is asked for anew, so that a module that was plugged in is found."""


type _Target = Target[SnmpSettings, SnmpCredential]


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What device memory holds of the last polls, under the key `snmp`."""

    sysobjectid: str = ""
    profile: str = ""
    sources: dict[str, list[int]] = {}
    """By section, the sources that gave something."""
    asked_all_at: int = 0
    all_64_bit: bool = False
    repetitions: int | None = None


class SnmpCollector:
    """Implements `ports.Collector`."""

    def __init__(
        self,
        profiles: ProfileBook | None = None,
        connect: Callable[[Target, int | None], Opened] = open_session,
    ) -> None:
        """`connect` opens a session, with the repetitions that the device managed before."""
        self._profiles = profiles
        self._connect = connect

    @property
    def profiles(self) -> ProfileBook:
        if self._profiles is None:
            self._profiles = packaged_profiles()
        return self._profiles

    async def collect(self, target: _Target, reading: Reading) -> None:
        remembered = remembered_of(target.job.memory)
        try:
            opened = self._connect(target, remembered.repetitions)
            try:
                await self._collect(opened.session, target, reading, remembered)
            finally:
                reading.memory.update(opened.memory())
        except SnmpFault as fault:
            reading.alive = reading.alive or fault.alive
            reading.fail(fault.reason, str(fault))
        except CredentialMissing as error:
            reading.fail(Reason.BAD_CREDENTIAL, str(error))

    async def _collect(
        self, session: SnmpSession, target: _Target, reading: Reading, remembered: Remembered
    ) -> None:
        metrics = target.job.kind == "metrics"
        first = await session.get([SYS_UPTIME, ENGINE_TIME, *([SYS_OBJECT_ID, SYS_DESCR] if metrics else [])])
        reading.alive, reading.rtt_ms = True, first.rtt_ms
        uptime = uptime_seconds(first.values)
        if uptime is not None:
            reading.points.append(Point("uptime_seconds", uptime, first.time_ns))
        if not metrics:
            reading.reason = Reason.OK
            return
        identity = Identity(text_of(first.values.get(SYS_OBJECT_ID)), text_of(first.values.get(SYS_DESCR)))
        profile = await self._profile(session, target, identity, remembered)
        if profile != remembered.profile or identity.sysobjectid != remembered.sysobjectid:
            remembered = Remembered(identity.sysobjectid, profile, repetitions=remembered.repetitions)
        await _Metrics(self.profiles, session, target, reading, remembered).read()

    async def _profile(
        self, session: SnmpSession, target: _Target, identity: Identity, remembered: Remembered
    ) -> str:
        forced = target.settings.profile
        if forced:
            return forced
        if (
            remembered.profile
            and identity.sysobjectid == remembered.sysobjectid
            and not _is_stale(remembered)
        ):
            return remembered.profile
        candidates = self.profiles.candidates(identity)
        probes = probes_of(candidates)
        try:
            probed = (await session.get(probes)).values if probes else {}
        except SnmpFault:
            probed = {}
        return choose(candidates, probed)


class _Metrics:
    """The reading of everything that a metrics job asks for."""

    def __init__(
        self,
        profiles: ProfileBook,
        session: SnmpSession,
        target: _Target,
        reading: Reading,
        remembered: Remembered,
    ) -> None:
        self._session = session
        self._wanted = target.settings.interfaces
        self._reading = reading
        self._remembered = remembered
        self._faults: list[str] = []
        standard = profiles.load(STANDARD)
        try:
            own = profiles.load(remembered.profile, remembered.sysobjectid)
        except ConfigurationError as error:
            own, self._faults = standard, [str(error)]
        self._vitals = Vitals(own, standard)
        self._counted = own.interfaces

    async def read(self) -> None:
        """Ask for vital signs and interfaces at once; the points of each are kept when it is there."""
        before = self._remembered
        everything = _is_stale(before)
        chosen = self._everything() if everything else before.sources
        async with asyncio.TaskGroup() as tasks:
            vitals = tasks.create_task(self._read_vitals(chosen))
            interfaces = tasks.create_task(self._read_interfaces(chosen.get("interfaces", ())))
        ports, counted = interfaces.result()
        sources = vitals.result() | counted
        complete = everything or set(chosen) <= set(sources)
        asked_all_at = int(time.time()) if everything else before.asked_all_at
        after = msgspec.structs.replace(
            before,
            sources=sources,
            asked_all_at=asked_all_at if complete and not self._faults else 0,
            all_64_bit=has_only_64_bit(ports),
            repetitions=self._session.repetitions,
        )
        if after != before:
            self._reading.memory["snmp"] = msgspec.to_builtins(after)
        self._conclude()

    def _everything(self) -> Chosen:
        counted = {"interfaces": range(len(self._counted))} if self._counted else {}
        return {**self._vitals.everything(), **counted}

    def _conclude(self) -> None:
        if self._faults:
            self._reading.fail(Reason.PARTIAL, self._faults[0])
        else:
            self._reading.reason = Reason.OK

    async def _read_vitals(self, chosen: Chosen) -> dict[str, list[int]]:
        """The sources that gave something."""
        answers = await self._answers(self._vitals.reads(chosen))
        points, productive = self._vitals.evaluate(chosen, answers)
        self._reading.points += points
        return productive

    async def _answers(self, reads: Reads) -> Answers:
        answers = Answers()
        for fault in await asyncio.gather(
            _get_scalars(self._session, reads, answers), _walk_columns(self._session, reads, answers)
        ):
            if fault is not None:
                self._faults.append(str(fault))
        return answers

    async def _read_interfaces(self, chosen: Sequence[int]) -> tuple[Interfaces, dict[str, list[int]]]:
        """IF-MIB's interfaces with the vendor's counters, and the vendor's sources that gave some."""
        sources = {n: source for n, source in enumerate(self._counted) if n in chosen}
        async with asyncio.TaskGroup() as tasks:
            standard = tasks.create_task(
                read_interfaces(self._session, self._wanted, all_64_bit=self._remembered.all_64_bit)
            )
            own = tasks.create_task(self._answers(reads_of(sources.values())))
        interfaces = standard.result()
        counted = {n: rows_counted(source, own.result()) for n, source in sources.items()}
        rows = [row for found in counted.values() for row in found]
        others = replace_counters(interfaces, rows, self._wanted)
        self._reading.points += points_of_interfaces(interfaces, self._wanted)
        self._reading.points += points_without_index(others, self._wanted)
        self._faults += map(str, interfaces.faults)
        productive = [n for n, found in counted.items() if found]
        return interfaces, {"interfaces": productive} if productive else {}


async def _get_scalars(session: SnmpSession, reads: Reads, answers: Answers) -> SnmpFault | None:
    if not reads.scalars:
        return None
    try:
        response = await session.get(reads.scalars)
    except SnmpFault as fault:
        return fault
    answers.add_scalars(response.values, response.time_ns)
    return response.error


async def _walk_columns(session: SnmpSession, reads: Reads, answers: Answers) -> SnmpFault | None:
    if not reads.columns:
        return None
    walk: Walk = await session.walk(reads.columns)
    for column, rows in walk.columns.items():
        if rows:
            answers.add_column(column, rows, walk.row_times(column))
    return walk.error


def remembered_of(memory: Mapping[str, Any]) -> Remembered:
    """What the last polls left; nothing where it can't be read."""
    try:
        return msgspec.convert(memory.get("snmp", {}), Remembered)
    except msgspec.ValidationError:
        return Remembered()


def _is_stale(remembered: Remembered) -> bool:
    return time.time() - remembered.asked_all_at > _REDISCOVER_SECONDS


def uptime_seconds(values: Mapping[str, Value]) -> float | None:
    """Seconds since the agent started; by snmpEngineTime where sysUpTime has wrapped."""
    ticks, engine = values.get(SYS_UPTIME), values.get(ENGINE_TIME)
    if not isinstance(ticks, int):
        return float(engine) if isinstance(engine, int) else None
    uptime = ticks / 100
    if isinstance(engine, int) and engine > _TICKS_WRAP_SECONDS and engine > uptime:
        return float(engine)
    return uptime
