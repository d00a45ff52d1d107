"""Encode a status as points for InfluxDB."""

from netvitals.domain.decision.announcement import message_id
from netvitals.domain.decision.status import Change, OutboxMessage, Status
from netvitals.store.line_protocol import status_line


def point_line(device_id: str, status: Status, at: float) -> str:
    """Encode a status as a line of `device_status`: `up` is 1 only while the device is online."""
    return status_line(device_id, status.value, int(status is Status.ONLINE), int(at * 1e9))


def point_message(change: Change, now: float) -> OutboxMessage:
    """Return the message that carries the line of a changed status to InfluxDB."""
    line = point_line(change.device.id, change.after.status, now)
    return OutboxMessage(message_id("point", change.device.id, change.after.status, now), "point", line)
