"""Define a line of `netvitals poll --format jsonl`: its keys are a contract."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from netvitals.domain.polling.metrics import METRICS, MetricSpec
from netvitals.domain.polling.observation import Reason


def _described(spec: MetricSpec) -> str:
    bounds = {"at least": spec.minimum, "at most": spec.maximum}
    limits = [f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None]
    return "; ".join([spec.kind, spec.unit, *limits])


MetricName = Annotated[
    str,
    Meta(
        title="MetricName",
        description="What was measured: kind, unit and limits of its values. A counter only goes up.",
        extra_json_schema={
            "oneOf": [{"const": name, "description": _described(spec)} for name, spec in METRICS.items()]
        },
    ),
]


class PointLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value of one metric."""

    metric_name: MetricName
    """Name of the metric."""
    value: float | int | UnsetType = UNSET
    """Value in the metric's unit; a counter's reading."""
    per_second: float | int | UnsetType = UNSET
    """Rate of a counter in the metric's unit per second, with `--rate`, in the place of `value`."""
    instance: str = ""
    """Name of the part that was measured, such as an interface; left out for the whole device."""
    if_index: int | None = None
    """The interface's ifIndex; left out where there is none."""


class PollLine(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a poll of one device."""

    device_id: str
    """Id of the device in the inventory, or the address that was polled."""
    reachable: bool
    """True where the device gave any reply at all."""
    method: str
    """Protocol that proved it alive, or was tried last: `icmp`, `tcp`, `snmp`, `ssh`, `winrm`."""
    reason: Reason
    """`ok`, or why the device gave less than was asked."""
    detail: str
    """Text for a person: the part that is missing, the cause and the remedy. Programs use `reason`."""
    duration_ms: float
    """Duration of the poll, in milliseconds."""
    points: list[PointLine]
    """The values that were read."""
