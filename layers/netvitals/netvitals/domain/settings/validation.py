"""Check decoded documents: find every fault, and name it by the keys that its author wrote."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import inspect

from netvitals.domain.protocols import PROTOCOLS
from netvitals.domain.settings.secret import Secret
from netvitals.domain.text import quoted

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)\s*")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def faults(wanted: type[msgspec.Struct], value: Any, path: str = "") -> Iterator[str]:
    """Yield a line for each key that `wanted` does not have, and each value that its key does not take.

    Each text has the key's path, what is allowed and what was given. What is left out is no fault. A
    value under an unknown key is never shown: it may be a secret that strayed.
    """
    if not isinstance(value, Mapping):
        yield f"{path or 'the document'}: expected a section of keys, got {shown(value)}"
        return
    known = fields(wanted)
    for key, given in value.items():
        here = f"{path}.{key}" if path else str(key)
        if key not in known:
            yield f"{here}: {_stray(str(key), known)}"
        elif _is_section(known[key]):
            yield from faults(known[key], given, here)
        else:
            yield from _value_fault(known[key], given, here)


@cache
def fields(wanted: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the type that each key of a struct takes, by its name in a document."""
    hints = get_type_hints(wanted, include_extras=True)
    names = zip(wanted.__struct_fields__, wanted.__struct_encode_fields__, strict=True)
    return {encoded: hints[name] for name, encoded in names}


def unknown(kind: str, name: Any, known: Iterable[str]) -> str:
    """Return the text of a fault for an unknown name, with the nearest known one."""
    return f"{kind} {shown(name)} is not known; {_nearest(str(name), known)}known: {', '.join(sorted(known))}"


def worded(error: Exception, path: str = "") -> str:
    """Return msgspec's text with the key's path in front, as all faults have it."""
    text, _, inner = str(error).partition(" - at `$")
    where = f"{path}{inner.rstrip('`')}".lstrip(".")
    return f"{where}: {text}" if where else text


def allowed(wanted: Any, unit: str = "") -> str:
    """Return what values a type takes: `a whole number of seconds ≥ 10 and ≤ 900`.

    A type of texts says it itself, with `Meta(extra_json_schema={"takes": …})`.
    """
    return _described(inspect.type_info(wanted), unit)


def _value_fault(wanted: Any, value: Any, path: str) -> Iterator[str]:
    try:
        msgspec.convert(value, wanted)
    except (msgspec.ValidationError, UnicodeError, RecursionError):
        unit = "seconds" if path.endswith("_seconds") else ""
        remedy = bare_seconds(value) if unit else _unquoted(wanted, value)
        yield f"{path}: expected {allowed(wanted, unit)}, got {shown(value)}{remedy}"


def _stray(key: str, known: Iterable[str]) -> str:
    if key.lower() in _secret_keys():
        return "no secret stands here; keep it in Secrets Manager, or in the credentials file of a local run"
    return f"unknown key; {_nearest(key, known)}allowed here: {', '.join(known)}"


@cache
def _secret_keys() -> frozenset[str]:
    """Return the names that secrets have in credentials, and those that people give them elsewhere."""
    parts: list[type[msgspec.Struct]] = [protocol.credential for protocol in PROTOCOLS.values()]
    hints = (item for part in parts for item in fields(part).items())
    return frozenset(
        {name for name, hint in hints if Secret in (hint, *get_args(hint))} | {"secret", "token"}
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1) or [each for each in known if name and name in each]
    return f"did you mean {near[0]!r}? " if near else ""


def bare_seconds(value: Any) -> str:
    """Return a remedy for a duration with a unit, such as `5 min`; empty for anything else."""
    match = _DURATION.fullmatch(value.lower()) if isinstance(value, str) else None
    if match is None:
        return ""
    factor = _UNIT_SECONDS["ms" if match[2] == "ms" else match[2][0]]
    return f"; the unit is seconds: write {float(match[1]) * factor:g}"


def _unquoted(wanted: Any, value: Any) -> str:
    """Return a remedy for a text that YAML reads as a number, such as `version: 1`; else empty."""
    try:
        msgspec.convert(str(value), wanted)
    except (msgspec.ValidationError, UnicodeError):
        return ""
    return f"; put it in quotes: '{value}'"


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a section of keys"
    if isinstance(value, list | tuple) and not all(isinstance(each, str | int | float) for each in value):
        return "a list of other things"
    return quoted(value)


def _described(info: inspect.Type, unit: str) -> str:
    match info:
        case inspect.Metadata(type=inner):
            return (info.extra_json_schema or {}).get("takes") or _described(inner, unit)
        case inspect.IntType() | inspect.FloatType():
            number = "a whole number" if isinstance(info, inspect.IntType) else "a number"
            return f"{number}{f' of {unit}' if unit else ''}{_range(info)}"
        case inspect.LiteralType(values):
            return "one of " + ", ".join(str(value) for value in values)
        case inspect.UnionType(types):
            return " or ".join(_described(each, unit) for each in types)
        case inspect.VarTupleType(item) | inspect.ListType(item):
            return f"a list, each {_described(item, unit)}"
    return _PLAIN.get(type(info), "a section of keys")


_PLAIN: dict[type[inspect.Type], str] = {
    inspect.StrType: "a text",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
}


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    bounds = {">": info.gt, "≥": info.ge, "<": info.lt, "≤": info.le}
    parts = [f"{sign} {bound}" for sign, bound in bounds.items() if bound is not None]
    return f" {' and '.join(parts)}" if parts else ""
