"""Profiles as people write them: YAML files, checked strictly, merged with what they extend, and indexed."""

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from netvitals.collectors.snmp.profiles.index import Candidate, shelf_of
from netvitals.collectors.snmp.profiles.schema import PARTS, SECTIONS, Profile, Section
from netvitals.domain.errors import ConfigurationError

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_profile(path: Path) -> tuple[Profile, frozenset[str]]:
    """One file's profile, and the parts that it gives itself.

    Raises:
        ConfigurationError: `FILE:LINE: key: what is wrong`.
    """
    try:
        node = yaml.compose(path.read_text(), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path.name}{line}: no YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(node, yaml.MappingNode):
        raise ConfigurationError(f"{path.name}:1: a profile is a mapping of name, match, cpu, memory, …")
    _refuse_duplicates(path, node)
    data = _normal(yaml.load(path.read_text(), Loader=_Loader))  # noqa: S506, a SafeLoader in C
    data.setdefault("name", path.stem)
    try:
        profile = msgspec.convert(data, Profile)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$")
        keys = where.rstrip("`").lstrip(".")
        raise ConfigurationError(f"{path.name}:{_line_of(node, keys)}: {keys or 'profile'}: {text}") from None
    if profile.name != path.stem:
        raise ConfigurationError(f"{path.name}:{_line_of(node, 'name')}: name: must be {path.stem!r}")
    return profile, frozenset(name for name in PARTS if name in data)


def _normal(data: dict[str, Any]) -> dict[str, Any]:
    """The short forms written out: a list of sources is a section, one text a list of one."""
    for name in SECTIONS:
        if isinstance(data.get(name), list):
            data[name] = {"sources": data[name]}
        if name == "temperature" and isinstance(data.get(name), dict):
            data[name].setdefault("combine", "all")
    if isinstance(data.get("extends"), str):
        data["extends"] = [data["extends"]]
    if isinstance(data.get("match"), dict):
        data["match"] = [data["match"]]
    for match in data.get("match") or ():
        if isinstance(match, dict) and isinstance(match.get("sysobjectid"), str):
            match["sysobjectid"] = [match["sysobjectid"]]
    return data


def _refuse_duplicates(path: Path, node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigurationError(
                    f"{path.name}:{key.start_mark.line + 1}: {key.value}: given twice in one place"
                )
            seen.add(key.value)
            _refuse_duplicates(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(path, value)


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
    given: dict[str, tuple[Profile, frozenset[str]]] = {}
    for path in sorted(folder.rglob("*.yaml"), key=lambda path: (path.stem, path)):
        if path.stem in given:
            problems.append(f"{path.relative_to(folder)}: another folder has a profile {path.stem!r} already")
            continue
        try:
            given[path.stem] = read_profile(path)
        except ConfigurationError as error:
            problems.append(str(error))
    merged: dict[str, Profile] = {}
    for name in given:
        try:
            merged[name] = _merge(name, given, ())
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(dict.fromkeys(problems)))
    return merged


def _merge(name: str, given: dict[str, tuple[Profile, frozenset[str]]], path: tuple[str, ...]) -> Profile:
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


def candidates_of(profiles: dict[str, Profile]) -> Iterator[Candidate]:
    for profile in profiles.values():
        for match in profile.match:
            for prefix in match.sysobjectid:
                yield Candidate(profile.name, prefix, msgspec.structs.replace(match, sysobjectid=(prefix,)))


def write_index(profiles: dict[str, Profile], index: Path) -> None:
    """Write the index anew, in one step, so that nobody reads half of it."""
    index.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".index-", dir=index.parent))
    (fresh / "match").mkdir()
    (fresh / "profiles").mkdir()
    shelves: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates_of(profiles):
        shelves[shelf_of(candidate.prefix + ".") if candidate.prefix else "any"].append(candidate)
    for shelf, candidates in shelves.items():
        (fresh / "match" / f"{shelf}.json").write_bytes(msgspec.json.encode(candidates))
    for profile in profiles.values():
        bare = msgspec.structs.replace(profile, match=())
        (fresh / "profiles" / f"{profile.name}.json").write_bytes(msgspec.json.encode(bare))
    fresh.chmod(0o755)
    stale = Path(tempfile.mkdtemp(prefix=".index-old-", dir=index.parent))
    if index.exists():
        index.replace(stale / "index")
    fresh.replace(index)
    shutil.rmtree(stale)


def refresh_index(folder: Path) -> None:
    """Build the folder's index where a profile is newer than it, or one was removed."""
    index = folder / "index"
    files = list(folder.rglob("*.yaml"))
    built = [path.stem for path in (index / "profiles").glob("*.json")] if index.exists() else []
    newest = max((path.stat().st_mtime for path in files), default=0)
    if sorted(built) != sorted(path.stem for path in files) or newest > index.stat().st_mtime:
        write_index(read_folder(folder), index)
