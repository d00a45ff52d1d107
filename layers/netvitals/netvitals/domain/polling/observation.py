"""Define the results of a poll: a reading while it runs, a result and an observation when it has ended."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from netvitals.domain.polling.changes import InterfaceInfo, Samples
from netvitals.domain.polling.job import Job, Kind
from netvitals.domain.polling.point import Point


class Reason(StrEnum):
    """Reason why a device gave less than was asked; a closed list, fit for a metric's dimension."""

    OK = "ok"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    AUTH = "auth"
    UNSUPPORTED = "unsupported"
    PROTOCOL = "protocol"
    PARTIAL = "partial"
    BAD_ADDRESS = "bad_address"
    BAD_CREDENTIAL = "bad_credential"
    HOST_KEY = "host_key"
    INTERNAL = "internal"


OUR_FAULTS = frozenset(
    {
        *(Reason.BAD_ADDRESS, Reason.BAD_CREDENTIAL, Reason.UNSUPPORTED, Reason.INTERNAL),
        *(Reason.AUTH, Reason.HOST_KEY),  # of a host on the way, where the device itself is not alive by them
    }
)
"""Reasons for which nothing was sent to the device, so that its silence proves nothing."""


class Reading:
    """Collects what a collector reads, as it reads it: what was read stays when time runs out."""

    __slots__ = ("alive", "detail", "interfaces", "memory", "points", "reason", "rtt_ms")

    def __init__(self) -> None:
        self.alive = False
        """True after any reply at all, a refusal included: it proves the device alive."""
        self.reason: Reason = Reason.TIMEOUT
        """`OK` once everything that was asked for was read, `PARTIAL` where some of it is missing."""
        self.detail = ""
        """Text for a person: which part is missing, why, what to do. Never a secret."""
        self.rtt_ms: float | None = None
        self.points: list[Point] = []
        self.interfaces: list[InterfaceInfo] = []
        self.memory: dict[str, Any] = {}
        """Changes for `device_state.memory`; None as a value removes the key."""

    def fail(self, reason: Reason, detail: str) -> None:
        self.reason, self.detail = reason, detail


class PollResult(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one job."""

    job: Job
    reachable: bool
    method: str
    """Method that proved it alive, or was tried last: `icmp`, `tcp`, `snmp`, `ssh`, `winrm`."""
    reason: Reason
    detail: str = ""
    attempted_at_ns: int
    duration_ms: float
    points: list[Point]
    interfaces: list[InterfaceInfo] = []
    """Texts about the device's interfaces."""
    point_faults: list[str] = []
    """Texts that say what is wrong with points that were dropped, at most `instances.MAX_FAULTS`."""
    points_unfit: int = 0
    instances_refused: int = 0
    """Number of instances that are left out because the device has given too many new names."""
    memory: dict[str, Any] = {}

    @property
    def complete(self) -> bool:
        return self.reason is Reason.OK

    def observation(self) -> "Observation":
        return Observation(
            device_id=self.job.device_id,
            kind=self.job.kind,
            attempted_at_ns=self.attempted_at_ns,
            due_at=self.job.due_at,
            reachable=self.reachable,
            reason=self.reason,
            detail=self.detail[:500],
            method=self.method,
            memory=self.memory,
            points=len(self.points) if self.job.kind == "metrics" and self.complete else 0,
        )


def is_answered(result: PollResult) -> bool:
    """Return whether the device gave what it was asked for: anything at all, for a status any answer."""
    if result.job.kind == "status":
        return result.reachable
    return result.reason in {Reason.OK, Reason.PARTIAL}


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a result that `device_state` keeps."""

    device_id: str
    kind: Kind
    attempted_at_ns: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    reachable: bool
    reason: Reason
    due_at: Annotated[int, Meta(ge=0, le=2**33)] = 0
    """Time at which the poll was due, in seconds since the epoch; 0 where that is not known."""
    detail: str = ""
    method: str = ""
    memory: dict[str, Any] = {}
    points: int = 0
    """Number of points of a complete metrics poll; 0 for other polls."""


class KnownState(msgspec.Struct, frozen=True):
    """State that earlier polls of a device have left for the next one."""

    memory: dict[str, Any] = {}
    status_due_at: int | None = None
    """Newest due time of a recorded status poll, in seconds since the epoch; None where there is none."""
    metrics_due_at: int | None = None
    """Newest due time of a recorded metrics poll, in seconds since the epoch; None where there is none."""
    failures: int = 0
    """Polls in a row that failed, of any kind."""
    samples: Samples | None = None

    def has_polled(self, kind: Kind, due_at: int) -> bool:
        """Return whether the poll that was due at `due_at`, or a later one of its kind, is recorded."""
        newest = self.status_due_at if kind == "status" else self.metrics_due_at
        return newest is not None and due_at <= newest
