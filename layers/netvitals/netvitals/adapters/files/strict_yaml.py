"""Read a subset of YAML: no aliases, no tags, no duplicate keys."""

from collections.abc import Hashable
from typing import Any

import yaml


class _StrictLoader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):  # a few aliases expand to billions of nodes
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
            raise yaml.composer.ComposerError(
                None, None, "aliases (*name) are not taken: write the value out", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002, as PyYAML calls it
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):  # another can't be a key, as is said further down
                if key.value in seen:
                    text = f"the key {key.value!r} is given twice in one section"
                    raise yaml.constructor.ConstructorError(None, None, text, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """Return the value of a YAML text.

    Raises:
        ValueError: names the line; the text itself, which may hold a stray secret, is not quoted.
        RecursionError: it is nested too deeply.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506, it is a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem or error.context}") from None
    except yaml.YAMLError:
        raise ValueError("holds characters that YAML does not take") from None
