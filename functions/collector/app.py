"""Poll the devices of a batch of jobs, and store their values."""

import time
from typing import Any

from netvitals.domain.ports import QueueMessage
from netvitals.observability import emit, observed
from netvitals.usecases.collect import CollectReport
from netvitals.wiring.collect import collect
from netvitals.wiring.parts import process


@observed
def handler(event: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of an SQS queue; return which of its messages are to be delivered again."""
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000
    messages = [
        QueueMessage(record["messageId"], record["body"], record["receiptHandle"])
        for record in event["Records"]
    ]
    parts = process()
    with parts.span("collect"):
        report = parts.run(parts.use(collect).run(messages, deadline))
    _count(report)
    parts.renew(deadline)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in report.failed_ids]}


def _count(report: CollectReport) -> None:
    emit(
        {
            "DevicesPolled": report.devices_polled,
            "DevicesUnreachable": report.devices_unreachable,
            "PointsWritten": report.points_written,
            "LinesSpooled": report.points_spooled,
            "LinesRefused": report.points_refused,
            "PointsInvalid": report.points_invalid,
            "InstancesRefused": report.instances_refused,
            "PointsHeld": report.points_held,
            "ObservationsSpooled": report.observations_spooled,
            "JobsExpired": report.jobs_expired,
            "JobsRepeated": report.jobs_repeated,
            "JobsRejected": report.jobs_rejected,
            "JobsFailed": report.jobs_failed,
            "PollSeconds": [round(seconds, 3) for seconds in report.poll_seconds],
        }
    )
    for reason, polls in report.reasons.items():
        if reason != "ok":
            emit({"PollsIncomplete": polls}, reason=reason)
