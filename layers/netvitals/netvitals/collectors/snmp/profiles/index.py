"""Find and load device profiles by an index: the cost is the same with ten profiles as with a thousand.

The index is a folder: `match/<enterprise number>.json` says which profiles may fit a sysObjectID,
in its folder `profiles/`, `<name>.json` holds one profile. It is built from the YAML files by `files`.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import msgspec

from netvitals.collectors.snmp.profiles.schema import OWN_BRANCH, PARENT_BRANCH, Match, Profile, oid_of
from netvitals.collectors.snmp.tables import Tables, text_of
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.patterns import compiled
from netvitals.domain.text import printable

STANDARD = "_standard"
_ENTERPRISES = "1.3.6.1.4.1."
_OID = r"1(\.(0|[1-9]\d{0,9})){5,100}"
_BRANCHES = re.compile("|".join(map(re.escape, (OWN_BRANCH, PARENT_BRANCH))))
_AGENTS = ("1.3.6.1.4.1.8072.3.2.", "1.3.6.1.4.1.2021.250.")
"""Prefixes of net-snmp's sysObjectIDs, new and old: they name the agent's operating system, not the
device."""
_NAME = re.compile(r"(?!\.)[\w.-]{1,100}", re.ASCII)
"""Expression for the name of a profile, which is a file's name as well."""
_NOWHERE = "1.3.6.1.4.1.0"
"""OID in place of a missing sysObjectID: enterprise 0 is reserved."""


def is_agents_own(sysobjectid: str) -> bool:
    """Return whether a sysObjectID, or a prefix of some, is net-snmp's and names no device."""
    return sysobjectid.startswith(_AGENTS)


class Candidate(msgspec.Struct, frozen=True, array_like=True):
    """A profile that a device may get."""

    profile: str
    prefix: str
    match: Match

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Return the key that sorts the best first: length of a naming prefix, conditions, length."""
        length = len(self.prefix)
        naming = 0 if is_agents_own(self.prefix) else length
        return (-naming, -self.match.conditions, -length, self.profile)


class Identity(msgspec.Struct, frozen=True):
    """Identity that a device reports."""

    sysobjectid: str
    sysdescr: str


def match_file_of(sysobjectid: str) -> str:
    """Return the name of the match file for a sysObjectID or for a prefix of one."""
    if not sysobjectid.startswith(_ENTERPRISES):
        return "any"
    enterprise = sysobjectid[len(_ENTERPRISES) :].partition(".")[0]
    return enterprise if enterprise.isdecimal() else "any"


class ProfileBook:
    """Finds and loads the profile of a device."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._candidates = lru_cache(maxsize=256)(self._read_match_file)
        self._text = lru_cache(maxsize=256)(self._read_profile)
        self._profile = lru_cache(maxsize=256)(self._decode)

    def candidates(self, identity: Identity) -> list[Candidate]:
        """Return the profiles whose sysObjectID and sysDescr conditions fit, the best first."""
        files = dict.fromkeys((match_file_of(identity.sysobjectid), "any"))
        found = [c for file in files for c in self._candidates(file) if _fits(c, identity)]
        return sorted(found, key=lambda c: c.rank)

    def _read_match_file(self, file: str) -> tuple[Candidate, ...]:
        try:
            text = (self._index / "match" / f"{file}.json").read_bytes()
        except FileNotFoundError:
            return ()
        return msgspec.json.decode(text, type=tuple[Candidate, ...])

    def names(self) -> list[str]:
        """Return the names of all profiles, except of those that are only there to be extended."""
        return sorted(path.stem for path in (self._index / "profiles").glob("[!_]*.json"))

    def load(self, name: str, sysobjectid: str = "") -> Profile:
        """Return the profile of this name, with what lies in a device's own branch put there.

        Raises:
            ConfigurationError: there is none.
        """
        branch = sysobjectid if re.fullmatch(_OID, sysobjectid) else _NOWHERE
        return self._profile(name, branch if _BRANCHES.search(self._text(name)) else "")

    def _read_profile(self, name: str) -> str:
        try:
            if _NAME.fullmatch(name):
                return (self._index / "profiles" / f"{name}.json").read_text()
        except FileNotFoundError:
            pass
        name = printable(name, 100)
        raise ConfigurationError(
            f"there is no profile {name!r}; {self._meant(name)}`netvitals profile list` names them"
        )

    def _meant(self, name: str) -> str:
        near = get_close_matches(name, self.names(), n=1)
        return f"did you mean {near[0]!r}? " if near else ""

    def _decode(self, name: str, branch: str) -> Profile:
        text = self._text(name).replace(OWN_BRANCH, branch)
        return msgspec.json.decode(text.replace(PARENT_BRANCH, branch.rpartition(".")[0]), type=Profile)


def _fits(candidate: Candidate, identity: Identity) -> bool:
    prefix, match = candidate.prefix, candidate.match
    if prefix and identity.sysobjectid != prefix and not identity.sysobjectid.startswith(prefix + "."):
        return False
    if match.sysdescr and not _is_found(match.sysdescr, identity.sysdescr):
        return False
    return not (match.not_sysdescr and _is_found(match.not_sysdescr, identity.sysdescr))


def _is_found(expression: str, text: str) -> bool:
    return compiled(expression, ignore_case=True).found_in(text)


def probes_of(candidates: list[Candidate]) -> list[str]:
    """Return the OIDs to be asked for before one of the candidates can be chosen."""
    return list(dict.fromkeys(oid_of(c.match.probe) for c in candidates if c.match.probe))


def choose(candidates: list[Candidate], probed: Tables) -> str:
    """Return the name of the best candidate's profile, given what the probes answered."""
    best = next(fitting(candidates, probed), None)
    return best.profile if best else STANDARD


def fitting(candidates: list[Candidate], probed: Tables) -> Iterator[Candidate]:
    """Yield the candidates whose probes, if they have any, answered as they must."""
    for candidate in candidates:
        match = candidate.match
        if match.probe is not None:
            cell = probed.objects.get(oid_of(match.probe))
            if cell is None or not _is_found(match.probe_matches or "", text_of(cell[0])):
                continue
        yield candidate
