"""CPU percent from counters since boot: of the time between two polls, as long as nothing was reset."""

import msgspec

from netvitals.collectors.ssh.findings import CpuSample

STALE_SECONDS = 3600
"""An older sample would average over hours; two new ones are taken then, as on the first poll."""
_CLOCKS_DIFFER_SECONDS = 60


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A sample as device memory holds it."""

    busy: int
    total: int
    uptime: float | None
    at: int
    """When it was taken, seconds since the epoch."""

    @property
    def sample(self) -> CpuSample:
        return CpuSample(self.busy, self.total)


def percent(before: CpuSample, after: CpuSample) -> float | None:
    """None where the counters went backwards or stood still."""
    total, busy = after.total - before.total, after.busy - before.busy
    if total <= 0 or busy < 0:
        return None
    return min(100.0, 100 * busy / total)


def has_restarted(before: Kept, uptime: float | None, at: float) -> bool:
    """Whether the device has booted since: its uptime has not grown by the time that has gone by."""
    if before.uptime is None or uptime is None:
        return False
    return uptime < before.uptime + (at - before.at) - _CLOCKS_DIFFER_SECONDS
