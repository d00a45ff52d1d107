"""Write the published schemas and TypeScript types to docs/schema: `make schemas`."""

import json
import sys
from pathlib import Path
from typing import Any

from netvitals.cli.schema.documents import document, text
from netvitals.cli.schema.shapes import SHAPES
from netvitals.cli.schema.typescript import typescript

FOLDER = Path(__file__).parents[1] / "docs" / "schema"
_WORDS = frozenset({"description", "title", "$id", "version"})
_BY_NAME = frozenset({"properties", "$defs"})
"""Keywords whose objects have keys of ours."""


def file_of(name: str, folder: Path = FOLDER) -> Path:
    return folder / f"{name}.json"


def fault(name: str, published: dict[str, Any] | None) -> str | None:
    """Return why a shape must not be published in place of the published one; None where it may be."""
    if published is None or SHAPES[name].version != published["version"]:
        return None
    if shape_of(document(name)) == shape_of(published):
        return None
    return (
        f"the shape {name!r} has changed and its version is still {published['version']}: raise it in "
        "SHAPES of layers/netvitals/netvitals/cli/schema/shapes.py (the minor number where something was "
        "added, the major one where what was right is right no longer), then run: make schemas"
    )


def shape_of(schema: Any) -> Any:
    """Return a schema without its texts and its version: what a program depends on."""
    if isinstance(schema, list):
        return [shape_of(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: shape_of(inner) for name, inner in value.items()} if key in _BY_NAME else shape_of(value)
        for key, value in schema.items()
        if key not in _WORDS
    }


def published(name: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """Return the schema that is published; None before the first time."""
    path = file_of(name, folder)
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return found


def main(folder: Path = FOLDER) -> int:
    faults = [found for name in SHAPES if (found := fault(name, published(name, folder)))]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    folder.mkdir(exist_ok=True)
    for name in SHAPES:
        file_of(name, folder).write_text(text(document(name)))
    (folder / "netvitals.d.ts").write_text(typescript())
    return 0


if __name__ == "__main__":
    sys.exit(main())
