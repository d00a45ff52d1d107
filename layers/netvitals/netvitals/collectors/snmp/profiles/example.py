"""Define a profile's example: answers of a device, and the points that a person expects of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Number = int | float
_OID = r"1(\.(0|[1-9]\d*)){5,}"
_OCTETS = re.compile(r"octets(( [0-9a-f]{2})+)")

AnswerText = Annotated[str, Meta(max_length=1000)]
"""An octet string as text, or as its octets: `octets 0a 1f b0`."""


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One poll of a device of this kind, with values of our own making."""

    answers: dict[Annotated[str, Meta(pattern=f"^{_OID}$")], int | float | AnswerText]
    """Answers by the object's whole OID. With sysObjectID or sysDescr in it, the device has to get this
    profile."""
    points: dict[str, Number | dict[str, Number]]
    """Points that are stored of it, all but uptime, by metric: a value, or values by instance.

    The whole device's value has no instance: `""` beside others.
    """

    @property
    def named_points(self) -> dict[str, Number]:
        """Return the points by `metric`, or `metric[instance]`."""
        return {
            point_name(metric, instance): value
            for metric, given in self.points.items()
            for instance, value in (given if isinstance(given, dict) else {"": given}).items()
        }


def point_name(metric: str, instance: str) -> str:
    return f"{metric}[{instance}]" if instance else metric


def value_of(answer: Number | str) -> Number | bytes:
    """Return the value as it arrives from a device."""
    if not isinstance(answer, str):
        return answer
    octets = _OCTETS.fullmatch(answer)
    return bytes.fromhex(octets[1]) if octets else answer.encode()


def flat(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Write out what is abbreviated: the rows of a column are given beneath its OID.

    Raises:
        ValueError: an object is given twice.
    """
    given: dict[str, Any] = {}
    for oid, value in _leaves(answers, ""):
        if oid in given:
            raise ValueError(f"{oid} is given twice")
        given[oid] = value
    return given


def _leaves(answers: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in answers.items():
        oid = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{oid}.")
        else:
            yield oid, value
