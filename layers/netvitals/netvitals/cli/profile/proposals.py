"""Propose sources: objects of a device that its profile does not read and that may be a vital sign."""

from collections.abc import Iterator, Sequence

import msgspec

from netvitals.cli.profile.answers import Answers
from netvitals.cli.profile.clues import clues_in
from netvitals.cli.profile.known import (
    KnownSource,
    enterprise_of,
    enterprises_of,
    known_objects,
    known_sources,
    names_of,
)
from netvitals.collectors.snmp.explain import Explanation
from netvitals.collectors.snmp.profiles.evaluate import VitalRow
from netvitals.collectors.snmp.profiles.index import ProfileBook, is_agents_own
from netvitals.collectors.snmp.profiles.schema import Source, oid_of, references_of, terms_of
from netvitals.collectors.snmp.profiles.vitals import reads_of
from netvitals.collectors.snmp.tables import Tables, Value
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.domain.polling.metrics import VITALS

SECONDS = 20.0
"""Time limit for searching a device's objects."""
MOST_SHOWN = 10
_LITTLE = 1
"""Weight of a clue that rests on plausible values alone."""
_LITTLE_SHOWN = 2
"""Proposals of that weight that are shown for a vital sign without better ones."""
_KNOWN_OF_VENDOR, _KNOWN = 5, 4
"""Weights of a source that another profile has, of the same vendor or any; clues weigh 0 to 3."""
_STANDARD_BRANCHES = ("1.3.6.1.2.1.25.2.3.1", "1.3.6.1.2.1.47.1.1.1.1.7", "1.3.6.1.2.1.99.1.1.1")


class SourceProposal(msgspec.Struct, frozen=True):
    """A source that a profile could have, and the reasons for it."""

    section: str
    source: Source
    why: str
    """Values that were seen, and the origin of their meaning."""
    rows: list[VitalRow]
    """Values of the source in the device's answers."""
    weight: int
    is_read: bool
    """True where the profile reads this vital sign already."""


class Proposals(msgspec.Struct, frozen=True):
    """Proposals, the best first."""

    every: list[SourceProposal]
    unread: str
    """Cause why not all objects were searched; empty if they were."""

    def shown(self, *, everything: bool) -> list[SourceProposal]:
        """Return all proposals, or the best few for vital signs that the profile does not read."""
        if everything:
            return self.every
        missing = [each for each in self.every if not each.is_read]
        telling = [each for each in missing if each.weight > _LITTLE]
        told = {each.section for each in telling}
        for section in {each.section: None for each in missing if each.section not in told}:
            little = [each for each in missing if each.section == section and each.weight == _LITTLE]
            telling += little[:_LITTLE_SHOWN]
        return telling[:MOST_SHOWN]


async def proposals_for(session: SnmpSession, found: Explanation, book: ProfileBook) -> Proposals:
    """Walk the device's enterprise branches; return proposals of what its profile does not read.

    Of a walk that breaks off, the objects that came before are searched.
    """
    known = known_sources(book)
    answers, unread = await _answers(session, found, known)
    return Proposals(list(_ranked(answers, found, known)), unread)


async def _answers(
    session: SnmpSession, found: Explanation, known: Sequence[KnownSource]
) -> tuple[Answers, str]:
    """Return the objects in enterprise branches; in large ones, those that any profile reads."""
    sysobjectid = found.identity.sysobjectid
    own = enterprise_of(sysobjectid)
    # A rebranded device has the objects of its manufacturer, and net-snmp's agent may have any vendor's.
    branches = {*enterprises_of(known), "1.3.6.1.4.1" if is_agents_own(sysobjectid) else own}
    branches.difference_update(known_objects().skip, [""])
    walked = await session.walk([*sorted(branches), *_STANDARD_BRANCHES], SECONDS)
    values = _flat(walked.tables)
    cut_short = [branch for branch in walked.faults if branch in branches]
    if cut_short:
        wanted = [each.source for each in known if _lies_in(each.source, cut_short)]
        reads = reads_of(wanted)
        values |= _flat((await session.read(reads.scalars, reads.columns)).tables)
    return Answers(values), "; ".join(dict.fromkeys(str(fault) for fault in walked.faults.values()))


def _flat(tables: Tables) -> dict[str, Value]:
    values = {oid: cell[0] for oid, cell in tables.objects.items()}
    for column, rows in tables.columns.items():
        values |= {f"{column}.{index}": value for index, value in rows.values.items()}
    return values


def _lies_in(source: Source, branches: Sequence[str]) -> bool:
    return any(
        column.startswith(tuple(f"{branch}." for branch in branches)) for column in references_of(source)
    )


def _ranked(answers: Answers, found: Explanation, known: Sequence[KnownSource]) -> Iterator[SourceProposal]:
    """Yield the proposals by descending weight; each object is proposed once."""
    taken = _read_already(found)
    every = sorted(_all(answers, found, known), key=lambda each: (each.is_read, -each.weight, *_order(each)))
    for proposal in every:
        reads = {oid_of(term) for term in terms_of(proposal.source) if isinstance(term, str)}
        if not reads & taken:
            taken |= reads
            yield proposal


def _order(proposal: SourceProposal) -> tuple[int, int]:
    return list(VITALS).index(proposal.section), -len(proposal.rows)


def _read_already(found: Explanation) -> set[str]:
    return {asked.oid for report in found.sources for asked in report.asked if asked.values}


def _all(answers: Answers, found: Explanation, known: Sequence[KnownSource]) -> Iterator[SourceProposal]:
    read = {report.section for report in found.sources if report.used}
    yield from _known_ones(answers, found, known, read)
    names = names_of(known)
    used = [*_read_already(found), *known_objects().skip, *_STANDARD_BRANCHES]
    for group in answers.groups(used):
        for clue in clues_in(group, lambda oid: f"{oid} {names.get(oid) or _invented(oid)}"):
            if rows := answers.rows(clue.section, clue.source):
                module = known_objects().module_of(next(iter(group.columns)))
                why = f"{clue.why}; {module}" if module else clue.why
                yield SourceProposal(clue.section, clue.source, why, rows, clue.weight, clue.section in read)


def _known_ones(
    answers: Answers, found: Explanation, known: Sequence[KnownSource], read: set[str]
) -> Iterator[SourceProposal]:
    own = enterprise_of(found.identity.sysobjectid)
    seen: set[tuple[str, bytes]] = set()
    for each in known:
        if each.where == found.profile.name or each.source.builtin:
            continue
        if not any(answers.has(oid_of(column)) for column in references_of(each.source)):
            continue
        key = (each.section, msgspec.json.encode(each.source))
        if key not in seen and (rows := answers.rows(each.section, each.source)):
            seen.add(key)
            of_vendor = bool(own) and _lies_in(each.source, [own])
            why = (
                f"profile {each.where} reads it so"
                if each.where
                else "a standard MIB, filled in a way of its own"
            )
            weight = _KNOWN_OF_VENDOR if of_vendor else _KNOWN
            yield SourceProposal(each.section, each.source, why, rows, weight, each.section in read)


def _invented(oid: str) -> str:
    """Return a name for an object of an unknown MIB, made of its last numbers."""
    return "object-" + "-".join(oid.removeprefix(enterprise_of(oid)).strip(".").split(".")[-4:])
