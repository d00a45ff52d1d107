"""What to choose for a fleet, and what it costs a month at AWS: prints the tables of docs/deploying.md.

List prices of us-east-1, arm64. What a poll takes is what the benchmarks named below measured, on x86-64. How
SQS's event source gathers batches is assumed on the dear side: five pollers, each of which waits out its
window. Run it with `python benchmarks/monthly_cost.py`.
"""

from math import ceil
from typing import NamedTuple

HOURS = 730
SECONDS = HOURS * 3600
GB_SECOND, INVOCATION, SQS_REQUEST = 0.0000133334, 0.20e-6, 0.40e-6
NAT_HOUR, NAT_GB, SECRET = 0.045, 0.045, 0.40
WHOLE_PROCESSOR_MB = 1769

# benchmarks/collector_invocation.py: CPU of a poll; how long a device 50 ms away takes, and a silent one.
STATUS_CPU, METRICS_CPU = 0.0006, 0.0056
STATUS_WAIT, METRICS_WAIT, SILENT_WAIT = 0.3, 0.45, 6.1
STORING = 0.2
"""An invocation's writes to InfluxDB and PostgreSQL, some round trips."""
# benchmarks/fan_out.py: CPU for two jobs of each of 10,000 devices, with one and with ten jobs a message.
FANOUT_CPU = {1: 3.4, 10: 0.81}
FANOUT_WAIT = {1: 5.1, 10: 2.2}
# benchmarks/update_status.py: CPU for 10,000 devices of which few change.
STATUS_RUN_CPU = 0.2
# A status poll gives 3 points, one of a switch with 24 ports 202; in gzip a line takes 14 octets.
STATUS_OCTETS, METRICS_OCTETS, JOB_OCTETS = 3 * 14, 202 * 14, 1024
POLLERS = 5
SILENT_SHARE = 0.01


class Queue(NamedTuple):
    """What to choose for one of the two job queues."""

    batch: int
    window: int
    concurrency: int


class Fleet(NamedTuple):
    """What to choose for so many devices; everything else as the template has it."""

    devices: int
    jobs_per_message: int
    fanout_mb: int
    status: Queue
    metrics: Queue


FLEETS = (
    Fleet(100, 1, 512, Queue(100, 5, 5), Queue(50, 30, 5)),
    Fleet(1_000, 1, 512, Queue(100, 5, 10), Queue(50, 10, 10)),
    Fleet(10_000, 10, 512, Queue(50, 5, 20), Queue(20, 10, 20)),
    Fleet(100_000, 10, 1769, Queue(100, 5, 60), Queue(50, 10, 40)),
)


class Collecting(NamedTuple):
    """One of the collectors, for a month."""

    jobs: float
    """In one invocation."""
    invocations: float
    seconds: float
    """Of one invocation."""
    concurrency: float
    dollars: float
    requests: float
    """Billed by SQS: sent, received, deleted, each by 64 KiB."""


def collecting(fleet: Fleet, kind: str, silent_share: float) -> Collecting:
    queue, interval, mb, cpu, wait = (
        (fleet.status, 30, 512, STATUS_CPU, STATUS_WAIT)
        if kind == "status"
        else (fleet.metrics, 300, 1024, METRICS_CPU, METRICS_WAIT)
    )
    rate = fleet.devices / interval
    jobs = min(queue.batch * fleet.jobs_per_message, max(rate * queue.window / POLLERS, 1))
    invocations = rate * SECONDS / jobs
    one_is_silent = 1 - (1 - silent_share) ** jobs
    waiting = wait + one_is_silent * (SILENT_WAIT - wait)
    seconds = waiting + jobs * cpu / min(mb / WHOLE_PROCESSOR_MB, 1) + STORING
    messages = rate * SECONDS / fleet.jobs_per_message
    units = ceil(10 * fleet.jobs_per_message * JOB_OCTETS / 65_536)
    taken = ceil(jobs / fleet.jobs_per_message / 10) * (1 + units) * invocations
    return Collecting(
        jobs,
        invocations,
        seconds,
        invocations * seconds / SECONDS,
        invocations * (seconds * mb / 1024 * GB_SECOND + INVOCATION),
        messages / 10 * units + taken,
    )


