"""What a tick of fan-out costs: `python benchmarks/fan_out.py [devices …]`.

A real PostgreSQL holds the inventory, each device polled every 30 s, the schedule fires every minute: two
jobs for each device. boto3 sends them to a server that answers after 10 ms. A line is a process of its own.
Fleets have 100 or 10 devices a site, and ids in the order of their sites or in no order.
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
SHAPES = (("100 a site", 100, False), ("10 a site, ids in no order", 10, True))
"""Devices of a site, and whether ids are shuffled."""
LATENCY_SECONDS = 0.01
WORKERS = 8


def measure(url: str, endpoint: str, shape: str) -> None:
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
    )
    minute = int(time.time()) // 60 * 60
    tick = Tick(
        kind="status", schedule="rate(1 minute)", scheduled_time=datetime.fromtimestamp(minute + 60, UTC)
    )
    with Meter() as meter:
        report = fan_out.run(tick)
    print(
        f"{report.devices:7,} devices, {shape:26}: {meter}, "
        f"{report.jobs:,} jobs in {report.messages:,} messages and {requests:,} requests",
        flush=True,
    )


def main() -> None:
    for size in given(SIZES, 100):
        for shape, per_site, shuffled in SHAPES:
            with (
                fleet_database(size, per_site, shuffled=shuffled) as url,
                sqs_server(LATENCY_SECONDS) as endpoint,
            ):
                subprocess.run([sys.executable, __file__, "--measure", url, endpoint, shape], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:5])
    else:
        main()
