"""The event with which a schedule starts fan-out."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.polling.job import Kind
from netvitals.domain.polling.schedule import period_seconds


class Tick(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One firing of a schedule: everything due in `[start, start + period)` is its business."""

    kind: Kind
    schedule: Annotated[str, Meta(max_length=64)]
    scheduled_time: Annotated[datetime, Meta(tz=True)]
    """When it was to fire; when it did fire makes no difference to what is due."""

    @property
    def start(self) -> int:
        """Seconds since the epoch."""
        return int(self.scheduled_time.timestamp())

    @property
    def period(self) -> int:
        """Seconds until the schedule fires again.

        Raises:
            ConfigurationError: the schedule is no rate expression.
        """
        return period_seconds(self.schedule)


def tick_from(event: Any) -> Tick:
    """The tick that a scheduler's event describes.

    Raises:
        ConfigurationError: it describes none; names the key and shows what is expected.
    """
    try:
        tick = msgspec.convert(event, Tick)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"the schedule's event can't be used: {error}; expected "
            '{"kind": "status" or "metrics", "schedule": "rate(1 minute)", '
            '"scheduled_time": "<aws.scheduler.scheduled-time>"}'
        ) from None
    period_seconds(tick.schedule)
    return tick
