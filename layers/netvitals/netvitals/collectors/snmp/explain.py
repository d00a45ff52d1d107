"""Explain what a profile makes of a device, source by source, for whoever writes the missing one."""

from collections.abc import Iterator, Sequence

import msgspec

from netvitals.collectors.snmp.collector import SYS_DESCR, SYS_OBJECT_ID, identity_of
from netvitals.collectors.snmp.profiles.evaluate import VitalRow, rows_of
from netvitals.collectors.snmp.profiles.index import (
    STANDARD,
    Candidate,
    Identity,
    ProfileBook,
    choose,
    fitting,
    probes_of,
)
from netvitals.collectors.snmp.profiles.schema import (
    SECTIONS,
    InterfaceSource,
    Profile,
    Source,
    references_of,
)
from netvitals.collectors.snmp.profiles.vitals import Evaluation, Vitals, reads_of
from netvitals.collectors.snmp.tables import SCALAR, Tables, Value, text_of
from netvitals.collectors.snmp.vendor_interfaces import Counted, rows_counted
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.usecases.turns import at_once

_SAMPLES = 3


class Asked(msgspec.Struct, frozen=True):
    """An object that a source reads."""

    oid: str
    name: str
    values: int
    """Number of values that the device has."""
    sample: str
    """Text with the first few values."""


class SourceReport(msgspec.Struct, frozen=True):
    """All that one source of a profile makes of a device."""

    section: str
    """Name of a vital sign, or `interfaces`."""
    number: int
    profile: str
    asked: list[Asked]
    rows: list[VitalRow]
    used: bool
    """True where its rows are stored; False where a source before it was enough, or it gave nothing."""
    counted: list[Counted] = []
    """Rows of a source in the section `interfaces`, in place of `rows`."""


class Explanation(msgspec.Struct, frozen=True):
    """All that a device's profile makes of it."""

    identity: Identity
    candidates: list[Candidate]
    """Profiles that fit, the best first."""
    profile: Profile
    sources: list[SourceReport]
    faults: list[str]


async def explain(session: SnmpSession, book: ProfileBook, forced: str | None = None) -> Explanation:
    """Ask for everything that the device's profile and the standard MIBs know.

    Raises:
        SnmpFault: the device does not answer at all.
        ConfigurationError: there is no profile of the forced name.
    """
    identity = identity_of((await session.get([SYS_OBJECT_ID, SYS_DESCR])).tables)
    candidates = book.candidates(identity)
    probed = await session.read(probes_of(candidates), ())
    name = forced or choose(candidates, probed.tables)
    candidates = list(fitting(candidates, probed.tables))
    own, standard = book.load(name, identity.sysobjectid), book.load(STANDARD)
    vitals = Vitals(own, standard)
    reads = reads_of([*(s for name in SECTIONS for s in vitals.sources(name)), *own.interfaces])
    read = await session.read(reads.scalars, reads.columns)
    sources = [*_vital_reports(vitals, own, read.tables), *_interface_reports(own, read.tables)]
    faults = {str(fault) for fault in (read.error, *read.faults.values()) if fault}
    return Explanation(identity, candidates, own, sources, sorted(faults))


def _vital_reports(vitals: Vitals, own: Profile, tables: Tables) -> Iterator[SourceReport]:
    found = Evaluation()
    at_once(vitals.evaluate(vitals.everything(), tables, found))
    for section in SECTIONS:
        owned = len(own.section(section).sources) if own.name != STANDARD else 0
        for number, source in enumerate(vitals.sources(section)):
            yield SourceReport(
                section=section,
                number=number + 1 if number < owned else number + 1 - owned,
                profile=own.name if number < owned else STANDARD,
                asked=list(_asked(source, tables)),
                rows=[row for row in rows_of(source, tables) if row is not None],
                used=number in found.sources[section],
            )


def _interface_reports(own: Profile, tables: Tables) -> Iterator[SourceReport]:
    for number, source in enumerate(own.interfaces, 1):
        counted = at_once(rows_counted(source, tables))
        asked = list(_asked(source, tables))
        yield SourceReport("interfaces", number, own.name, asked, [], bool(counted), counted)


def _asked(source: Source | InterfaceSource, tables: Tables) -> Iterator[Asked]:
    for column in references_of(source):
        oid, _, name = column.partition(" ")
        values = _values(tables, oid)
        sample = ", ".join(_shown(value) for value in values[:_SAMPLES])
        yield Asked(oid, name, len(values), sample)


def _values(tables: Tables, oid: str) -> Sequence[Value]:
    if oid.endswith(SCALAR):
        value = tables.value(oid)
        return [] if value is None else [value]
    return list(tables.column(oid).values())


def _shown(value: Value) -> str:
    return repr(text_of(value)) if isinstance(value, bytes) else text_of(value)
