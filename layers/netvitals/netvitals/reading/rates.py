"""Turn counters into rates, from points that are written only when a counter has moved.

Between two points of a counter the rate is constant: a sample that was held back is written at its own time
when the counter moves again (domain.polling.changes). After its last point the counter has not moved, up to
the device's newest poll.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

type Samples = Sequence[tuple[int, float]]
"""Pairs of time in nanoseconds and value, oldest first."""

_SECOND = 1e9


class Rate(NamedTuple):
    """A rate per second from `start_ns` to `end_ns`; None where the counter was reset in between."""

    start_ns: int
    end_ns: int
    per_second: float | None


def rates(samples: Samples, polled_ns: int = 0) -> list[Rate]:
    """Return the rates between neighbouring points, and a last one of 0 up to the device's newest poll."""
    found = [Rate(t0, t1, (v1 - v0) * _SECOND / (t1 - t0) if v1 >= v0 else None)
             for (t0, v0), (t1, v1) in pairwise(samples) if t1 > t0]  # fmt: skip
    if samples and polled_ns - samples[-1][0] > _SECOND:
        found.append(Rate(samples[-1][0], polled_ns, 0.0))
    return found


def newest_rate(samples: Samples, polled_ns: int = 0) -> float | None:
    """Return the rate up to the newest poll; None where there is none, or the counter was reset."""
    found = rates(samples[-2:], polled_ns)
    return found[-1].per_second if found else None
