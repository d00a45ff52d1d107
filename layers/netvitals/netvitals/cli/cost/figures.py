"""State the figures that costs are computed from: measurements of netvitals, and what the template deploys.

Measured on x86-64, on two shared cores; Lambda's arm64 is taken to be as fast. Each figure names the program
that gives it. tests/template/test_cost.py compares the rest with the template and the functions.
"""

from typing import NamedTuple

WHOLE_PROCESSOR_MB = 1769
"""Memory in MB at which a function gets one whole processor; less memory gets a proportional share."""


class PollSeconds(NamedTuple):
    """Seconds of one device's poll: of processor time, and of waiting for a device 50 ms away."""

    status_cpu: float
    status_wait: float
    metrics_cpu: float
    port_cpu: float
    """Added to `metrics_cpu` for each interface."""
    metrics_wait: float


PROTOCOLS = {
    "snmp": PollSeconds(0.0006, 0.15, 0.0010, 0.000075, 0.35),  # benchmarks/collector_handler.py
    "ssh": PollSeconds(0.0006, 0.15, 0.009, 0.00001, 1.5),  # benchmarks/ssh_collector.py
    "winrm": PollSeconds(0.0006, 0.15, 0.012, 0.00001, 1.0),  # benchmarks/winrm_collector.py
    "ping": PollSeconds(0.0004, 0.15, 0.0006, 0.0, 0.15),
}
"""Figures by the first protocol of a device; `ping` where it has none."""
DEAREST = max(PROTOCOLS.values(), key=lambda each: each.metrics_cpu)

# benchmarks/collector_handler.py
INVOCATION_CPU = 0.010
"""Processor seconds of a collector's invocation, without those of its devices."""
STORE_WAIT = 0.15
"""Seconds that an invocation waits for PostgreSQL (read and record) and for InfluxDB."""
SILENT_CPU, SILENT_WAIT = 0.0008, 3.05
"""Seconds for a device that is known to be silent, which is tried twice."""
FAILED_WAIT = 6.3
"""Seconds of waiting for a device that does not answer and is not known to be silent."""
COMPRESSED = 0.10
"""Share of the bytes of line protocol that is left after compression."""
REQUEST_BYTES = 1500
"""Bytes of one request to a service over TLS and its answer, without their bodies."""
LOST_REQUESTS, LOST_WAIT, METRICS_REQUESTS = 0.0001, 2.0, 20
"""Share of lost requests, seconds until one is repeated (the bundle waits), requests of a metrics poll."""

POSTGRES_COLLECTOR = {"status": (6700, 167), "metrics": (8000, 2200)}
"""Bytes to and from PostgreSQL: per invocation of a collector, and per device in it."""
POSTGRES_PORT = 50
"""Bytes of the samples of one interface, read and written with each metrics poll."""
POSTGRES_FANOUT, POSTGRES_DECISION = 197, 300
"""Bytes read from PostgreSQL for each device in a run of fan-out, and of the status function."""

# benchmarks/fan_out.py, benchmarks/update_status.py: a run, and each device in it
FANOUT_CPU, FANOUT_DEVICE_CPU, FANOUT_WAIT = 0.03, 0.000034, 0.15
DECISION_CPU, DECISION_DEVICE_CPU, DECISION_WAIT = 0.02, 0.000023, 0.10
CHUNK_DEVICES, CHUNK_WAIT = 1000, 0.03
"""Devices in a chunk of the inventory, and the seconds that PostgreSQL takes to return one."""
JOB_BYTES, MESSAGE_BYTES = 32, 400
"""Bytes of one job in a message, deflated, and of the rest of the message."""

# Sizes of what emit() writes, and of Lambda's own start and report lines.
PLATFORM_LOG, EMF_LOG, REASON_LOG, WARNING_LOG = 600, 520, 290, 400
FANOUT_LOG, DECISION_LOG = 460, 1200
LOG_COMPRESSED = 0.15

RENEWALS_AN_HOUR = 12
"""Reads of each secret by each process."""
SECRETS = {"collector": 3, "fanout": 1, "status": 2}
POLLERS, POLLED_QUEUES, LONG_POLL_SECONDS = 5, 3, 20
"""Pollers that Lambda has for each queue at least, the queues, and the seconds of one long poll."""
SCHEDULES, TICK_SECONDS = 3, 60
SNAPSHOT_SECONDS = 900
CHANGES_A_MONTH = 4
"""Changes of status of one device."""

ALARM_METRICS = 29
"""Metrics that the template's alarms evaluate."""
DASHBOARDS = 1
"""CloudWatch dashboards; the first three of an account are free, and this one is counted all the same."""
ENDPOINTS, ZONES = 5, 2
"""Interface endpoints in place of NAT (Secrets Manager, SQS, SSM, EventBridge, SNS), and zones."""

STATUS_BYTES_SENT, METRICS_BYTES_SENT, PORT_BYTES_SENT = 250, 1200, 55
"""Bytes sent to a device in IP packets with each poll, and with a metrics poll for each interface."""


class Emitted(NamedTuple):
    """Counts the custom metrics of a function."""

    function: str
    series: int
    """Time series of each name: one for each combination of values of its dimensions."""
    always: tuple[str, ...] = ()
    with_silence: tuple[str, ...] = ()
    """Names that are written only where devices do not answer."""
    in_trouble: tuple[str, ...] = ()


EMITTED = (
    Emitted(
        "fanout",
        2,  # kinds of ticks
        ("DevicesRead", "JobsSent"),
        ("DevicesSilent",),
        ("RowsRejected", "JobsLate", "DevicesOverdue", "Paused"),
    ),
    Emitted(
        "collector",
        2,  # two functions
        ("DevicesPolled", "PointsWritten", "PollSeconds", "PointsHeld"),
        ("DevicesUnreachable",),
        (
            *("LinesSpooled", "LinesRefused", "PointsInvalid", "InstancesRefused"),
            *("ObservationsSpooled", "JobsExpired", "JobsRepeated", "JobsRejected", "JobsFailed"),
        ),
    ),
    Emitted("collector", 2 * 4, with_silence=("PollsIncomplete",)),  # reasons that occur all the time
    Emitted(
        "status",
        1,
        ("DevicesJudged",),
        ("StatusChanged", "StatusAnnounced"),
        ("SitesLost", "CollectorSilent", "RowsRejected", "Unpublished", "AnnouncementWaitSeconds"),
    ),
    Emitted("status", 3, ("Devices",)),  # online, offline, unknown
    Emitted(
        "replay",
        1,
        in_trouble=(
            *("PointsReplayed", "LinesRefused", "ObservationsReplayed"),
            *("SpoolMessagesUnreadable", "SpoolMessagesKept"),
        ),
    ),
    Emitted("observability", 5, in_trouble=("Failures",)),  # functions
)
