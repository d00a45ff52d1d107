"""Profiles as people write them: YAML files, checked strictly, and merged with what they extend."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from netvitals.collectors.snmp.profiles.schema import PARTS, SECTIONS, Known, Profile, Section
from netvitals.domain.errors import ConfigurationError

KNOWN = "known.yaml"
"""A vendor's devices that have nothing of their own to be read, one a line."""


_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Constructor(yaml.constructor.SafeConstructor):
    """Makes data of YAML nodes with keys as the texts they are: `1.10` is a part of an OID, no number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002, PyYAML's signature
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


class Given(NamedTuple):
    """A profile as a file has it, before it is merged with what it extends."""

    profile: Profile
    own: frozenset[str] = frozenset()
    """The parts that the file gives itself."""


def read_profiles(path: Path) -> dict[str, Given]:
    """Read one file: a profile, or the vendor's known devices.

    Raises:
        ConfigurationError: `FILE:LINE: key: what is wrong`.
    """
    if path.name == KNOWN:
        return {name: Given(profile) for name, profile in _read_known(path).items()}
    return {path.stem: _read_profile(path)}


def _read_profile(path: Path) -> Given:
    node, data = _parsed(path, path.name)
    data = _normal(data)
    if "name" in data:
        raise ConfigurationError(
            f"{path.name}:{_line_of(node, 'name')}: name: the file's name is the profile's"
        )
    profile = _converted({"name": path.stem, **data}, Profile, path.name, node)
    return Given(profile, frozenset(name for name in PARTS if name in data))


def _read_known(path: Path) -> dict[str, Profile]:
    file = f"{path.parent.name}/{KNOWN}"
    node, data = _parsed(path, file)
    nodes = {key.value: value for key, value in node.value}
    devices = {name: _converted(line, Known, file, nodes[name], f"{name}: ") for name, line in data.items()}
    return {name: Profile(name=name, **msgspec.structs.asdict(device)) for name, device in devices.items()}


def _parsed(path: Path, file: str) -> tuple[yaml.MappingNode, dict[str, Any]]:
    """The file's YAML with its line numbers, and its data."""
    try:
        node = yaml.compose(path.read_text(), Loader=_Loader)
        if not isinstance(node, yaml.MappingNode):
            raise ConfigurationError(f"{file}:1: a profile is a mapping of match, cpu, memory, …")
        _refuse_duplicates(file, node)
        return node, _Constructor().construct_document(node)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{file}{line}: no YAML: {getattr(error, 'problem', error)}") from None


def _converted[Type](
    data: Mapping[str, Any], what: type[Type], file: str, node: yaml.Node, name: str = ""
) -> Type:
    try:
        return msgspec.convert(data, what, str_keys=True)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$")
        keys = where.rstrip("`").lstrip(".")
        raise ConfigurationError(
            f"{file}:{_line_of(node, keys)}: {name}{keys or 'profile'}: {text}"
        ) from None


def _normal(data: dict[str, Any]) -> dict[str, Any]:
    """The short form of a section written out: a list of its sources."""
    for name in SECTIONS:
        if isinstance(data.get(name), list):
            data[name] = {"sources": data[name]}
        if name == "temperature" and isinstance(data.get(name), dict):
            data[name].setdefault("combine", "all")
    return data


def _refuse_duplicates(file: str, node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigurationError(
                    f"{file}:{key.start_mark.line + 1}: {key.value}: given twice in one place"
                )
            seen.add(key.value)
            _refuse_duplicates(file, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(file, value)


def _line_of(node: yaml.Node, keys: str) -> int:
    """The line of the deepest part of `cpu.sources[0].where[1]` that the file has."""
    line = node.start_mark.line + 1
    for key, position in re.findall(r"(\w+)|\[(\d+)\]", keys):
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == key), None)
            if found is None:
                continue  # `sources` is left out in the short form
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and position and int(position) < len(node.value):
            node = node.value[int(position)]
            line = node.start_mark.line + 1
    return line


def read_folder(folder: Path) -> dict[str, Profile]:
    """All profiles of a folder and of those in it, by name, merged with what they extend.

    Raises:
        ConfigurationError: all that is wrong, a line each.
    """
    problems: list[str] = []
    given: dict[str, Given] = {}
    for path in sorted(folder.rglob("*.yaml"), key=lambda path: (path.stem, path)):
        try:
            read = read_profiles(path)
        except ConfigurationError as error:
            problems.append(str(error))
            continue
        where = path.relative_to(folder)
        problems += [f"{where}: there is a profile {name!r} already" for name in given.keys() & read]
        given |= read
    merged: dict[str, Profile] = {}
    for name in given:
        try:
            merged[name] = _merge(name, given, ())
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(dict.fromkeys(problems)))
    return merged


def _merge(name: str, given: Mapping[str, Given], path: tuple[str, ...]) -> Profile:
    """A profile in which each part it does not give is that of the first parent that does."""
    if name in path:
        raise ConfigurationError(f"{path[0]}.yaml: extends itself by way of {' → '.join((*path, name))}")
    if name not in given:
        raise ConfigurationError(f"{path[-1]}.yaml: extends {name!r}, which is no readable profile")
    profile, own = given[name]
    inherited: dict[str, Any] = {}
    for parent in profile.extends:
        merged = _merge(parent, given, (*path, name))
        inherited = {part: getattr(merged, part) for part in PARTS if _gives(merged, part)} | inherited
    kept = {part: value for part, value in inherited.items() if part not in own}
    return msgspec.structs.replace(profile, extends=(), **kept)


def _gives(profile: Profile, part: str) -> bool:
    given = getattr(profile, part)
    return bool(given.sources if isinstance(given, Section) else given)
