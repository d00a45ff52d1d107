"""Describe every key of the configuration and every environment variable, from the types that check them."""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from netvitals import settings
from netvitals.domain.settings.configuration import BUILT_IN_TYPES, Configuration
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.validation import allowed, fields

DERIVED = {
    "offline_timeout_seconds": "three status intervals, where that is longer",
    "missing_timeout_seconds": "three status intervals, where that is longer",
}
_TREES = ("defaults", "device_types")


class Entry(NamedTuple):
    """A configuration key, or an environment variable."""

    name: str
    takes: str
    default: str
    """Value as a document writes it."""
    meaning: str


def policy_keys() -> list[Entry]:
    """Return the keys that a device type, `defaults`, and a device's own `settings` may set."""
    return list(_keys(Policy))


def document_keys() -> list[Entry]:
    """Return the other keys of a document."""
    return [entry for entry in _keys(Configuration) if entry.name not in _TREES]


def variables() -> list[Entry]:
    """Return the environment variables; those that override a key of the document come last."""
    own = [entry for group in settings.groups() for entry in _variables(group)]
    keys = {entry.name: entry for entry in (*document_keys(), *policy_keys())}
    return own + [_override(name, path, keys) for name, path in settings.OVERRIDES.items()]


def used_by(variable: str) -> list[str]:
    """Return the names of the functions that read a variable; empty where all do."""
    return [
        function
        for function, groups in settings.FUNCTIONS.items()
        if any(variable in fields(group) for group in groups)
    ]


def markdown(entries: Sequence[Entry], *, functions: bool = False) -> str:
    """Return the entries as a Markdown table; `functions` adds a column: which functions read a variable."""
    last = "read by" if functions else "default"
    lines = [f"| name | takes | {last} | meaning |", "|---|---|---|---|"]
    for entry in entries:
        shown = (
            ", ".join(used_by(entry.name)) or "all" if functions else f"`{entry.default.replace('|', '\\|')}`"
        )
        lines.append(f"| `{entry.name}` | {entry.takes} | {shown} | {entry.meaning} |")
    return "\n".join(lines)


def default_document() -> str:
    """Return the package's defaults as a YAML document, each key with its meaning."""
    lines = [
        "# What netvitals does where nothing is configured. Keep what you change, leave out the rest.",
        "",
    ]
    lines += _section(document_keys(), "")
    lines += [
        "",
        "# What every device type starts from; a device's own `settings` take the same keys.",
        "defaults:",
    ]
    lines += _section(policy_keys(), "  ")
    lines += [
        "",
        "# What a type changes; a new name is a new type, and `extends: linux` starts it from another.",
    ]
    lines += ["device_types:"]
    for name, tree in BUILT_IN_TYPES.items():
        lines += [f"  {name}: {written(tree)}"]
    return "\n".join(lines) + "\n"


def _keys(section: type[msgspec.Struct], prefix: str = "") -> Iterator[Entry]:
    for name, hint in fields(section).items():
        path = f"{prefix}{name}"
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield from _keys(hint, f"{path}.")
            continue
        text = meaning(section, name) or described(hint)
        if path in DERIVED:
            text += f" Unless set: {DERIVED[path]}."
        takes = allowed(hint, "seconds" if name.endswith("_seconds") else "")
        yield Entry(path, takes, written(getattr(section(), name)), text)


def _variables(group: type[settings.Variables]) -> Iterator[Entry]:
    for attribute, name in zip(group.__struct_fields__, group.__struct_encode_fields__, strict=True):
        hint = fields(group)[name]
        secret = "Secret" in str(hint)
        takes = "a secret text" if secret else allowed(hint).removesuffix(" or null")
        default = "off" if hint is bool else ""
        yield Entry(name, takes.replace("true or false", "on or off"), default, meaning(group, attribute))


def _override(name: str, path: Sequence[str], keys: dict[str, Entry]) -> Entry:
    entry = keys[".".join(part for part in path if part != "defaults")]
    takes = "networks, separated by commas" if "NETWORKS" in name else entry.takes.removesuffix(" or null")
    return Entry(name, takes, "", f"Stands for `{'.'.join(path)}` of the document, and beats it.")


def _section(entries: Sequence[Entry], indent: str) -> Iterator[str]:
    opened: tuple[str, ...] = ()
    for entry in entries:
        *parents, key = entry.name.split(".")
        for depth, parent in enumerate(parents):
            if opened[: depth + 1] != tuple(parents[: depth + 1]):
                yield f"{indent}{'  ' * depth}{parent}:"
        opened = tuple(parents)
        inner = indent + "  " * len(parents)
        yield f"{inner}# {entry.meaning} Takes {entry.takes}."
        yield f"{inner}{'# ' if entry.name in DERIVED else ''}{key}: {entry.default}"


def written(value: Any) -> str:
    """Return a value as a document writes it."""
    return json.dumps(msgspec.to_builtins(value))


def described(hint: Any) -> str:
    """Return the description in a type's `Meta`; empty where it has none."""
    extra = (each.description for each in getattr(hint, "__metadata__", ()) if isinstance(each, msgspec.Meta))
    return next((text for text in extra if text), "")


def meaning(section: type, name: str) -> str:
    """Return the docstring below a field's definition, read from the source; empty where there is none."""
    for base in section.__mro__:
        if name in (found := _field_docs(base)):
            return " ".join(found[name].split())
    return ""


@cache
def _field_docs(section: type) -> dict[str, str]:
    if not section.__module__.startswith("netvitals."):
        return {}
    (definition,) = (
        node
        for node in ast.parse(inspect.getsource(sys.modules[section.__module__])).body
        if isinstance(node, ast.ClassDef) and node.name == section.__name__
    )
    return {
        field.target.id: text.value.value
        for field, text in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
