"""Wire fan-out: from PostgreSQL to SQS."""

import time
from collections.abc import Callable

from netvitals import settings
from netvitals.adapters.aws.clients import JOBS, RENEWAL
from netvitals.adapters.aws.job_queue import SqsJobQueue
from netvitals.adapters.aws.pause import PauseParameter, PauseSwitch
from netvitals.adapters.aws.snapshots import S3Snapshots
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.usecases.fan_out import FanOut
from netvitals.usecases.retrying_inventory import RetryingInventory
from netvitals.usecases.snapshot_inventory import SnapshotInventory
from netvitals.wiring.parts import Parts


def fan_out(parts: Parts) -> FanOut:
    urls = parts.variables(settings.WorkQueueVariables)
    inventory = _inventory(parts)
    return FanOut(
        inventory=inventory,
        queues={
            "status": SqsJobQueue(parts.client("sqs", JOBS), urls.status),
            "metrics": SqsJobQueue(parts.client("sqs", JOBS), urls.metrics),
        },
        policy=parts.configuration.policy,
        guard=parts.guard.check,
        clock=time.time,
        afterwards=inventory.keep if isinstance(inventory, SnapshotInventory) else lambda: None,
        paused=_paused(parts),
    )


def _paused(parts: Parts) -> Callable[[], bool]:
    name = parts.variables(settings.PauseVariables).parameter
    if name is None:
        return lambda: False
    return PauseSwitch(PauseParameter(parts.client("ssm", RENEWAL), name), time.monotonic).paused


def _inventory(parts: Parts) -> RetryingInventory | SnapshotInventory:
    """Return the database's inventory, with retries, and with a copy as fallback if there is a bucket."""
    group = parts.variables(settings.GroupVariables).collector
    table = PostgresInventory(parts.database, collector=group or "")
    inventory = RetryingInventory(table, clock=time.monotonic, sleep=time.sleep)
    bucket = parts.variables(settings.SnapshotVariables).bucket
    if bucket is None:
        return inventory
    snapshots = S3Snapshots(parts.client("s3"), bucket)
    return SnapshotInventory(inventory, snapshots, clock=time.time)
