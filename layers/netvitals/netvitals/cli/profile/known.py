"""Look up names of objects in all profiles and in known_objects.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from netvitals.collectors.snmp.profiles.files import parse
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.collectors.snmp.profiles.schema import SECTIONS, Source, oid_of, references_of

_FILE = Path(__file__).with_name("known_objects.yaml")
_ENTERPRISES = "1.3.6.1.4.1."


class KnownObjects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of known_objects.yaml."""

    skip: dict[str, str]
    """Reasons, by branch, why nothing is proposed there."""
    modules: dict[str, str]
    """MIBs by the branch that they describe."""
    sources: dict[str, list[Source]]
    """Sources of standard MIBs by section, proposed where they give any value."""

    def module_of(self, oid: str) -> str:
        """Return the MIB that describes an object; empty where it is unknown."""
        branches = [branch for branch in self.modules if f"{oid}.".startswith(f"{branch}.")]
        return self.modules[max(branches, key=len)] if branches else ""


@cache
def known_objects() -> KnownObjects:
    return msgspec.convert(parse(_FILE)[1], KnownObjects)


class KnownSource(NamedTuple):
    """A source of a profile or of known_objects.yaml."""

    section: str
    source: Source
    where: str
    """Name of its profile; empty for one of known_objects.yaml."""


def known_sources(book: ProfileBook) -> list[KnownSource]:
    """Return the sources of vital signs in all profiles and in known_objects.yaml."""
    return [*_of_profiles(book), *_of_standard_mibs()]


def _of_profiles(book: ProfileBook) -> Iterator[KnownSource]:
    for name in book.names():
        profile = book.load(name)
        for section in SECTIONS:
            yield from (KnownSource(section, source, name) for source in profile.section(section).sources)


def _of_standard_mibs() -> Iterator[KnownSource]:
    for section, sources in known_objects().sources.items():
        yield from (KnownSource(section, source, "") for source in sources)


def names_of(sources: Sequence[KnownSource]) -> Mapping[str, str]:
    """Return the names of all objects that the sources read, by OID."""
    pairs = (column.split(" ") for known in sources for column in references_of(known.source))
    return dict(pair for pair in pairs)


def enterprises_of(sources: Sequence[KnownSource]) -> list[str]:
    """Return the enterprise branches in which the sources read objects."""
    oids = (oid_of(column) for known in sources for column in references_of(known.source))
    return sorted({enterprise_of(oid) for oid in oids} - {""})


def enterprise_of(oid: str) -> str:
    """Return the enterprise branch of an OID; empty where it has none."""
    number = oid.removeprefix(_ENTERPRISES).partition(".")[0]
    return _ENTERPRISES + number if oid.startswith(_ENTERPRISES) and number else ""
