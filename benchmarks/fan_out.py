"""What a tick of fan-out costs: `python benchmarks/fan_out.py [devices …]`.

A real PostgreSQL holds the inventory, each device polled every 30 s, the schedule fires every minute: two
jobs for each device. boto3 sends them to a server that answers after 10 ms. A line is a process of its own.
"""

import subprocess
import sys
import time
from datetime import UTC, datetime

import boto3
from botocore.config import Config
from fleets import Meter, fleet_database
from sizes import given
from sqs_server import sqs_server

from netvitals.adapters.aws.job_queue import SqsJobQueue
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.polling.tick import Tick
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.secret import Secret
from netvitals.usecases.fan_out import FanOut

SIZES = (1_000, 10_000, 100_000)
JOBS_PER_MESSAGE = (1, 10)
LATENCY_SECONDS = 0.01
WORKERS = 8


def measure(url: str, endpoint: str, jobs_per_message: int) -> None:
    client = boto3.client(
        "sqs",
        region_name="eu-central-1",
        endpoint_url=endpoint,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106, the server asks for none
        config=Config(max_pool_connections=WORKERS),
    )
    requests = 0

    def count(**_: object) -> None:
        nonlocal requests
        requests += 1

    client.meta.events.register("request-created.sqs.*", count)
    configuration = Configuration()
    queue = SqsJobQueue(client, f"{endpoint}/1/status", WORKERS)
    fan_out = FanOut(
        inventory=PostgresInventory(Database(lambda: Secret(url))),
        queues={"status": queue, "metrics": queue},
        policy=configuration.policy,
        guard=Guard(configuration.allowed_networks).check,
        clock=time.time,
        jobs_per_message=jobs_per_message,
    )
    minute = int(time.time()) // 60 * 60
    tick = Tick(
        kind="status", schedule="rate(1 minute)", scheduled_time=datetime.fromtimestamp(minute + 60, UTC)
    )
    with Meter() as meter:
        report = fan_out.run(tick)
    print(
        f"{report.devices:7,} devices, {jobs_per_message:2} jobs a message: {meter}, "
        f"{report.jobs:,} jobs in {report.messages:,} messages and {requests:,} requests",
        flush=True,
    )


def main() -> None:
    for size in given(SIZES, 100):
        with fleet_database(size) as url, sqs_server(LATENCY_SECONDS) as endpoint:
            for jobs_per_message in JOBS_PER_MESSAGE:
                arguments = ["--measure", url, endpoint, str(jobs_per_message)]
                subprocess.run([sys.executable, __file__, *arguments], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
