"""Define the detail of the event that announces a change of status; see docs/status.md."""

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from netvitals.domain.decision.notice import Notice
from netvitals.domain.decision.status import Cause, Status

SITE_STATES = ("reachable", "lost")
FLEET_STATES = ("polled", "silent")

if TYPE_CHECKING:
    State = str
else:
    State = Literal[(*(status.value for status in Status), *SITE_STATES, *FLEET_STATES)]

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class EventDevice(msgspec.Struct, frozen=True):
    """The device that an event is about."""

    id: str
    """The device's id in the inventory."""
    hostname: str
    """The device's hostname in the inventory; empty where it has none."""
    type: str
    """The device type, such as `network`."""


class StatusEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The detail of the event on the stack's bus that announces a change of status."""

    version: Literal[1]
    """Version of this format: it changes when the meaning of a key changes, not when keys are added."""
    id: str
    """Id of the event, the same however often it is delivered."""
    scope: Literal["device", "site", "fleet"]
    """The kind of thing that has changed."""
    device: EventDevice | None
    """The device that has changed; null unless the scope is `device`."""
    site: str
    """The device's site, or the one whose path was lost; empty where there is none."""
    before: State
    """The status that was announced last, which is not always the status before."""
    after: State
    """The new status of a device; of a site `reachable` or `lost`, of the fleet `polled` or `silent`."""
    cause: Cause
    """The cause of the change, one of a closed list, fit for filters."""
    detail: str
    """The cause of the change in words, for a person."""
    since: Time
    """Time at which the new status began, in UTC."""
    decided_at: Time
    """Time of the decision, in UTC; of two events of a device the later one holds."""
    flapping: bool = False
    """True in the one event which says that a device flaps; left out of all others."""
    notice: Notice
    """Texts for people that need no escaping on their way."""
