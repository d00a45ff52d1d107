"""Profiles with one thing taken away or changed: each has to be noticed by the profile's example."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from netvitals.collectors.snmp.profiles.schema import PARTS

_COLUMN = re.compile(r"(.*\.)(\d+)((?:\.0)? [\w:-]+)")
"""`OID name`: what stands before the last arc, that arc, the rest."""
_PLACE = re.compile(r"\{[^}]*\}")
_SECTION_KEYS = ("combine", "whole", "standard")
_ANOTHER = {
    "first": "all",
    "all": "first",
    "average": "maximum",
    "maximum": "average",
    "sum": "first",
    "largest": "sum",
    "none": "maximum",
}
_SCALED = ("unit", "multiply", "total", "speed")
"""Numbers that are doubled; others are only taken away."""


class Mutant(NamedTuple):
    where: str
    """The key, such as `memory[1].unit`."""
    what: str
    data: dict[str, Any]
    """The whole profile."""


def mutants_of(data: Mapping[str, Any]) -> Iterator[Mutant]:
    """The profile that a file's data are, each time with one key, element or value other than it was."""
    for number, parent in enumerate(data.get("extends", ())):
        yield _edited(data, ("extends", number), f"without {parent}", _remove)
    for part in PARTS:
        given = data.get(part)
        if isinstance(given, dict):
            yield from _section(data, part, given)
        sources = given["sources"] if isinstance(given, dict) else given or ()
        path = (part, "sources") if isinstance(given, dict) else (part,)
        if part != "interfaces" and _prefers(part, given):
            yield from _swapped(data, path, len(sources))
        for number, source in enumerate(sources):
            yield _edited(data, (*path, number), "taken away", _remove)
            yield from _inside(data, (*path, number), source)


def _prefers(part: str, given: Any) -> bool:
    """Whether the order of a section's sources says which is used."""
    default = "all" if part == "temperature" else "first"
    return (given.get("combine", default) if isinstance(given, dict) else default) == "first"


def _section(data: Mapping[str, Any], part: str, section: Mapping[str, Any]) -> Iterator[Mutant]:
    for key in _SECTION_KEYS:
        if key in section:
            yield _edited(data, (part, key), "taken away", _remove)
            if section[key] in _ANOTHER:
                another = _ANOTHER[section[key]]
                yield _edited(data, (part, key), f"{another} instead", _put(another))


def _swapped(data: Mapping[str, Any], path: tuple[Any, ...], count: int) -> Iterator[Mutant]:
    for number in range(count - 1):

        def swap(sources: Any, at: int) -> None:
            sources[at], sources[at + 1] = sources[at + 1], sources[at]

        yield _edited(data, (*path, number), "after the next one", swap)


def _inside(data: Mapping[str, Any], path: tuple[Any, ...], given: Any) -> Iterator[Mutant]:
    """Everything beneath a source: keys and elements taken away, values changed."""
    if isinstance(given, dict):
        for key, value in given.items():
            yield _edited(data, (*path, key), "taken away", _remove)
            yield from _inside(data, (*path, key), value)
    elif isinstance(given, list):
        for number, value in enumerate(given):
            if len(given) > 1:
                yield _edited(data, (*path, number), f"without {value}", _remove)
            yield from _inside(data, (*path, number), value)
    else:
        for changed in _changed(path[-1], given):
            yield _edited(data, path, f"{changed} instead", _put(changed))


def _changed(key: str | int, value: Any) -> Iterator[Any]:
    """Other values of a key."""
    column = _COLUMN.fullmatch(value) if isinstance(value, str) else None
    if column is not None:
        yield f"{column[1]}{int(column[2]) + 1}{column[3]}"
    elif key in ("matches", "not_matches", "text"):
        yield from _fewer_alternatives(value)
    elif isinstance(value, str) and key in ("instance", "interface"):
        yield f"another {value}"
        yield from (value.replace(place, "", 1) for place in _PLACE.findall(value))
    elif key == "key":
        yield "row 4294967295"
    elif key == "if_index":
        yield "index[99]"
    elif key == "signed":
        yield 8 if value != 8 else 16
    elif key == "add" or (isinstance(key, str) and key.isdecimal()):
        yield value + 1
    elif key in _SCALED:
        yield value * 2


def _fewer_alternatives(pattern: str) -> Iterator[str]:
    """The pattern without each of the alternatives that no group encloses."""
    alternatives = pattern.split("|")
    if len(alternatives) > 1 and all(a.count("(") == a.count(")") and "[" not in a for a in alternatives):
        for number in range(len(alternatives)):
            yield "|".join(alternatives[:number] + alternatives[number + 1 :])


type _Edit = Callable[[Any, Any], None]


def _remove(holder: Any, key: Any) -> None:
    del holder[key]


def _put(value: Any) -> _Edit:
    def put(holder: Any, key: Any) -> None:
        holder[key] = value

    return put


def _edited(data: Mapping[str, Any], path: tuple[Any, ...], what: str, edit: _Edit) -> Mutant:
    changed = holder = copy.deepcopy(dict(data))
    for key in path[:-1]:
        holder = holder[key]
    edit(holder, path[-1])
    where = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return Mutant(where.removeprefix("."), what, changed)
