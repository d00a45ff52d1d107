"""Deliver spooled records to InfluxDB and the database until they are accepted."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from netvitals.observability import emit, observed
from netvitals.store.ports import SpoolMessage
from netvitals.wiring.parts import process
from netvitals.wiring.replay import replay

_logger = logging.getLogger("netvitals.replay")


@observed
def handler(event: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of the spool queue; return which of its messages stay there."""
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000
    parts = process()
    with parts.span("replay"):
        report = parts.use(replay).run([_message(record) for record in event["Records"]], deadline)
    if report.detail:
        kept, unreadable = len(report.failed_ids), report.messages_unreadable
        _logger.warning(
            "%d messages stay in the spool, %d can't be read: %s", kept, unreadable, report.detail
        )
    emit(
        {
            "PointsReplayed": report.points_replayed,
            "LinesRefused": report.points_refused,
            "ObservationsReplayed": report.observations_replayed,
            "SpoolMessagesUnreadable": report.messages_unreadable,
            "SpoolMessagesKept": len(report.failed_ids),
        }
    )
    parts.renew(deadline)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in report.failed_ids]}


def _message(record: Mapping[str, Any]) -> SpoolMessage:
    attributes = record["attributes"]
    return SpoolMessage(
        id=record["messageId"],
        body=record["body"],
        receipt=record["receiptHandle"],
        receive_count=int(attributes["ApproximateReceiveCount"]),
        sent_at=int(attributes["SentTimestamp"]) / 1000,
    )
