"""Turn a schedule's tick into jobs on the queues."""

import time
from typing import Any

import msgspec

from netvitals.domain.polling.tick import tick_from
from netvitals.observability import emit, observed
from netvitals.wiring.fan_out import fan_out
from netvitals.wiring.parts import process


@observed
def handler(event: Any, context: Any) -> dict[str, int]:
    """Handle `{"kind", "schedule", "scheduled_time"}`, the time is now by default; return the report."""
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000
    tick = tick_from(event, time.time())
    parts = process()
    with parts.span("fan-out"):
        report = parts.use(fan_out).run(tick)
    emit(
        {
            "DevicesRead": report.devices,
            "JobsSent": report.jobs,
            "RowsRejected": report.bad_rows,
            "JobsLate": report.expired,
            "DevicesSilent": report.silent,
            "DevicesOverdue": report.overdue,
            "Paused": report.paused,
        },
        kind=tick.kind,
    )
    parts.renew(deadline)
    return msgspec.structs.asdict(report)
