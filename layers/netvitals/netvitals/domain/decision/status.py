"""Define the values of a status, what a decision reads, and what it writes.

All times are seconds since the epoch.
"""

from enum import StrEnum
from typing import Literal

import msgspec


class Status(StrEnum):
    """Status of a device, as `device_state.status` and the measurement `device_status` hold it."""

    ONLINE = "online"
    OFFLINE = "offline"
    """A device that is polled and has been silent for longer than its timeout."""
    UNREACHABLE = "unreachable"
    """A device that is silent as its parent is: the parent is the one to look at."""
    UNKNOWN = "unknown"
    """A device that is not polled, not measurable, or behind a lost path; never an outage by itself."""


class Cause(StrEnum):
    """Cause of a device's status; a closed list, fit for filters."""

    NONE = ""
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    PARENT_DOWN = "parent_down"
    PATH_LOST = "path_lost"
    NOT_POLLED = "not_polled"
    COLLECTOR_SILENT = "collector_silent"
    NOT_MEASURABLE = "not_measurable"


ANNOUNCED_ELSEWHERE = frozenset({Cause.PARENT_DOWN, Cause.PATH_LOST, Cause.COLLECTOR_SILENT})
"""Causes for which the parent, the site or the fleet has an event, and the device has none."""


class Polls(msgspec.Struct, frozen=True):
    """Outcome of the polls of a device; times are None before the first one."""

    last_seen_at: float | None = None
    last_attempt_at: float | None = None
    streak_since: float | None = None
    """Time of the first of the polls in a row that ended as the last one did."""
    failures: int = 0
    successes: int = 0
    """Polls in a row that were answered; either this or `failures` is 0."""
    reason: str = ""


class StatusRecord(msgspec.Struct, frozen=True):
    """The status of a device as the last decision left it."""

    status: Status = Status.UNKNOWN
    cause: Cause = Cause.NONE
    since: float | None = None
    """Time since which it has this status for this cause."""
    announced: Status = Status.UNKNOWN
    """The status in the last event of this device."""
    flap_score: float = 0.0
    flap_at: float = 0.0
    flapping: bool = False
    """True after an event has said that the device flaps: until it is steady, outages are not announced."""


class Parent(msgspec.Struct, frozen=True):
    """All that a decision reads of the device that another is reached through."""

    id: str
    polls: Polls
    not_polled_since: float | None = None
    """Time at which it was found to be polled no more; None while it is polled."""


class Monitored(msgspec.Struct, frozen=True):
    """All that a decision reads of a device."""

    id: str
    polls: Polls
    record: StatusRecord
    hostname: str = ""
    device_type: str = "network"
    site: str = ""
    maintenance_until: float | None = None
    monitored_since: float | None = None
    """Time of the first run that saw it enabled again; None where it was never disabled."""
    parent: Parent | None = None
    settings: str = ""
    """Overrides of the device type's `Policy`, as JSON text."""


class SiteState(msgspec.Struct, frozen=True):
    """State of the path to a site; the empty name is the fleet, lost when no device is polled."""

    name: str
    lost: bool = False
    since: float = 0.0
    """Time at which it was lost, or came back; devices get their full timeout after that."""


class PollingGap(msgspec.Struct, frozen=True):
    """The last gap in polling or in deciding, and what the next run needs to notice one.

    A gap is a pause of the schedules, a late tick, a clock that jumped, or a database restored from a
    backup; these can't be distinguished here. Silence within a gap does not count against a device.
    """

    last_run_at: float | None = None
    newest_attempt_at: float | None = None
    """Time of the newest poll of any device."""
    is_quiet: bool = False
    """True while no device is being polled: a gap that has not ended."""
    resumed_at: float = 0.0
    """Time at which the last gap ended."""
    shortest_timeout_seconds: float | None = None
    """The shortest time without a poll after which some device is `not_polled`; None before the first run."""
    quiet_after_seconds: float | None = None
    """The shortest time without any poll that is a gap; None before the first run."""


class Change(msgspec.Struct, frozen=True):
    """All that a decision changes about a device; `after` is its new record."""

    device: Monitored
    after: StatusRecord
    detail: str
    """Text for a person that says why."""
    is_transition: bool
    """True where the status changes: one row of history, one point."""
    is_announced: bool
    """True where an event says so."""
    says_flapping: bool = False
    """True where that event says that the device flaps."""


Channel = Literal["point", "event", "digest"]


class OutboxMessage(msgspec.Struct, frozen=True):
    """A message to publish, kept in the database until it was accepted."""

    id: str
    """Id of the message, the same however often it is sent."""
    channel: Channel
    body: str
    """A line of line protocol, or JSON."""


class DeliveryReport(msgspec.Struct, frozen=True):
    """Numbers of messages of a batch that were published and left."""

    published: int = 0
    left: int = 0
    """Messages that were sent and not accepted; the next run sends them again."""
    waiting_seconds: float = 0.0
    """Seconds since the oldest of those was written."""
