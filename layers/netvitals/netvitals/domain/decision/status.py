"""Defines the values of a status, what a decision reads, and what it writes.

All times are seconds since the epoch.
"""

from enum import StrEnum
from typing import Literal

import msgspec


class Status(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    """Polled and silent for longer than its time-out."""
    UNREACHABLE = "unreachable"
    """Silent, and so is its parent: the parent is the one to look at."""
    UNKNOWN = "unknown"
    """Nobody can tell: not polled, not measurable, or behind a lost path. Never an outage by itself."""


class Cause(StrEnum):
    """Says why a device has its status; a closed list, fit for filters."""

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
    """Holds what the polls of a device have found."""

    last_seen_at: float | None = None
    last_attempt_at: float | None = None
    streak_since: float | None = None
    """When the first of the polls in a row was made that ended as the last one did."""
    failures: int = 0
    successes: int = 0
    """In a row; one of the two is 0."""
    reason: str = ""


class StatusRecord(msgspec.Struct, frozen=True):
    """Holds the status of a device as the last decision left it."""

    status: Status = Status.UNKNOWN
    cause: Cause = Cause.NONE
    since: float | None = None
    """Since when it has this status for this cause."""
    announced: Status = Status.UNKNOWN
    """The status in the last event of this device."""
    flap_score: float = 0.0
    flap_at: float = 0.0
    flapping: bool = False
    """An event has said that the device flaps: until it is steady, outages are not announced."""


class Parent(msgspec.Struct, frozen=True):
    """Holds what a decision reads of the device that another is reached through."""

    id: str
    polls: Polls
    not_polled_since: float | None = None
    """When it was found to be polled no more; None where it was not."""


class Monitored(msgspec.Struct, frozen=True):
    """Holds what a decision reads of a device."""

    id: str
    polls: Polls
    record: StatusRecord
    hostname: str = ""
    device_type: str = "network"
    site: str = ""
    maintenance_until: float | None = None
    monitored_since: float | None = None
    """The first run that saw it enabled again; None where it was never anything else."""
    parent: Parent | None = None
    settings: str = ""
    """Overrides of the device type's `Policy`, as JSON text."""


class SiteState(msgspec.Struct, frozen=True):
    """Says whether the path to a site is lost; the empty name is the fleet, lost when no device is polled."""

    name: str
    lost: bool = False
    since: float = 0.0
    """Since when it is lost, or is there again; devices get their full time-out after that."""


class PollingGap(msgspec.Struct, frozen=True):
    """Records the last gap in polling or in deciding, and what the next run needs to notice one.

    A gap is a pause of the schedules, a late tick, a clock that jumped, or a database restored from a
    backup; these can't be told apart here. Silence within a gap does not count against a device.
    """

    last_run_at: float | None = None
    newest_attempt_at: float | None = None
    """The newest poll of any device."""
    is_quiet: bool = False
    """No device is being polled: a gap that has not ended."""
    resumed_at: float = 0.0
    """When the last gap ended."""
    shortest_timeout_seconds: float | None = None
    """The shortest time without a poll after which some device is `not_polled`; None before the first run."""
    quiet_after_seconds: float | None = None
    """The shortest time without any poll that is a gap; None before the first run."""


class Change(msgspec.Struct, frozen=True):
    """Describes what a decision changes about a device; `after` is its new record."""

    device: Monitored
    after: StatusRecord
    detail: str
    """For a person."""
    is_transition: bool
    """True where the status changes: one row of history, one point."""
    is_announced: bool
    """True where an event says so."""
    says_flapping: bool = False
    """True where that event says that the device flaps."""


Channel = Literal["point", "event", "digest"]


class OutboxMessage(msgspec.Struct, frozen=True):
    """Holds what is to be published, kept in the database until it was accepted."""

    id: str
    """The same however often it is sent."""
    channel: Channel
    body: str
    """A line of line protocol, or JSON."""


class DeliveryReport(msgspec.Struct, frozen=True):
    """Counts what became of a batch of messages."""

    published: int = 0
    left: int = 0
    """Sent and not accepted; the next run sends them again."""
    waiting_seconds: float = 0.0
    """Since the oldest of those was written."""
