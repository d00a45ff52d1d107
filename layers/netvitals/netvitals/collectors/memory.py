"""Read what earlier polls left in `device_state.memory`."""

from collections.abc import Mapping
from typing import Any

import msgspec


def recall[T](memory: Mapping[str, Any], key: str, wanted: type[T]) -> T | None:
    """Return what stands under a key; None where nothing does, or nothing that can be read."""
    try:
        return msgspec.convert(memory[key], wanted)
    except (KeyError, msgspec.ValidationError):
        return None
