"""The points in which a status is kept in InfluxDB."""

from netvitals.domain.decision.announcement import letter_id
from netvitals.domain.decision.status import Change, Letter, Status
from netvitals.store.line_protocol import status_line


def point_line(device_id: str, status: Status, at: float) -> str:
    """Encode a status as a line of `device_status`: `up` is 1 only while the device is online."""
    return status_line(device_id, status.value, int(status is Status.ONLINE), int(at * 1e9))


def point_letter(change: Change, now: float) -> Letter:
    """Return the message that carries the line of a changed status to InfluxDB."""
    line = point_line(change.device.id, change.after.status, now)
    return Letter(letter_id("point", change.device.id, change.after.status, now), "point", line)
