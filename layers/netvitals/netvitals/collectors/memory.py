"""Read what earlier polls left in `device_state.memory`."""

from collections.abc import Mapping
from typing import Any

import msgspec


def recall[T](memory: Mapping[str, Any], key: str, wanted: type[T]) -> T | None:
    """Return the value of a key; None where there is none, or none of the wanted type."""
    try:
        return msgspec.convert(memory[key], wanted)
    except (KeyError, msgspec.ValidationError):
        return None
