"""What a profile makes of a device, source by source: for the person who writes the missing one."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from netvitals.collectors.snmp.collector import SYS_DESCR, SYS_OBJECT_ID
from netvitals.collectors.snmp.profiles.answers import Answers, Value, text_of
from netvitals.collectors.snmp.profiles.evaluate import Row
from netvitals.collectors.snmp.profiles.index import (
    STANDARD,
    Candidate,
    Identity,
    ProfileBook,
    choose,
    probes_of,
)
from netvitals.collectors.snmp.profiles.schema import (
    SECTIONS,
    InterfaceSource,
    Profile,
    SectionName,
    Source,
    references_of,
)
from netvitals.collectors.snmp.profiles.vitals import Vitals, read_source, reads_of
from netvitals.collectors.snmp.vendor_interfaces import Counted, rows_counted
from netvitals.collectors.snmp.wire.faults import SnmpFault
from netvitals.collectors.snmp.wire.session import SnmpSession

_SAMPLES = 3


class Asked(msgspec.Struct, frozen=True):
    """An object that a source reads."""

    oid: str
    name: str
    values: int
    """How many the device has; 0: none."""
    sample: str
    """The first few, as text."""


class SourceReport(msgspec.Struct, frozen=True):
    section: SectionName | Literal["interfaces"]
    number: int
    profile: str
    asked: list[Asked]
    rows: list[Row]
    used: bool
    """False where a source before it was enough, or it gave nothing."""
    counted: list[Counted] = []
    """In the section `interfaces`, in place of `rows`."""


class Explanation(msgspec.Struct, frozen=True):
    identity: Identity
    candidates: list[Candidate]
    profile: Profile
    sources: list[SourceReport]
    faults: list[str]


async def explain(session: SnmpSession, book: ProfileBook, forced: str | None = None) -> Explanation:
    """Ask for everything that the device's profile and the standard MIBs know.

    Raises:
        SnmpFault: the device does not answer at all.
        ConfigurationError: there is no profile of the forced name.
    """
    first = await session.get([SYS_OBJECT_ID, SYS_DESCR])
    identity = Identity(text_of(first.values.get(SYS_OBJECT_ID)), text_of(first.values.get(SYS_DESCR)))
    candidates = book.candidates(identity)
    probes = probes_of(candidates)
    probed = (await session.get(probes)).values if probes else {}
    name = forced or choose(candidates, probed)
    own, standard = book.load(name, identity.sysobjectid), book.load(STANDARD)
    vitals = Vitals(own, standard)
    answers, faults = await _ask(session, vitals, own)
    _, productive = vitals.evaluate(vitals.everything(), answers)
    owned = {section: len(own.section(section).sources) for section in SECTIONS if name != STANDARD}
    sources = [
        SourceReport(
            section=section,
            number=number + 1 - (0 if number < owned.get(section, 0) else owned.get(section, 0)),
            profile=name if number < owned.get(section, 0) else STANDARD,
            asked=list(_asked(source, answers)),
            rows=read_source(source, answers),
            used=number in productive.get(section, ()),
        )
        for section in SECTIONS
        for number, source in enumerate(vitals.sources(section))
    ]
    sources += _interface_reports(own, answers)
    return Explanation(identity, candidates, own, sources, faults)


def _interface_reports(own: Profile, answers: Answers) -> Iterator[SourceReport]:
    for number, source in enumerate(own.interfaces, 1):
        counted = rows_counted(source, answers)
        asked = list(_asked(source, answers))
        yield SourceReport("interfaces", number, own.name, asked, [], bool(counted), counted)


async def _ask(session: SnmpSession, vitals: Vitals, own: Profile) -> tuple[Answers, list[str]]:
    answers, faults = Answers(), []
    reads = reads_of([*(s for name in SECTIONS for s in vitals.sources(name)), *own.interfaces])
    try:
        response = await session.get(reads.scalars)
        answers.add_scalars(response.values, response.time_ns)
    except SnmpFault as fault:
        faults.append(str(fault))
    walk = await session.walk(reads.columns)
    for column, rows in walk.columns.items():
        answers.add_column(column, rows, walk.row_times(column))
    faults += sorted({str(fault) for fault in walk.faults.values()})
    return answers, faults


def _asked(source: Source | InterfaceSource, answers: Answers) -> Iterator[Asked]:
    for column in references_of(source):
        oid, _, name = column.partition(" ")
        values = _values(answers, oid)
        sample = ", ".join(_shown(value) for value in values[:_SAMPLES])
        yield Asked(oid, name, len(values), sample)


def _values(answers: Answers, oid: str) -> Sequence[Value]:
    if oid.endswith(".0"):
        value = answers.scalar(oid)
        return [] if value is None else [value]
    return list(answers.column(oid).values())


def _shown(value: Value) -> str:
    return repr(text_of(value)) if isinstance(value, bytes) else text_of(value)
