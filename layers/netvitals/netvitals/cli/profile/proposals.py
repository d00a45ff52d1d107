"""Propose sources: objects of a device that its profile does not read and that look like a vital sign."""

from collections.abc import Iterator, Sequence

import msgspec

from netvitals.cli.profile.answers import Answers
from netvitals.cli.profile.clues import clues_in
from netvitals.cli.profile.known import (
    Known,
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
"""To look through a device's answers."""
MOST_SHOWN = 10
_LITTLE = 1
"""The weight of values of the kind alone …"""
_LITTLE_SHOWN = 2
"""… of which so many are shown of a vital sign, where nothing says more."""
_KNOWN_OF_VENDOR, _KNOWN = 5, 4
"""The weight of a source that another profile has; clues weigh 1 to 3."""
_STANDARD_BRANCHES = ("1.3.6.1.2.1.25.2.3.1", "1.3.6.1.2.1.47.1.1.1.1.7", "1.3.6.1.2.1.99.1.1.1")


class Proposal(msgspec.Struct, frozen=True):
    """A source that a profile could have, and what speaks for it."""

    section: str
    source: Source
    why: str
    """What was seen, and where the meaning is known from."""
    rows: list[VitalRow]
    """What it gives now."""
    weight: int
    is_read: bool
    """The profile reads this vital sign already."""


class Proposals(msgspec.Struct, frozen=True):
    """The best first."""

    every: list[Proposal]
    unread: str
    """Why not everything was looked through; empty where it was."""

    def shown(self, *, everything: bool) -> list[Proposal]:
        """Return all, or the best few of those that suggest a missing vital sign."""
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
    """Walk the device's vendors' branches and return what no source of its profile reads.

    A device that does not answer, or not to the end, gives what came by then.
    """
    known = known_sources(book)
    answers, unread = await _answers(session, found, known)
    return Proposals(list(_ranked(answers, found, known)), unread)


async def _answers(session: SnmpSession, found: Explanation, known: Sequence[Known]) -> tuple[Answers, str]:
    """Return what lies in vendors' branches, and of large ones what any profile reads there."""
    sysobjectid = found.identity.sysobjectid
    own = enterprise_of(sysobjectid)
    # Many a box has the objects of whose make it is; and net-snmp's agent may have anybody's.
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


def _ranked(answers: Answers, found: Explanation, known: Sequence[Known]) -> Iterator[Proposal]:
    """Yield the proposals, the weightiest first; what one of them reads no other proposes again."""
    taken = _read_already(found)
    every = sorted(_all(answers, found, known), key=lambda each: (each.is_read, -each.weight, *_order(each)))
    for proposal in every:
        reads = {oid_of(term) for term in terms_of(proposal.source) if isinstance(term, str)}
        if not reads & taken:
            taken |= reads
            yield proposal


def _order(proposal: Proposal) -> tuple[int, int]:
    return list(VITALS).index(proposal.section), -len(proposal.rows)


def _read_already(found: Explanation) -> set[str]:
    return {asked.oid for report in found.sources for asked in report.asked if asked.values}


def _all(answers: Answers, found: Explanation, known: Sequence[Known]) -> Iterator[Proposal]:
    read = {report.section for report in found.sources if report.used}
    yield from _known_ones(answers, found, known, read)
    names = names_of(known)
    used = [*_read_already(found), *known_objects().skip, *_STANDARD_BRANCHES]
    for group in answers.groups(used):
        for clue in clues_in(group, lambda oid: f"{oid} {names.get(oid) or _invented(oid)}"):
            if rows := answers.rows(clue.section, clue.source):
                module = known_objects().module_of(next(iter(group.columns)))
                why = f"{clue.why}; {module}" if module else clue.why
                yield Proposal(clue.section, clue.source, why, rows, clue.weight, clue.section in read)


def _known_ones(
    answers: Answers, found: Explanation, known: Sequence[Known], read: set[str]
) -> Iterator[Proposal]:
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
            yield Proposal(each.section, each.source, why, rows, weight, each.section in read)


def _invented(oid: str) -> str:
    """Return a name for an object whose MIB nobody knows, by its last numbers."""
    return "object-" + "-".join(oid.removeprefix(enterprise_of(oid)).strip(".").split(".")[-4:])
