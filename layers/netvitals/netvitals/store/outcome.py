"""Say what became of lines that were handed to InfluxDB: taken, refused for their content, or not taken."""

from enum import StrEnum

import msgspec


class Obstacle(StrEnum):
    """Names why valid lines were not accepted; a closed set, so that it can be a metric's dimension."""

    UNREACHABLE = "unreachable"
    """Connection refused or reset, no route, or the name does not resolve."""
    TIMEOUT = "timeout"
    TLS = "tls"
    THROTTLED = "throttled"
    SERVER = "server"
    """Status 5xx, or an answer that is not InfluxDB's."""
    AUTH = "auth"
    BUCKET = "bucket"
    """The bucket or the organisation does not exist."""
    NO_TIME = "no_time"
    """Nothing was tried: the deadline had passed."""

    @property
    def is_configuration(self) -> bool:
        """Return whether a person has to act; waiting alone does not help."""
        return self in (Obstacle.AUTH, Obstacle.BUCKET, Obstacle.TLS)


class Refusal(msgspec.Struct, frozen=True):
    """Holds a line that InfluxDB will never take, and what it says is wrong with it."""

    line: str
    reason: str


class WriteOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Has every line in exactly one place: counted in `accepted`, in `refused`, or in `unsent`."""

    accepted: int = 0
    refused: list[Refusal] = []
    unsent: list[str] = []
    """Lines to be kept and written again unchanged, with their own time."""
    obstacle: Obstacle | None = None
    """Why lines are unsent; None if there are none."""
    detail: str = ""
    """Text for a person: what happened and what to do. Never a secret."""
    requests: int = 0


class StoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """Counts what became of lines that are all safe."""

    written: int = 0
    spooled: int = 0
    refused: int = 0
    """Lines that were put on the reject queue, with the reason."""
    obstacle: Obstacle | None = None
    detail: str = ""
    """Text for a person: why lines were spooled or refused. Never a secret."""
