"""Stores in memory for the use cases' tests: they do as they are told, and remember."""

from collections.abc import Callable, Sequence

from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import Observation
from netvitals.store.outcome import WriteOutcome
from netvitals.store.ports import SpoolMessage
from netvitals.store.spool_batch import Content, encode_parcels


class ScriptedSink:
    """A `PointSink` that answers as `outcome` says and remembers what it was given."""

    def __init__(self, outcome: Callable[[Sequence[str]], WriteOutcome]) -> None:
        self.outcome = outcome
        self.writes: list[list[str]] = []
        self.deadlines: list[float] = []

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:
        self.writes.append(list(lines))
        self.deadlines.append(deadline)
        return self.outcome(lines)


class MemorySpool:
    """A `Spool` and `SpoolQueue`; `away` makes it unavailable."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.kept: list[tuple[Content, list[str], str]] = []
        self.postponed: dict[str, int] = {}

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        if self.away:
            raise Unavailable("the spool is away")
        self.kept.append((content, list(records), cause))

    def postpone(self, message: SpoolMessage, seconds: int) -> None:
        self.postponed[message.id] = seconds

    @property
    def records(self) -> list[str]:
        return [record for _, records, _ in self.kept for record in records]


class MemoryObservations:
    """An `ObservationStore`."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.recorded: list[Observation] = []

    def record(self, observations: Sequence[Observation]) -> None:
        if self.away:
            raise Unavailable("the database is away")
        self.recorded += observations


def spooled(name: str, content: Content, records: Sequence[str], **more: float) -> SpoolMessage:
    """A message as it comes from the spool."""
    (body,) = encode_parcels(content, records, "timeout")
    return SpoolMessage(
        id=name,
        body=body,
        receipt=f"receipt of {name}",
        receive_count=int(more.get("receive_count", 1)),
        sent_at=more.get("sent_at", 0.0),
    )
