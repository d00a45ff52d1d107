"""Expectations of a simulated device: the values that a point may have, by metric and instance."""

import math
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from local.devices.snmp_mib import Counter32, Counter64, Gauge32, Value

type Series = tuple[str, str]
"""A metric's name and the instance, which is empty for the whole device."""

ANY = "*"
"""An instance in `Expected` that stands for all that a device may have, however many."""
_ROUNDING = 0.0006
"""netvitals rounds percent and degrees to thousandths."""


class Between(NamedTuple):
    """A value within bounds: one that stands still, the mean of several that move, or one of a real host."""

    low: float
    high: float

    @property
    def moves(self) -> bool:
        """Return whether it has had another value at each poll."""
        return False

    def holds(self, value: float) -> bool:
        """Tell whether a point of this value says what the device said."""
        return self.low <= value <= self.high


def always(number: float) -> Between:
    margin = max(_ROUNDING, 1e-9 * number)
    return Between(number - margin, number + margin)


class Reported:
    """A value that moves: an object of a simulated agent that keeps every value it answered."""

    def __init__(self, now: Callable[[], int], kind: Callable[[int], Value], scale: float = 1) -> None:
        self._now, self._kind, self._scale = now, kind, scale
        self._values: set[int] = set()
        self.truth: Callable[[float], float] | None = None
        """Of a counter: what it would show at a time on the clock of `time.monotonic`, if it did not wrap."""

    def __call__(self) -> Value:
        value = self._now()
        self._values.add(value)
        return self._kind(value)

    @property
    def moves(self) -> bool:
        return len(self._values) > 1

    def holds(self, value: float) -> bool:
        return round(value / self._scale) in self._values


type Expectation = Between | Reported
type Expected = Mapping[Series, Expectation]


def of_total(section: str, used: int, total: int, instance: str = "") -> dict[Series, Expectation]:
    """Return the three points of memory or of a disk, in bytes."""
    return {
        (f"{section}_percent", instance): always(100 * used / total),
        (f"{section}_used_bytes", instance): always(used),
        (f"{section}_total_bytes", instance): always(total),
    }


def octets(bits_per_second: float, already: int = 0, *, bits: int = 64) -> Reported:
    """Return a counter of bytes whose rate swings around a mean, and which wraps at 32 or 64 bits."""
    pace, started, wraps_at = bits_per_second / 8, time.monotonic(), 1 << bits

    def truth(at: float) -> float:
        # The integral of 1 + 0.5 cos(t / 4), so that it never goes back.
        elapsed = at - started
        return already + pace * (elapsed + 2 * math.sin(elapsed / 4))

    kind = Counter32 if bits == 32 else Counter64
    counter = Reported(lambda: int(truth(time.monotonic())) % wraps_at, kind)
    counter.truth = truth
    return counter


def wave(middle: float, swing: float, seconds: float = 20, *, scale: float = 1) -> Reported:
    """Return a gauge that follows a sine; `scale` is what one of its units is worth."""

    def now() -> int:
        return round((middle + swing * math.sin(time.monotonic() * math.tau / seconds)) / scale)

    return Reported(now, Gauge32, scale)
