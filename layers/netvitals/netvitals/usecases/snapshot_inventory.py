"""Fall back on a recent copy of the inventory, so that polling goes on while PostgreSQL is away."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import BadRow
from netvitals.domain.ports import Inventory, Snapshots, SnapshotWriter

TAKE_SECONDS = 900
"""Age of a snapshot from which on a tick takes another one."""
MAX_AGE_SECONDS = 7 * 86_400
"""Age up to which a snapshot stands in: an older one names devices that may be gone, and would hide the
outage."""
_logger = logging.getLogger(__name__)


class SnapshotInventory:
    """Implements `ports.Inventory`: reads the inventory, keeps a copy now and then, falls back on it."""

    def __init__(
        self,
        inventory: Inventory,
        snapshots: Snapshots,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._inventory = inventory
        self._snapshots = snapshots
        self._clock = clock
        self._taken_at: float | None = None
        self._complete: SnapshotWriter | None = None

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:
        """Yield the inventory's devices; where it can't be read on, the rest of them from the snapshot."""
        seen: set[str] = set()
        try:
            for chunk in self._read(report):
                seen.update(device.id for device in chunk)
                yield chunk
        except Unavailable as error:
            yield from self._rest(seen, error)

    def _read(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:
        chunks = self._inventory.devices(report)
        if self._taken_at is not None and self._clock() - self._taken_at < TAKE_SECONDS:
            yield from chunks
            return
        with ExitStack() as unless_complete:
            snapshot = unless_complete.enter_context(self._snapshots.writer())
            for chunk in chunks:
                snapshot.add(chunk)
                yield chunk
            unless_complete.pop_all()
            self._complete = snapshot

    def keep(self) -> None:
        """Keep the copy that was made while the inventory was last read, if it was read to its end.

        Call it after the jobs were sent: no poll may wait for S3.
        """
        snapshot, self._complete = self._complete, None
        if snapshot is None:
            return
        with snapshot:
            try:
                snapshot.keep(self._clock())
                self._taken_at = self._clock()
            except Unavailable as error:
                _logger.warning("no snapshot of the inventory was kept: %s", error)

    def _rest(self, seen: set[str], cause: Unavailable) -> Iterator[Sequence[Device]]:
        """Yield the devices of the snapshot that were not seen yet.

        Raises:
            Unavailable: there is none that is recent enough either.
        """
        try:
            taken_at, chunks = self._snapshots.latest()
        except Unavailable as error:
            raise Unavailable(f"{cause}; and no snapshot stands in: {error}") from None
        age = self._clock() - taken_at
        if age > MAX_AGE_SECONDS:
            raise Unavailable(f"{cause}; and the snapshot is {age / 86_400:.0f} days old") from None
        minutes = max(0, age) / 60
        _logger.warning("%s; polling goes on with the inventory of %.0f minutes ago", cause, minutes)
        for chunk in chunks:
            yield [device for device in chunk if device.id not in seen]
