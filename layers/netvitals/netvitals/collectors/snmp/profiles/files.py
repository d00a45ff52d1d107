"""Read profiles as people write them: YAML files, checked strictly, and merged with what they extend."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from netvitals.collectors.snmp.profiles.example import flat
from netvitals.collectors.snmp.profiles.schema import PARTS, SECTIONS, Known, Profile, VitalSources
from netvitals.domain.errors import ConfigurationError

KNOWN = "known.yaml"
"""Name of the file that lists a vendor's devices for which the standard MIBs are enough, one a line."""
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
    node, data = parse(path)
    try:
        return given_of(path.stem, data)
    except msgspec.ValidationError as error:
        raise _with_line(error, path.name, node) from None


def given_of(name: str, data: Mapping[str, Any]) -> Given:
    """Return the profile that a file's data describe.

    Raises:
        msgspec.ValidationError: they are none.
    """
    if "name" in data:
        raise msgspec.ValidationError("the file's name is the profile's - at `$.name`")
    profile = msgspec.convert({**_normal(data), "name": name}, Profile, str_keys=True)
    return Given(profile, frozenset(part for part in PARTS if part in data))


def _read_known(path: Path) -> dict[str, Profile]:
    file = f"{path.parent.name}/{KNOWN}"
    node, data = parse(path, file)
    known: dict[str, Profile] = {}
    for key, value in node.value:
        try:
            device = msgspec.convert(data[key.value], Known)
        except msgspec.ValidationError as error:
            raise _with_line(error, file, value, f"{key.value}: ") from None
        known[key.value] = Profile(name=key.value, **msgspec.structs.asdict(device))
    return known


def parse(path: Path, file: str = "") -> tuple[yaml.MappingNode, dict[str, Any]]:
    """Return a file's YAML with its line numbers, and its data; errors call it `file`.

    Raises:
        ConfigurationError: `FILE:LINE: what is wrong`.
    """
    file = file or path.name
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


def _normal(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with short forms expanded: a section that is a list of sources, an example's tables."""
    normal = dict(data)
    for name in SECTIONS:
        if isinstance(normal.get(name), list):
            normal[name] = {"sources": normal[name]}
    if isinstance(normal.get("example"), list):
        normal["example"] = [_with_flat_answers(example) for example in normal["example"]]
    return normal


def _with_flat_answers(example: Any) -> Any:
    if not isinstance(example, dict) or not isinstance(example.get("answers"), dict):
        return example
    try:
        return example | {"answers": flat(example["answers"])}
    except ValueError as error:
        raise msgspec.ValidationError(f"{error} - at `$.example`") from None


def _with_line(
    error: msgspec.ValidationError, file: str, node: yaml.Node, name: str = ""
) -> ConfigurationError:
    text, _, where = str(error).partition(" - at `")
    keys = where.removeprefix("key` in `").removeprefix("$").rstrip("`").lstrip(".")
    return ConfigurationError(f"{file}:{line_of(node, keys)}: {name}{keys or 'profile'}: {text}")


def line_of(node: yaml.Node, keys: str) -> int:
    """Return the line of the deepest part of a path such as `cpu.sources[0].where[1]` that the file has."""
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
    """Return all profiles of a folder and its folders, by name, merged with what they extend.

    Raises:
        ConfigurationError: all that is wrong, a line each.
    """
    given, problems = _read_files(folder)
    merged: dict[str, Profile] = {}
    for name in given:
        try:
            merged[name] = merge(name, given)
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(dict.fromkeys(problems)))
    return merged


def read_file(path: Path, folder: Path) -> dict[str, Profile]:
    """Return one file's profiles, merged with what they extend of a folder's.

    Raises:
        ConfigurationError: what is wrong with the file, or with what it extends.
    """
    read = read_profiles(path)
    given = _read_files(folder)[0] | read
    return {name: merge(name, given) for name in read}


def _read_files(folder: Path) -> tuple[dict[str, Given], list[str]]:
    """Return the profiles of the files, and the files' faults."""
    given: dict[str, Given] = {}
    problems: list[str] = []
    for path in sorted(folder.rglob("*.yaml"), key=lambda path: (path.stem, path)):
        try:
            read = read_profiles(path)
        except ConfigurationError as error:
            problems.append(str(error))
            continue
        where = path.relative_to(folder)
        problems += [f"{where}: there is a profile {name!r} already" for name in given.keys() & read]
        given |= read
    return given, problems


def merge(name: str, given: Mapping[str, Given], path: tuple[str, ...] = ()) -> Profile:
    """Return a profile in which each part that it lacks is that of the first parent that has it.

    Raises:
        ConfigurationError: it extends itself, or a profile that is not given.
    """
    if name in path:
        raise ConfigurationError(f"{path[0]}.yaml: extends itself by way of {' → '.join((*path, name))}")
    if name not in given:
        raise ConfigurationError(f"{path[-1]}.yaml: extends {name!r}, which is no readable profile")
    profile, own = given[name]
    inherited: dict[str, Any] = {}
    for parent in profile.extends:
        merged = merge(parent, given, (*path, name))
        inherited = {part: getattr(merged, part) for part in PARTS if _gives(merged, part)} | inherited
    kept = {part: value for part, value in inherited.items() if part not in own}
    return msgspec.structs.replace(profile, extends=(), **kept)


def _gives(profile: Profile, part: str) -> bool:
    given = getattr(profile, part)
    return bool(given.sources if isinstance(given, VitalSources) else given)
