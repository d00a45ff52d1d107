"""Define secrets that do not print."""

from typing import Any


class Secret:
    """Holds a text that is read with `reveal` alone: it is neither printed, pickled nor copied."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not pickled or copied")


def decode_secret(wanted: type, value: Any) -> Any:
    """Make a `Secret` of a text: a `dec_hook` of msgspec."""
    if wanted is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(f"no conversion to {wanted.__name__}")
