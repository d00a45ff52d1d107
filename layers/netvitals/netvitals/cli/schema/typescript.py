"""Make TypeScript types from JSON Schemas, for the keywords that `documents` writes and no others."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from netvitals.cli.schema.documents import document
from netvitals.cli.schema.shapes import SHAPES

type Node = dict[str, Any]

_HEAD = """\
// Types of what netvitals reads and writes, made from the schemas beside this file by `make schemas`.
"""
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


def typescript() -> str:
    """Return a module that declares a type for each schema and for each of its definitions."""
    declared: dict[str, str] = {}
    for name in SHAPES:
        schema = document(name)
        for title, node in {**schema["$defs"], schema["title"]: schema}.items():
            text = "\n".join(_declaration(title, node))
            if declared.setdefault(title, text) != text:
                raise ValueError(f"two schemas have different definitions of {title}")
    return "\n\n".join([_HEAD.rstrip(), *declared.values()]) + "\n"


def _declaration(name: str, node: Node) -> Iterator[str]:
    yield from _comment(node, "")
    if "properties" in node:
        yield f"export interface {name} {{"
        required = node.get("required", ())
        for key, inner in node["properties"].items():
            yield from _comment(inner, "  ")
            yield f"  {_key(key)}{'' if key in required else '?'}: {_type(inner)};"
        yield "}"
    else:
        yield f"export type {name} = {_type(node)};"


def _comment(node: Node, indent: str) -> Iterator[str]:
    lines = [node["description"]] if "description" in node else []
    if limits := _limits(node):
        lines.append(f"Limits: {limits}.")
    if "default" in node:
        lines.append(f"@default {json.dumps(node['default'], ensure_ascii=False)}")
    if node.get("deprecated"):
        lines.append("@deprecated")
    if lines:
        yield f"{indent}/**"
        yield from (f"{indent} * {line.replace('*/', '*\\/')}" for line in lines)
        yield f"{indent} */"


_LIMITS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
    "minLength": "characters ≥",
    "maxLength": "characters ≤",
    "minItems": "items ≥",
    "maxItems": "items ≤",
}


def _limits(node: Node) -> str:
    return ", ".join(f"{sign} {node[keyword]}" for keyword, sign in _LIMITS.items() if keyword in node)


def _type(node: Node) -> str:
    if "$ref" in node:
        return str(node["$ref"].rpartition("/")[2])
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return _union(json.dumps(value) for value in node["enum"])
    if "oneOf" in node:
        return _union(_type(each) for each in node["oneOf"])
    if "properties" in node:
        return (
            "{ "
            + " ".join(f"{_key(key)}?: {_type(inner)};" for key, inner in node["properties"].items())
            + " }"
        )
    return _of_keyword_type(node)


def _of_keyword_type(node: Node) -> str:
    match node.get("type"):
        case "array":
            item = _type(node.get("items", {}))
            return f"({item})[]" if " | " in item else f"{item}[]"
        case "object":
            return f"Record<string, {_type(node.get('additionalProperties', {}))}>"
        case str(plain):
            return _PLAIN[plain]
    return _union(_type(each) for each in node["anyOf"]) if "anyOf" in node else "unknown"


def _union(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(types))


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)
