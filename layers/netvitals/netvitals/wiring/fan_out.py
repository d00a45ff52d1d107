"""Fan-out from PostgreSQL to SQS."""

import time

from netvitals import settings
from netvitals.adapters.inventory_postgres import PostgresInventory
from netvitals.adapters.queue_sqs import SqsJobQueue
from netvitals.usecases.fan_out import FanOut
from netvitals.wiring.parts import Parts, complain


def fan_out(parts: Parts) -> FanOut:
    urls = parts.variables(settings.WorkQueueVariables)
    return FanOut(
        inventory=PostgresInventory(parts.database),
        queues={
            "status": SqsJobQueue(parts.client("sqs"), urls.status),
            "metrics": SqsJobQueue(parts.client("sqs"), urls.metrics),
        },
        policy=parts.configuration.policy,
        guard=parts.guard.check,
        clock=time.time,
        complain=complain,
        jobs_per_message=parts.configuration.fanout.jobs_per_message,
    )
