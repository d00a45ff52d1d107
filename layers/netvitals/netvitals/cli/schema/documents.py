"""Make JSON Schemas (2020-12) of documents that programs exchange with netvitals, from the types behind them.

Descriptions are the docstrings of the types' fields. A schema has every key, its type and its limits; rules
about two keys, such as `auth` and `auth_key`, are checked by netvitals alone.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.inspect import Field, StructType, Type, type_info

from netvitals.cli.config.reference import DERIVED, meaning
from netvitals.cli.schema.shapes import SHAPES, Shape
from netvitals.domain.settings.configuration import RETIRED
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.secret import Secret

DIALECT = "https://json-schema.org/draft/2020-12/schema"
UNITS = {
    "_seconds": "seconds",
    "_ms": "milliseconds",
}
"""Units of numbers, by the ending of their names."""

type Node = dict[str, Any]


def document(name: str) -> Node:
    """Return the schema of a shape, by its name in `SHAPES`."""
    shape = SHAPES[name]
    (root,), definitions = msgspec.json.schema_components(
        [shape.type], schema_hook=_of_other_types, ref_template="#/$defs/{name}"
    )
    for found in _structs(type_info(shape.type)):
        _describe(definitions[found.__name__], found)
    _name_metrics(definitions)
    if "$ref" in root:
        root = definitions.pop(root["$ref"].rpartition("/")[2])
    result = _headed(name, shape, root) | {"$defs": dict(sorted(definitions.items()))}
    if name in _FINISH:
        _FINISH[name](result)
    plain: Node = json.loads(text(result))  # defaults are tuples
    return plain


def text(document: Node) -> str:
    """Return a schema as the JSON text that is printed and published."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _headed(name: str, shape: Shape, root: Node) -> Node:
    return {
        "$schema": DIALECT,
        "$id": f"urn:netvitals:schema:{name}:{shape.version}",
        **root,
        "title": shape.title,
        "description": f"{shape.description} Version {shape.version}.",
        "version": shape.version,
    }


def _of_other_types(wanted: type) -> Node:
    if wanted is Secret:
        return {"type": "string", "format": "password", "writeOnly": True}
    raise NotImplementedError(wanted)


def _structs(info: Any) -> Iterator[type]:
    """Yield the structs that a type consists of, each once."""
    seen: set[type] = set()
    left = [info]
    while left:
        each = left.pop()
        if isinstance(each, StructType):
            if each.cls in seen:
                continue
            seen.add(each.cls)
            yield each.cls
        for part in msgspec.structs.astuple(each):
            parts = part if isinstance(part, tuple) else (part,)
            left += [inner for inner in parts if isinstance(inner, Type | Field)]


def _describe(definition: Node, struct: type) -> None:
    """Put the docstrings of a struct and its fields into its definition; remove keys without information."""
    definition["description"] = _first_paragraph(struct.__doc__ or "")
    if not definition["required"]:
        del definition["required"]
    for name, node in definition["properties"].items():
        text = node.get("description") or meaning(struct, name)
        if name in DERIVED and issubclass(struct, Policy):
            del node["default"]
            text += f" Unless set: {DERIVED[name]}."
        if node.get("default", 0) in (None, {}, ""):
            del node["default"]
        if text:
            node["description"] = " ".join([text, *_unit(name, text)])


def _unit(name: str, text: str) -> list[str]:
    """Return a sentence with a number's unit, unless the text has it."""
    units = [unit for ending, unit in UNITS.items() if name.endswith(ending) and unit not in text]
    return [f"Unit: {unit}." for unit in units]


def _first_paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())


def _name_metrics(definitions: dict[str, Node]) -> None:
    """Move the list of metrics into a definition of its own, so that programs have a name for it."""
    if "PointLine" in definitions:
        properties = definitions["PointLine"]["properties"]
        definitions["MetricName"] = properties["metric_name"]
        properties["metric_name"] = {"$ref": "#/$defs/MetricName"}


def _configuration(document: Node) -> None:
    """Add the keys that a document may have besides those of the type."""
    document["properties"]["$schema"] = {
        "type": "string",
        "description": "Names this schema, for editors; without effect.",
    }
    for section, key in RETIRED:
        retired = {"deprecated": True, "description": "Of version 0.1; without effect."}
        if section in document["properties"]:
            place = document["$defs"]["CollectorSettings"]
        else:
            place = document["properties"].setdefault(
                section, {"type": "object", "additionalProperties": False, "properties": {}, **retired}
            )
        place["properties"][key] = retired


def _inventory(document: Node) -> None:
    """Add the rules that relate two keys."""
    document["anyOf"] = [{"required": ["ip_address"]}, {"required": ["hostname"]}]


_FINISH: Mapping[str, Callable[[Node], None]] = {"configuration": _configuration, "inventory": _inventory}
