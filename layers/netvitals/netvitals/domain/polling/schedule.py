"""Compute the due times of a device: schedules, windows and phases."""

import re
from zlib import crc32

from netvitals.domain.errors import ConfigurationError

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def period_seconds(schedule: str) -> int:
    """Return the seconds of an EventBridge `rate(…)` expression.

    Raises:
        ConfigurationError: it is no rate expression; cron expressions have no period.
    """
    match = _RATE.fullmatch(schedule)
    if match is None or int(match[1]) == 0:
        raise ConfigurationError(f"{schedule!r} is no rate expression, such as 'rate(1 minute)'")
    return int(match[1]) * _UNIT_SECONDS[match[2].removesuffix("s")]


def slot_seconds(interval: int) -> int:
    """Return the length of the slots in which devices are due together: 5 s up to a minute, else 15 s."""
    return 5 if interval <= 60 else 15  # noqa: PLR2004, a minute


def phase(device_id: str, kind: str, interval: int) -> int:
    """Return the second within its interval at which a device is polled: the start of a slot, for ever."""
    slot = slot_seconds(interval)
    return crc32(f"{kind}:{device_id}".encode()) % max(1, interval // slot) * slot


def due_times(device_id: str, kind: str, interval: int, start: int, period: int) -> range:
    """Return the due times in the window `[start, start + period)`, in seconds since the epoch.

    Windows that touch leave no gap and share no due time, and the same window gives the same times.
    """
    first = start + (phase(device_id, kind, interval) - start) % interval
    return range(first, start + period, interval)
