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
    """As in the inventory."""
    hostname: str
    """As in the inventory; empty where it has none."""
    type: str
    """Its device type, such as `network`."""


class StatusEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The detail of the event on the stack's bus that announces a change of status."""

    version: Literal[1]
    """Another number means that something which stands here has changed its meaning."""
    id: str
    """The same however often the event is delivered."""
    scope: Literal["device", "site", "fleet"]
    """What has changed."""
    device: EventDevice | None
    """Null unless the scope is `device`."""
    site: str
    """The device's site, or the one whose path was lost; empty where there is none."""
    before: State
    """What was announced last, which is not always the status before."""
    after: State
    """Of a device its status; a site is `reachable` or `lost`, the fleet `polled` or `silent`."""
    cause: Cause
    """Why, for filters."""
    detail: str
    """Why, for a person."""
    since: Time
    """When it began, in UTC."""
    decided_at: Time
    """When the status function decided so, in UTC; of two events of a device the later one holds."""
    flapping: bool = False
    """There, and true, in the one event which says that a device flaps."""
    notice: Notice
    """Texts for people that need no escaping on their way."""
