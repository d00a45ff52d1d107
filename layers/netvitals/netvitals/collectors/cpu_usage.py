"""Compute CPU percent from counters that run since boot: the average between two samples."""

import msgspec

STALE_SECONDS = 3600
"""Age in seconds from which on a sample is not used: two new ones are taken, as on the first poll."""
_CLOCKS_DIFFER_SECONDS = 60
"""Seconds by which a boot's time may seem to change: clocks are corrected, and times are rounded."""


class CpuSample(msgspec.Struct, frozen=True):
    """Time that all processors together have spent since boot, in any one unit."""

    busy: int
    total: int


def percent(before: CpuSample, after: CpuSample, tolerance: float = 0.0) -> float | None:
    """Return the busy share of the time between two samples, 0 to 100.

    None where the counters stood still or went back by more than the tolerance, which is in their unit.
    """
    total, busy = after.total - before.total, after.busy - before.busy
    if total <= 0 or busy < -tolerance:
        return None
    return max(0.0, min(100.0, 100 * busy / total))


def is_recent(age_seconds: float) -> bool:
    """Return whether a sample of this age is recent enough for an average since then."""
    return 0 <= age_seconds < STALE_SECONDS


def is_same_boot(before: float | None, after: float | None) -> bool:
    """Return whether two times at which a host has booted, in seconds, are of one boot; unknown ones are."""
    return before is None or after is None or abs(after - before) <= _CLOCKS_DIFFER_SECONDS
