"""Have a stack's collector poll one device: this tests what only the functions can reach."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from netvitals import settings
from netvitals.adapters.aws import deployment
from netvitals.adapters.aws.deployment import Invocation, Resources
from netvitals.adapters.aws.snapshots import S3Snapshots
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.cli.doctor.report import Check, Finding
from netvitals.domain.errors import ConfigurationError, Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.polling.job import encode_jobs, job_of
from netvitals.domain.text import printable
from netvitals.wiring.parts import Parts

POLL_SECONDS = 180.0
_FUNCTION, _QUEUE = "MetricsCollectorFunction", "MetricsQueue"
_LIFE_SECONDS = 300
_LOG = "the log of the metrics collector"


class _Counts(msgspec.Struct, frozen=True, rename="pascal"):
    """Metrics of one invocation that say how the poll went; each a list of one, or left out."""

    devices_polled: Any = 0
    devices_unreachable: Any = 0
    points_written: Any = 0
    points_held: Any = 0
    lines_spooled: Any = 0
    observations_spooled: Any = 0
    jobs_failed: Any = 0
    poll_seconds: Any = 0


def poll_check(parts: Parts, resources: Resources, device_id: str | None) -> Check:
    def run() -> Finding:
        if device_id is None:
            return Finding("skip", "no device is named", "--device ID has the stack's collector poll one")
        return poll(parts, resources, device_id)

    return Check("poll", run, ("configuration",), _LOG, POLL_SECONDS)


def poll(parts: Parts, resources: Resources, device_id: str) -> Finding:
    """Invoke the metrics collector with a job for the device; its results are stored as usual."""
    device = inventoried(parts, device_id)
    now = int(time.time())
    policy = parts.configuration.policy(device.device_type, device.settings)
    job = job_of(device, "metrics", policy.poll_settings(), due_at=now, expires_at=now + _LIFE_SECONDS)
    queue = deployment.queue_state(resources["AWS::SQS::Queue"][_QUEUE])
    function = resources["AWS::Lambda::Function"][_FUNCTION]
    return judged(device, deployment.invoke(function, deployment.sqs_event(encode_jobs([job]), queue.arn)))


def judged(device: Device, invocation: Invocation) -> Finding:
    """Return the finding that the invocation's log gives."""
    if invocation.error:
        return Finding("fail", f"the collector failed: {invocation.error}", _LOG)
    lines = list(_lines(invocation.log))
    counts = next((each for line in lines if (each := _counts(line))), None)
    warning = next((str(each["message"]) for each in lines if each.get("device_id") == device.id), "")
    if counts is None or not _number(counts.devices_polled):
        return Finding("fail", f"{device.id} was not polled: {warning or 'its log says no more'}", _LOG)
    if _number(counts.devices_unreachable):
        return Finding(
            "fail", warning or f"{device.id} did not answer", "docs/deploying.md#before-the-first-time"
        )
    if _number(counts.observations_spooled) or _number(counts.jobs_failed):
        return Finding("fail", f"{device.id} answered, and the functions do not reach the database", _LOG)
    if _number(counts.lines_spooled):
        return Finding("fail", f"{device.id} answered, and the functions do not reach InfluxDB", _LOG)
    written = _number(counts.points_written) + _number(counts.points_held)
    said = f"{device.id} answered in {_number(counts.poll_seconds):.1f} s, {written:.0f} points"
    return Finding("warn", f"{said}; {warning}", _LOG) if warning else Finding("ok", said)


def inventoried(parts: Parts, device_id: str) -> Device:
    """Return a device of the inventory, or of fan-out's copy where the database can't be reached."""
    try:
        chunks = PostgresInventory(parts.database).devices(lambda _: None)
        found = next((each for chunk in chunks for each in chunk if each.id == device_id), None)
    except Unavailable:
        bucket = parts.variables(settings.SnapshotVariables).bucket
        if bucket is None:
            raise
        _, chunks = S3Snapshots(parts.client("s3"), bucket).latest()
        found = next((each for chunk in chunks for each in chunk if each.id == device_id), None)
    if found is None:
        raise ConfigurationError(
            f"the inventory has no enabled device {printable(device_id)!r} that can be read"
        )
    return found


def _lines(log: bytes) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects among the lines of a log; the first line may be cut."""
    for line in log.splitlines():
        try:
            yield msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue


def _counts(line: dict[str, Any]) -> _Counts | None:
    return msgspec.convert(line, _Counts) if "_aws" in line and "PollsIncomplete" not in line else None


def _number(value: Any) -> float:
    number = max(value, default=0) if isinstance(value, list) else value
    return float(number) if isinstance(number, int | float) else 0.0
