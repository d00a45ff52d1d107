"""When a device is due: schedules, windows and phases."""

import re
from collections.abc import Iterator
from zlib import crc32

from netvitals.domain.errors import ConfigurationError

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def period_seconds(schedule: str) -> int:
    """The period of an EventBridge `rate(…)` expression.

    Raises:
        ConfigurationError: it is no rate expression; cron expressions have no period.
    """
    match = _RATE.fullmatch(schedule)
    if match is None or int(match[1]) == 0:
        raise ConfigurationError(f"{schedule!r} is no rate expression, such as 'rate(1 minute)'")
    return int(match[1]) * _UNIT_SECONDS[match[2].removesuffix("s")]


def phase(device_id: str, kind: str, interval: int) -> int:
    """The second within its interval at which a device is polled: spread evenly, the same for ever."""
    return crc32(f"{kind}:{device_id}".encode()) % interval


def due_times(device_id: str, kind: str, interval: int, start: int, period: int) -> Iterator[int]:
    """The due times in the window `[start, start + period)`, in seconds since the epoch.

    Windows that touch leave no gap and share no due time, and the same window gives the same times.
    """
    first = start + (phase(device_id, kind, interval) - start) % interval
    return iter(range(first, start + period, interval))
