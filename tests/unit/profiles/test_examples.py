"""Each profile's example becomes the points that it names, and notices whatever is changed in the profile.

One vendor: `pytest tests/unit/profiles -k cisco/`; one profile: `-k cisco/asa`.
"""

from collections.abc import AsyncIterator, Mapping
from functools import cache

import msgspec
import pytest

from fixtures.profile_mutants import mutants_of
from netvitals.cli.profile.examples import faults_of
from netvitals.collectors.snmp.profiles.example import Example
from netvitals.collectors.snmp.profiles.files import (
    KNOWN,
    Given,
    given_of,
    line_of,
    merge,
    parse,
    read_profiles,
)
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.collectors.snmp.profiles.packaged import PACKAGED, packaged_index, packaged_profiles
from netvitals.collectors.snmp.profiles.schema import Profile

FILES = {path.stem: path for path in PACKAGED.rglob("*.yaml") if path.name != KNOWN}


@cache
def given() -> dict[str, Given]:
    return {name: read for path in FILES.values() for name, read in read_profiles(path).items()}


def place(name: str) -> str:
    """`vendor/name`."""
    return FILES[name].relative_to(PACKAGED).with_suffix("").as_posix()


def heirs(name: str) -> list[str]:
    """The profile, and those that have sources of it."""
    children = [child for child, read in given().items() if name in read.profile.extends]
    return [name, *(heir for child in children for heir in heirs(child))]


def examples_for(name: str) -> dict[str, tuple[Example, ...]]:
    """The examples that speak for what a profile's file says, by profile: its own, and its heirs'."""
    return {heir: given()[heir].profile.example for heir in heirs(name) if given()[heir].profile.example}


with_example = sorted((name for name in FILES if given()[name].profile.example), key=place)
spoken_for = sorted((name for name in FILES if examples_for(name)), key=place)


def test_each_profile_with_sources_of_its_own_has_an_example() -> None:
    assert [place(name) for name in FILES if given()[name].own and not examples_for(name)] == []


@pytest.mark.parametrize("name", with_example, ids=place)
async def test_an_example_becomes_the_points_that_it_names(name: str) -> None:
    assert await faults_of(packaged_profiles(), name, given()[name].profile.example) == []


@pytest.mark.parametrize("name", spoken_for, ids=place)
async def test_whatever_is_taken_away_from_a_profile_or_changed_is_noticed_by_an_example(name: str) -> None:
    unnoticed = [survivor async for survivor in survivors(name)]
    assert not unnoticed, "\n".join(unnoticed)


async def survivors(name: str) -> AsyncIterator[str]:
    """The mutants of a profile's file that no example notices: `FILE:LINE: key: what was done`."""
    node, data = parse(FILES[name])
    has_example = bool(given()[name].profile.example)
    for mutant in mutants_of(data):
        if mutant.where.startswith("extends") and not has_example:
            continue
        try:
            mutated = given_of(name, mutant.data)
        except msgspec.ValidationError:
            continue
        if not await _is_noticed(name, mutated):
            yield f"{place(name)}.yaml:{line_of(node, mutant.where)}: {mutant.where}: {mutant.what}"


async def _is_noticed(name: str, mutated: Given) -> bool:
    changed = given() | {name: mutated}
    for heir, examples in examples_for(name).items():
        book = Substituted({heir: merge(heir, changed)})
        for example in examples:
            if await faults_of(book, heir, [example]):
                return True
    return False


class Substituted(ProfileBook):
    """The packaged profiles, with some in place of theirs."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        super().__init__(packaged_index())
        self._profiles = profiles

    def _read_profile(self, name: str) -> str:
        if name not in self._profiles:
            return super()._read_profile(name)
        return msgspec.json.encode(msgspec.structs.replace(self._profiles[name], example=())).decode()
