"""Read a configuration document: YAML or JSON, bounded in size, without YAML's surprises."""

import json
from pathlib import Path
from typing import Any

from netvitals.domain.errors import ConfigurationError

MAX_BYTES = 256 * 1024


def document_in_file(path: str) -> Any:
    """Return the decoded document in a YAML or JSON file.

    Raises:
        ConfigurationError: it can't be read or decoded.
    """
    try:
        with Path(path).open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        return decode_document(text.decode(), path)
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is no UTF-8 text") from None


def decode_document(text: str, name: str) -> Any:
    """Return the value of a YAML or JSON text; `name` is used in errors.

    `$schema`, which editors check a document by, is left out.

    Raises:
        ConfigurationError: it is too large, malformed, has a key twice, or YAML anchors or tags.
    """
    if len(text) > MAX_BYTES:
        raise ConfigurationError(f"{name}: has more than {MAX_BYTES} characters")
    try:
        if text.lstrip().startswith("{"):
            return _without_schema(json.loads(text, object_pairs_hook=_without_duplicates))
        from netvitals.adapters.files import strict_yaml  # noqa: PLC0415, a JSON document does not need it

        return _without_schema(strict_yaml.load(text))
    except RecursionError:
        raise ConfigurationError(f"{name}: is nested too deeply") from None
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from None


def _without_schema(document: Any) -> Any:
    if isinstance(document, dict) and isinstance(document.get("$schema"), str):
        return {key: value for key, value in document.items() if key != "$schema"}
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is given twice in one section")
    return result