def fan_out_seconds(fleet: Fleet) -> float:
    """Of a tick of the status schedule: two jobs for each device."""
    size, kind = fleet.devices / 10_000, fleet.jobs_per_message
    return size * max(FANOUT_CPU[kind] / min(fleet.fanout_mb / WHOLE_PROCESSOR_MB, 1), FANOUT_WAIT[kind])


class Month(NamedTuple):
    """In dollars."""

    collectors: float
    others: float
    sqs: float
    nat: float
    secrets: float


def month(fleet: Fleet, silent_share: float) -> Month:
    both = [collecting(fleet, kind, silent_share) for kind in ("status", "metrics")]
    fan_out = fan_out_seconds(fleet) * fleet.fanout_mb / 1024 * (SECONDS / 60 + SECONDS / 300 / 2)
    deciding = (0.3 + fleet.devices / 10_000 * STATUS_RUN_CPU / (512 / WHOLE_PROCESSOR_MB)) / 2 * SECONDS / 60
    idle = 3 * POLLERS * SECONDS / 20
    octets = fleet.devices * SECONDS * (STATUS_OCTETS / 30 + METRICS_OCTETS / 300)
    return Month(
        sum(each.dollars for each in both),
        (fan_out + deciding) * GB_SECOND + 2.2 * SECONDS / 60 * INVOCATION,
        (sum(each.requests for each in both) + idle) * SQS_REQUEST,
        HOURS * NAT_HOUR + octets / 1e9 * NAT_GB,
        3 * SECRET,
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def parameters() -> str:
    chosen = [
        {
            "`JobsPerMessage`": fleet.jobs_per_message,
            "`StatusBatchSize`": fleet.status.batch,
            "`StatusBatchWindowSeconds`": fleet.status.window,
            "`StatusConcurrency`": fleet.status.concurrency,
            "`MetricsBatchSize`": fleet.metrics.batch,
            "`MetricsBatchWindowSeconds`": fleet.metrics.window,
            "`MetricsConcurrency`": fleet.metrics.concurrency,
            "`FanoutMemoryMb`": fleet.fanout_mb,
            "status collectors at once": _needed(fleet, "status"),
            "metrics collectors at once": _needed(fleet, "metrics"),
            "fan-out takes": f"{fan_out_seconds(fleet):.1f} s",
        }
        for fleet in FLEETS
    ]
    return table(
        ["devices", *(f"{fleet.devices:,}" for fleet in FLEETS)],
        [[name, *(str(each[name]) for each in chosen)] for name in chosen[0]],
    )


def _needed(fleet: Fleet, kind: str) -> str:
    return f"{collecting(fleet, kind, SILENT_SHARE).concurrency:.1f}"


def costs() -> str:
    columns = [_column(fleet, share) for fleet in FLEETS for share in (0.0, SILENT_SHARE)]
    heads = [f"{fleet.devices:,}, {head}" for fleet in FLEETS for head in ("all answer", "1 % silent")]
    return table(["US$ a month", *heads], [[name, *(each[name] for each in columns)] for name in columns[0]])


def _column(fleet: Fleet, silent_share: float) -> dict[str, str]:
    found = month(fleet, silent_share)
    return {
        "collectors": f"{found.collectors:,.0f}",
        "fan-out, status": f"{found.others:,.1f}",
        "SQS": f"{found.sqs:,.0f}",
        "one NAT gateway": f"{found.nat:,.0f}",
        "three secrets": f"{found.secrets:.1f}",
        "**together**": f"**{sum(found):,.0f}**",
        "a device": f"{sum(found) / fleet.devices:.3f}",
    }


if __name__ == "__main__":
    print(parameters(), costs(), sep="\n\n")
