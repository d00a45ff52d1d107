"""Define what becomes of lines that are sent to InfluxDB: accepted, refused for their content, or unsent."""

from enum import StrEnum

import msgspec


class Obstacle(StrEnum):
    """Obstacle that kept valid lines from being accepted; a closed set."""

    UNREACHABLE = "unreachable"
    """Connection refused or reset, no route, or the name does not resolve."""
    TIMEOUT = "timeout"
    TLS = "tls"
    THROTTLED = "throttled"
    SERVER = "server"
    """Status 5xx, or an answer that is not InfluxDB's."""
    AUTH = "auth"
    BUCKET = "bucket"
    """Bucket or organisation that does not exist."""
    NO_TIME = "no_time"
    """Deadline that had passed before anything was tried."""


class Refusal(msgspec.Struct, frozen=True):
    """A line that InfluxDB will never take, and what it says is wrong with it."""

    line: str
    reason: str


class WriteOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a write; every line is counted in `accepted`, or is in `refused` or `unsent`."""

    accepted: int = 0
    refused: list[Refusal] = []
    unsent: list[str] = []
    """Lines to be kept and written again unchanged, with their own time."""
    obstacle: Obstacle | None = None
    """Obstacle for which lines are unsent; None if there are none."""
    detail: str = ""
    """Text for a person: what happened and what to do. Never a secret."""
    requests: int = 0


class StoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of lines that were written, spooled and refused: all of them are safe."""

    written: int = 0
    spooled: int = 0
    refused: int = 0
    """Lines that were put on the reject queue, with the reason."""
    detail: str = ""
    """Text for a person: why lines were spooled or refused. Never a secret."""
