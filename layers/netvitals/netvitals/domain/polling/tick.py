"""Decode the event with which a schedule starts fan-out."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.polling.job import Kind
from netvitals.domain.polling.schedule import period_seconds

LEAD_SECONDS = 60
"""Seconds within which EventBridge Scheduler fires: a tick hands out what is due after them."""
MAX_AHEAD_SECONDS = 900
"""Longest delay of a message in SQS: lead and period together may not exceed it."""


class Tick(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One firing of a schedule, which hands out everything due in `[start, start + period)`."""

    kind: Kind
    schedule: Annotated[str, Meta(max_length=64)]
    scheduled_time: Annotated[datetime, Meta(tz=True)]
    """Time at which it was to fire; when it did fire makes no difference to what is due."""
    lead: Annotated[int, Meta(ge=0, le=LEAD_SECONDS)] = LEAD_SECONDS
    """Seconds from the scheduled time to the window's start."""

    @property
    def start(self) -> int:
        """Return the window's start, in seconds since the epoch."""
        return int(self.scheduled_time.timestamp()) + self.lead

    @property
    def period(self) -> int:
        """Return the seconds until the schedule fires again.

        Raises:
            ConfigurationError: the schedule is no rate expression.
        """
        return period_seconds(self.schedule)


def tick_from(event: Any, now: float) -> Tick:
    """Return the tick that a scheduler's event describes; without a time it fired now.

    Raises:
        ConfigurationError: it describes none; names the key and shows what is expected.
    """
    if isinstance(event, dict) and "scheduled_time" not in event:
        event = {**event, "scheduled_time": datetime.fromtimestamp(now, UTC).isoformat()}
    try:
        tick = msgspec.convert(event, Tick)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"the schedule's event can't be used: {error}; expected "
            '{"kind": "status" or "metrics", "schedule": "rate(1 minute)", '
            '"scheduled_time": "<aws.scheduler.scheduled-time>"}'
        ) from None
    if tick.period + LEAD_SECONDS > MAX_AHEAD_SECONDS:
        raise ConfigurationError(
            f"the schedule {tick.schedule!r} is too slow: a queue holds jobs back for 15 minutes at most, "
            "and one is the lead; choose at most 'rate(14 minutes)', intervals may be longer"
        )
    return tick
