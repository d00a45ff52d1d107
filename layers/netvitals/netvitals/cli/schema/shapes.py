"""List what programs share with netvitals, each with the type that it is made from and its version.

A type stands here only where what is written differs from what netvitals decodes it to.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta

from netvitals.cli.poll.line import PollLine
from netvitals.domain.decision.event import StatusEvent
from netvitals.domain.inventory.device import Device, Name
from netvitals.domain.inventory.row import FIELDS
from netvitals.domain.polling.job import Job
from netvitals.domain.settings.configuration import TYPE_NAME, Configuration
from netvitals.domain.settings.credential import Credential
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.section import extended

_TIME = r"^(\d{4}-?\d{2}-?\d{2}.*|-?infinity)?$"


class DeviceType(Policy, frozen=True):
    """Settings that a device type changes."""

    extends: str = ""
    """The device type that this one starts from; unless set, `defaults` and a built-in type of its name."""


class JobMessage(msgspec.Struct, frozen=True):
    """The body of a message in a job queue, before it is deflated."""

    version: Literal[1]
    """Version of the format; another number means that a key has changed its meaning."""
    jobs: Annotated[list[Job], Meta(min_length=1, max_length=1000)]
    """Each is polled on its own: one that can't be used costs the others nothing."""


ConfigurationDocument = extended(
    Configuration,
    [
        ("defaults", Policy, Policy()),
        (
            "device_types",
            dict[Annotated[str, Meta(pattern=f"^{TYPE_NAME.pattern}$")], DeviceType],
            msgspec.field(default_factory=dict),
        ),
    ],
)

_AS_WRITTEN: Mapping[str, Any] = {
    "id": Annotated[str, Meta(min_length=1, max_length=256)] | int,
    "parent_id": Name | int | None,
    "enabled": bool | None,
    "maintenance_until": Annotated[
        float | Annotated[str, Meta(pattern=_TIME)] | None,
        Meta(
            description="Until then changes are not announced: a time such as 2026-11-23T16:00:00Z, in UTC "
            "unless it has an offset, or seconds since the epoch."
        ),
    ],
    "settings": Policy | None,
}
"""The types of those values of a row that may be written otherwise than `Device` has them."""


def _row() -> type[msgspec.Struct]:
    hints = get_type_hints(Device, include_extras=True)
    types = [(name, _AS_WRITTEN.get(name, hints[name] | None)) for name in FIELDS]
    return msgspec.defstruct(
        "Device",
        [(name, wanted, NODEFAULT if name == "id" else None) for name, wanted in types],
        module=Device.__module__,
        namespace={"__doc__": 'A line of an inventory in JSON lines; a value of null or "" is left out.'},
    )


class Shape(NamedTuple):
    type: Any
    version: str
    """`major.minor`: the minor number grows where something is added, the major one where what was right
    is right no longer."""
    title: str
    description: str


SHAPES: Mapping[str, Shape] = {
    "inventory": Shape(_row(), "1.2", "Inventory", "A line of an inventory in JSON lines."),
    "credentials": Shape(
        dict[str, Credential],
        "1.0",
        "Credentials",
        "The credential map: each credential under the name by which the inventory's devices refer to it.",
    ),
    "configuration": Shape(
        ConfigurationDocument, "1.2", "Configuration", "A configuration document, in YAML or JSON."
    ),
    "job": Shape(JobMessage, "1.2", "JobMessage", "The body of a message in a job queue, not deflated."),
    "event": Shape(
        StatusEvent, "1.0", "StatusEvent", "The detail of an event that announces a change of status."
    ),
    "poll": Shape(PollLine, "1.2", "PollLine", "A line of `netvitals poll --format jsonl`."),
}
"""Shapes by the name that `netvitals schema` takes. `make schemas` writes them to docs/schema."""
