"""Declare what the use cases need of the place where points are kept, and of the spool beside it."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from netvitals.store.outcome import StoreReport, WriteOutcome
from netvitals.store.spool_batch import Content


class PointSink(Protocol):
    """Writes lines to InfluxDB."""

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:
        """Write lines of line protocol in as few requests as fit; safe to repeat.

        Retries within `deadline` (clock of `time.monotonic`). InfluxDB's faults are the outcome, never an
        exception. Blocks: call it where nothing else waits, or on a thread.
        """
        ...


class CheckedPointSink(PointSink, Protocol):
    """Checks as well, without writing a point, as `netvitals config check --connect` does."""

    def check(self, deadline: float) -> WriteOutcome:
        """Return whether lines could be written now, by a request without lines; raises as `write` does."""
        ...


class PointKeeper(Protocol):
    """Stores points: in InfluxDB, or in the spool for a replay."""

    def keep(self, lines: Sequence[str], deadline: float) -> StoreReport:
        """Write, spool or set aside every line of line protocol; blocks until that is done.

        Raises:
            Unavailable: some are not, so their jobs have to come again. Writing again does no harm.
        """
        ...


class Spool(Protocol):
    """Keeps records that can't be delivered now, durably."""

    def put(self, content: Content, records: Sequence[str], cause: str) -> None:
        """Keep the records unchanged, in as few messages as possible; `cause` says why they are kept.

        Raises:
            Unavailable: not all of them were kept.
        """
        ...


class SpoolMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was received from the spool."""

    id: str
    body: str
    receipt: str
    receive_count: int = 1
    sent_at: float = 0.0
    """Time at which it was sent, in seconds since the epoch; older messages are delivered first."""


class SpoolQueue(Protocol):
    """Hides messages of the spool that were received and not delivered."""

    def postpone(self, message: SpoolMessage, seconds: int) -> None:
        """Hide the message for so long; does nothing where the queue can't be reached."""
        ...
