"""Decide every device's status, store it, and publish changes."""

import logging
import time
from typing import Any

from netvitals.observability import emit, observed
from netvitals.wiring.parts import process
from netvitals.wiring.update_status import update_status

FLUSH_SECONDS = 5.0
"""Seconds before the invocation's end at which it stops beginning new work."""
_logger = logging.getLogger("netvitals.status")


@observed
def handler(event: Any, context: Any) -> dict[str, Any]:
    """Handle any event, as of now; return the number of devices by status."""
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - FLUSH_SECONDS
    parts = process()
    with parts.span("status"):
        report = parts.use(update_status).run(time.time(), deadline)
    for change in report.changes:
        _logger.info(change)
    if report.busy:
        _logger.warning("another run was at work, so this one decided nothing")
    emit(
        {
            "DevicesJudged": report.devices,
            "StatusChanged": report.transitions,
            "StatusAnnounced": report.announced,
            "SitesLost": report.sites_lost,
            "CollectorSilent": int(report.fleet_silent),
            "RowsRejected": report.bad_rows,
            "Unpublished": report.unpublished,
            "AnnouncementWaitSeconds": report.announcement_wait_seconds,
        }
    )
    for status, devices in report.statuses.items():
        emit({"Devices": devices}, status=status)
    parts.renew(deadline)
    return {"devices": report.devices, "statuses": report.statuses, "transitions": report.transitions}
