"""Bundle the jobs that are due in the same slot into one message, the work of one invocation.

How many jobs share a message follows from the fleet: as many as are due in a slot, up to what one invocation
polls well within its time. Devices that have been silent for long travel apart, so that nobody waits for
them, and so do devices that no collector got to: one of them may be what ends its invocations.
"""

from collections import Counter
from collections.abc import Iterator
from enum import Enum

from netvitals.domain.polling.job import Kind
from netvitals.domain.polling.schedule import slot_seconds
from netvitals.domain.ports import QueuedJobs

MAX_JOBS: dict[Kind, int] = {"status": 300, "metrics": 100}
MAX_POINTS = 25_000
"""Points expected of one invocation's metrics: it writes them with one request, and remembers their
samples."""
MAX_BYTES = 512 * 1024
"""Limit of a bundle as plain JSON, so that even one that can't be deflated fits in a message."""
SEARCH_JOBS = 16
"""Jobs in a bundle that may hold the device which ends its invocations."""
BUNDLES_AT_ONCE = 20
"""Bundles at the start of a slot; further ones are delayed within it, to start collectors one by one."""


class Group(Enum):
    """Group of devices that share messages."""

    LIVE = "live"
    SILENT = "silent"
    """Devices that have not answered for longer than their timeout."""
    OVERDUE = "overdue"
    """Devices that were not attempted for more than three intervals."""
    ALONE = "alone"
    """Devices that were not attempted for more than six intervals."""


_SILENT_SLOTS = {5: 15, 15: 60}
"""Length in seconds of silent devices' slots, by that of other devices' slots; a tick's window holds a whole
number."""
_MAX_JOBS_OF = {Group.OVERDUE: SEARCH_JOBS, Group.ALONE: 1}


def slot_of(group: Group, interval: int) -> int:
    """Return the seconds in which jobs of a group that are due travel together.

    Waiting for silent devices takes the same time for one as for a hundred, so more of them share it, and are
    polled a little before they are due.
    """
    slot = slot_seconds(interval)
    if group is not Group.SILENT:
        return slot
    return _SILENT_SLOTS[slot]


class Bundles:
    """Fills the bundles of one tick; memory grows with a window's slots, not with the fleet."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._open: dict[tuple[Group, int], _Bundle] = {}
        self._sent: Counter[int] = Counter()

    def add(
        self, job: bytes, due_at: int, interval: int, group: Group, points: int = 0
    ) -> Iterator[QueuedJobs]:
        """Take an encoded job; yield its bundle where that is full now."""
        slot = slot_of(group, interval)
        key = group, due_at // slot * slot
        bundle = self._open.get(key)
        if bundle is not None and not bundle.has_room(len(job), points):
            yield self._closed(key, slot)
            bundle = None
        if bundle is None:
            bundle = self._open[key] = _Bundle(slot)
        bundle.add(job, points)
        if len(bundle.jobs) >= _MAX_JOBS_OF.get(group, MAX_JOBS[self._kind]):
            yield self._closed(key, slot)

    def rest(self) -> Iterator[QueuedJobs]:
        """Yield the bundles that did not fill."""
        for key, bundle in list(self._open.items()):
            yield self._closed(key, bundle.slot)

    def _closed(self, key: tuple[Group, int], slot: int) -> QueuedJobs:
        due_at = key[1]
        later = self._sent[due_at] // BUNDLES_AT_ONCE % slot
        self._sent[due_at] += 1
        return QueuedJobs(self._open.pop(key).jobs, due_at + later)


class _Bundle:
    __slots__ = ("jobs", "points", "size", "slot")

    def __init__(self, slot: int) -> None:
        self.jobs: list[bytes] = []
        self.size = self.points = 0
        self.slot = slot

    def has_room(self, size: int, points: int) -> bool:
        return self.size + size <= MAX_BYTES and self.points + points <= MAX_POINTS

    def add(self, job: bytes, points: int) -> None:
        self.jobs.append(job)
        self.size += len(job) + 1
        self.points += points
