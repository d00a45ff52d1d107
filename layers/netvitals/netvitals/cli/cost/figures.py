"""Figures that costs follow from: what was measured of netvitals, and what the template deploys.

Measured on x86-64, on two shared cores; Lambda's arm64 is taken to be as fast. Each figure names the program
that gives it. tests/template/test_cost.py compares the rest with the template and the functions.
"""

from typing import NamedTuple

WHOLE_PROCESSOR_MB = 1769
"""With so much memory Lambda gives a function a whole processor, with less a share of it."""


class Protocol(NamedTuple):
    """Seconds that a poll of one device takes: of a processor, and of waiting for a device 50 ms away."""

    status_cpu: float
    status_wait: float
    metrics_cpu: float
    port_cpu: float
    """More of it for each interface."""
    metrics_wait: float


PROTOCOLS = {
    "snmp": Protocol(0.0006, 0.15, 0.0010, 0.000075, 0.35),  # benchmarks/collector_handler.py
    "ssh": Protocol(0.0006, 0.15, 0.009, 0.00001, 1.5),  # benchmarks/ssh_collector.py
    "winrm": Protocol(0.0006, 0.15, 0.012, 0.00001, 1.0),  # benchmarks/winrm_collector.py
    "ping": Protocol(0.0004, 0.15, 0.0006, 0.0, 0.15),
}
"""By the first protocol of a device; `ping` where it has none."""
DEAREST = max(PROTOCOLS.values(), key=lambda each: each.metrics_cpu)

# benchmarks/collector_handler.py
INVOCATION_CPU = 0.010
"""Of a collector's invocation, besides its devices."""
STORE_WAIT = 0.15
"""Of an invocation, for reading what is known, for InfluxDB, and for recording."""
SILENT_CPU, SILENT_WAIT = 0.0008, 3.05
"""A device known to be silent is tried twice."""
FAILED_WAIT = 6.3
"""A device that is not known to be silent, and does not answer."""
COMPRESSED = 0.10
"""Of line protocol, what goes over the line."""
REQUEST_BYTES = 1500
"""Of one request to a service over TLS, and its answer, besides what they carry."""
LOST_REQUESTS, LOST_WAIT, METRICS_REQUESTS = 0.0001, 2.0, 20
"""One request in ten thousand is lost and repeated after two seconds, for which the whole bundle waits."""

POSTGRES_COLLECTOR = {"status": (6700, 167), "metrics": (8000, 2200)}
"""Bytes to and from PostgreSQL: of a collector's invocation, and of each device in it."""
POSTGRES_PORT = 50
"""Bytes of the samples of one interface, read and written with each metrics poll."""
POSTGRES_FANOUT, POSTGRES_DECISION = 197, 300
"""Bytes of a device in a run of fan-out, and of the status function."""

# benchmarks/fan_out.py, benchmarks/update_status.py: a run, and each device in it
FANOUT_CPU, FANOUT_DEVICE_CPU, FANOUT_WAIT = 0.03, 0.000034, 0.15
DECISION_CPU, DECISION_DEVICE_CPU, DECISION_WAIT = 0.02, 0.000023, 0.10
CHUNK_DEVICES, CHUNK_WAIT = 1000, 0.03
"""PostgreSQL takes so long to give a chunk of devices."""
JOB_BYTES, MESSAGE_BYTES = 32, 400
"""Of a job in a message, deflated, and of the message besides."""

# Sizes of what emit() writes, and of Lambda's own start and report lines.
PLATFORM_LOG, EMF_LOG, REASON_LOG, WARNING_LOG = 600, 520, 290, 400
FANOUT_LOG, DECISION_LOG = 460, 1200
LOG_COMPRESSED = 0.15

RENEWALS_AN_HOUR = 12
"""Of each secret by each process."""
SECRETS = {"collector": 3, "fanout": 1, "status": 2}
POLLERS, POLLED_QUEUES, LONG_POLL_SECONDS = 5, 3, 20
"""Lambda asks each queue with so many pollers at least, which wait so long for a message."""
SCHEDULES, TICK_SECONDS = 3, 60
SNAPSHOT_SECONDS = 900
CHANGES_A_MONTH = 4
"""Of the status of one device."""

ALARM_METRICS = 29
"""Metrics that the template's alarms look at."""
DASHBOARDS = 1
"""An account's first three are free; the bill counts this one all the same."""
ENDPOINTS, ZONES = 5, 2
"""Interface endpoints that stand in for NAT: Secrets Manager, SQS, Systems Manager, EventBridge, SNS."""

STATUS_BYTES_SENT, METRICS_BYTES_SENT, PORT_BYTES_SENT = 250, 1200, 55
"""To a device, in IP packets, with each poll; and for each of its interfaces."""


class Emitted(NamedTuple):
    """Custom metrics of a function."""

    function: str
    series: int
    """Of each name, one for each value of the dimensions."""
    always: tuple[str, ...] = ()
    with_silence: tuple[str, ...] = ()
    """Written where devices do not answer."""
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
