"""Find the quotas that a fleet would meet, each with what to do about it."""

from collections.abc import Iterable, Sequence
from math import ceil

import msgspec

from netvitals.cli.cost import lines
from netvitals.cli.cost.invocations import KINDS, DeviceGroup, all_failing
from netvitals.cli.cost.model import Deployment, decision_seconds, fanout_seconds, lines_of
from netvitals.cli.cost.prices import Quotas

WINDOW_SECONDS = 300
"""Seconds over which InfluxDB Cloud counts the bytes written."""


def warnings_of(fleet: Sequence[DeviceGroup], deployment: Deployment, quotas: Quotas) -> list[str]:
    """Return a line for each quota, and each limit of the template, that the fleet meets."""
    return [
        *_influxdb(fleet, deployment, quotas),
        *_concurrency(fleet, deployment, quotas),
        *_time(fleet, deployment),
    ]


def series_of(fleet: Sequence[DeviceGroup]) -> float:
    """Return how many series InfluxDB holds for a fleet."""
    return sum(group.number * lines.series_of(group.ports, group.measures) for group in fleet)


def _influxdb(fleet: Sequence[DeviceGroup], deployment: Deployment, quotas: Quotas) -> Iterable[str]:
    quota = quotas.influxdb_mb_per_5_minutes
    mb = lines_of(fleet, deployment) * WINDOW_SECONDS / 1e6
    everything = msgspec.structs.replace(deployment, everything=True)
    mb_of_everything = lines_of(fleet, everything) * WINDOW_SECONDS / 1e6
    if mb > quota:
        yield (
            f"InfluxDB Cloud takes {quota:,.0f} MB of line protocol in five minutes, and this is "
            f"{mb:,.0f}: a part of it would always be refused; ask InfluxData for more, poll less often, "
            "or use another store"
        )
    elif mb_of_everything > quota:
        yield (
            f"InfluxDB Cloud takes {quota:,.0f} MB of line protocol in five minutes. While PostgreSQL is "
            f"away all is written, {mb_of_everything:,.0f} MB, and a part of it waits in the spool"
        )
    series = series_of(fleet)
    if series > quotas.influxdb_series:
        yield (
            f"InfluxDB Cloud (TSM) keeps {quotas.influxdb_series:,.0f} series, and these are {series:,.0f}: "
            "ask InfluxData for more, use InfluxDB 3 (Serverless, Core), which has no such limit, or collect "
            "fewer interfaces"
        )


def _concurrency(fleet: Sequence[DeviceGroup], deployment: Deployment, quotas: Quotas) -> Iterable[str]:
    needed = {kind: all_failing(fleet, kind, deployment.memory_mb(kind)) for kind in KINDS}
    for kind, collectors in needed.items():
        given = deployment.concurrency(kind)
        if collectors > given:
            name = f"{kind.capitalize()}Concurrency"
            yield (
                f"{name} is {given}, and {collectors:,.0f} collectors are at work while all devices fail: "
                f"polls would be late then; set it to {_with_room(collectors)}"
            )
    total = sum(needed.values())
    if total > quotas.lambda_concurrency:
        yield (
            f"Lambda runs {quotas.lambda_concurrency:,.0f} invocations of an account at once, and "
            f"{total:,.0f} collectors are at work while all devices fail: ask AWS for more"
        )
    if max(needed.values()) > quotas.sqs_in_flight:
        yield (
            f"SQS keeps {quotas.sqs_in_flight:,.0f} messages of a queue in flight, and {total:,.0f} are: "
            "divide the inventory into several stacks"
        )


def _time(fleet: Sequence[DeviceGroup], deployment: Deployment) -> Iterable[str]:
    devices = sum(group.number for group in fleet)
    runs = (
        ("FanoutTimeoutSeconds", deployment.fanout_timeout, fanout_seconds(devices, deployment)),
        ("StatusTimeoutSeconds", deployment.decision_timeout, decision_seconds(devices, deployment)),
    )
    for parameter, limit, seconds in runs:
        if seconds > limit:
            yield (
                f"{parameter} is {limit}, and a run takes {seconds:,.0f} s: divide the inventory into "
                "several stacks"
            )


def _with_room(needed: float) -> int:
    """Return the number plus a tenth, rounded up to tens."""
    return ceil(needed * 1.1 / 10) * 10
