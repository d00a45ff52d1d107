"""Compute the monthly cost of a fleet: AWS by item, and InfluxDB's data in.

The model counts what the functions do: invocations and their seconds, requests, bytes, lines of log.
"""

from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Literal, NamedTuple, get_args

import msgspec

from netvitals.cli.cost import figures, lines
from netvitals.cli.cost.invocations import HOURS, KINDS, SECONDS, DeviceGroup, collected, peak, share
from netvitals.cli.cost.prices import Prices
from netvitals.domain.polling.job import Kind

TICKS = SECONDS / figures.TICK_SECONDS
_MB, _GB = 1e6, 1e9

Nat = Literal["gateway", "instance", "endpoints", "none"]
Outside = Literal["postgresql", "influxdb", "devices"]
NAT: tuple[Nat, ...] = get_args(Nat)
OUTSIDE: tuple[Outside, ...] = get_args(Outside)


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of a deployment; the defaults are the template's."""

    status_mb: int = 256
    metrics_mb: int = 512
    fanout_mb: int = 1769
    decision_mb: int = 512
    status_concurrency: int = 20
    metrics_concurrency: int = 20
    fanout_timeout: int = 60
    decision_timeout: int = 60
    everything: bool = False
    """`store: everything`: no point is held back."""
    heartbeat_seconds: int = 300
    nat: Nat = "gateway"
    outside: frozenset[Outside] = frozenset()
    """Services that are reached over the internet or a VPN."""

    def memory_mb(self, kind: Kind) -> int:
        return self.status_mb if kind == "status" else self.metrics_mb

    def concurrency(self, kind: Kind) -> int:
        return self.status_concurrency if kind == "status" else self.metrics_concurrency


class Item(NamedTuple):
    """One line of the bill."""

    name: str
    usd: float
    of: str = ""
    """Components of the item, for a person."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Cost in US$ a month."""

    aws: list[Item]
    influxdb: list[Item]
    devices: int
    influxdb_mb: float

    @property
    def aws_usd(self) -> float:
        return sum(item.usd for item in self.aws)

    @property
    def influxdb_usd(self) -> float:
        return sum(item.usd for item in self.influxdb)

    @property
    def total_usd(self) -> float:
        return self.aws_usd + self.influxdb_usd

    @property
    def influxdb_mb_per_device(self) -> float:
        return self.influxdb_mb / self.devices


def cost_of(fleet: Sequence[DeviceGroup], deployment: Deployment, prices: Prices) -> Cost:
    """Return the monthly cost of a fleet of at least one device."""
    model = _Model(fleet, deployment, prices)
    mb = lines_of(fleet, deployment) * SECONDS / _MB
    return Cost(
        aws=[*model.functions(), model.sqs(), *model.network(), *model.cloudwatch(), *model.others()],
        influxdb=[Item("InfluxDB data in", mb * prices.influxdb_mb_in, f"{mb:,.0f} MB")],
        devices=sum(group.number for group in fleet),
        influxdb_mb=mb,
    )


def lines_of(fleet: Sequence[DeviceGroup], deployment: Deployment) -> float:
    """Return the bytes of line protocol that a fleet writes in a second."""
    total, everything = 0.0, deployment.everything
    for group in fleet:
        polled = lines.metrics_lines(
            group.ports, group.used, group.measures, group.metrics_interval, everything=everything
        )
        checked = lines.status_lines(group.status_interval, everything=everything)
        silent = [lines.silent_lines(group.interval(kind)) for kind in KINDS]
        one = (1 - group.silent) * (polled + checked) + group.silent * sum(silent)
        total += group.number * (one + lines.heartbeat_lines(deployment.heartbeat_seconds))
    return total


def custom_metrics(*, silent: bool) -> int:
    """Return how many metrics CloudWatch bills in good order; `silent`: some devices do not answer."""
    return sum(each.series * (len(each.always) + silent * len(each.with_silence)) for each in figures.EMITTED)


def fanout_seconds(devices: int, deployment: Deployment) -> float:
    """Return the seconds of one tick of fan-out, status or metrics: both read all devices."""
    cpu = figures.FANOUT_CPU + devices * figures.FANOUT_DEVICE_CPU
    return cpu / share(deployment.fanout_mb) + figures.FANOUT_WAIT + _chunks(devices)


def decision_seconds(devices: int, deployment: Deployment) -> float:
    """Return the seconds of a run of the status function in which few devices change."""
    cpu = figures.DECISION_CPU + devices * figures.DECISION_DEVICE_CPU
    return cpu / share(deployment.decision_mb) + figures.DECISION_WAIT + _chunks(devices)


def _chunks(devices: int) -> float:
    return ceil(devices / figures.CHUNK_DEVICES) * figures.CHUNK_WAIT


class _Model:
    def __init__(self, fleet: Sequence[DeviceGroup], deployment: Deployment, prices: Prices) -> None:
        self._fleet, self._deployment, self._prices = fleet, deployment, prices
        self._devices = sum(group.number for group in fleet)
        self._collected = {kind: collected(fleet, kind, deployment.memory_mb(kind)) for kind in KINDS}
        every = [each for groups in self._collected.values() for each in groups]
        self._messages = sum(each.number for each in every)
        self._jobs = sum(each.number * each.jobs for each in every)
        self._silent_messages = sum(each.number for each in every if each.silent)

    def functions(self) -> Iterable[Item]:
        for kind, groups in self._collected.items():
            number = sum(each.number for each in groups)
            seconds = sum(each.number * each.seconds for each in groups) / number
            yield self._run(f"{kind} collectors", number, seconds, self._deployment.memory_mb(kind))
        seconds = fanout_seconds(self._devices, self._deployment)
        yield self._run("fan-out", 2 * TICKS, seconds, self._deployment.fanout_mb)
        seconds = decision_seconds(self._devices, self._deployment)
        yield self._run("status function", TICKS, seconds, self._deployment.decision_mb)
        yield Item("replay", 0.0, "nothing, while InfluxDB accepts every write")

    def _run(self, name: str, number: float, seconds: float, memory_mb: int) -> Item:
        gb_seconds = number * seconds * memory_mb / 1024
        usd = gb_seconds * self._prices.lambda_gb_second + number * self._prices.lambda_request
        return Item(name, usd, f"{_short(number)} invocations of {seconds:.2f} s at {memory_mb} MB")

    def sqs(self) -> Item:
        """Return SQS's cost: sends in batches of ten, receives and deletes one by one, and idle pollers."""
        full = max(self._messages / 10, self._message_bytes() / 65_536)
        sends = max(full, min(self._messages, 2 * TICKS))
        idle = figures.POLLERS * figures.POLLED_QUEUES * SECONDS / figures.LONG_POLL_SECONDS
        requests = sends + 2 * self._messages + idle
        return Item("SQS", requests * self._prices.sqs_request, f"{_short(requests)} requests")

    def _message_bytes(self) -> float:
        return self._jobs * figures.JOB_BYTES + self._messages * figures.MESSAGE_BYTES

    def network(self) -> Iterable[Item]:
        prices, outside = self._prices, self._deployment.outside
        points = lines_of(self._fleet, self._deployment) * SECONDS * figures.COMPRESSED
        points += self._messages * figures.REQUEST_BYTES
        services = self._message_bytes() + self._secret_reads() * 4 * figures.REQUEST_BYTES
        # Fan-out and the status function only read; collectors send as much as they read.
        read, exchanged = self._postgres_bytes()
        postgres = read + exchanged
        through = points + services + (postgres if "postgresql" in outside else 0)
        yield from self._nat(through / _GB, services / _GB)
        if "postgresql" in outside:
            yield _traffic("PostgreSQL", exchanged / 2, prices.egress_gb, "sent, NAT apart")
        else:  # half of it between two zones, billed in both directions
            yield _traffic("PostgreSQL", postgres, prices.zone_gb)
        yield _traffic("InfluxDB", points, prices.egress_gb if "influxdb" in outside else 0.0)
        packets = self._device_bytes()
        yield _traffic("devices", packets, prices.egress_gb if "devices" in outside else 0.0, "sent")

    def _nat(self, through_gb: float, services_gb: float) -> Iterable[Item]:
        prices = self._prices
        match self._deployment.nat:
            case "gateway":
                yield Item("NAT gateway", HOURS * (prices.nat_gateway_hour + prices.public_ipv4_hour), "one")
                yield Item("NAT data", through_gb * prices.nat_gateway_gb, f"{through_gb:,.0f} GB")
            case "instance":
                yield Item(
                    "NAT instance", HOURS * (prices.nat_instance_hour + prices.public_ipv4_hour), "one"
                )
            case "endpoints":
                number = figures.ENDPOINTS * figures.ZONES
                yield Item("interface endpoints", number * HOURS * prices.endpoint_hour, f"{number}")
                yield Item("endpoint data", services_gb * prices.endpoint_gb, f"{services_gb:,.0f} GB")
            case "none":
                yield Item("NAT gateway", 0.0, "none")

    def _postgres_bytes(self) -> tuple[float, float]:
        """Return the bytes that ticks read from PostgreSQL, and the bytes that collectors send and read."""
        read = TICKS * self._devices * (2 * figures.POSTGRES_FANOUT + figures.POSTGRES_DECISION)
        exchanged = self._polls("metrics", lambda group: group.ports * figures.POSTGRES_PORT)
        for kind, groups in self._collected.items():
            fixed, device = figures.POSTGRES_COLLECTOR[kind]
            exchanged += sum(each.number * (fixed + each.jobs * device) for each in groups)
        return read, exchanged

    def _device_bytes(self) -> float:
        """Return the bytes of the packets that are sent to devices."""
        checks = self._polls("status", lambda _: figures.STATUS_BYTES_SENT)
        return checks + self._polls(
            "metrics", lambda group: figures.METRICS_BYTES_SENT + group.ports * figures.PORT_BYTES_SENT
        )

    def _polls(self, kind: Kind, what: Callable[[DeviceGroup], float]) -> float:
        """Return the sum of `what` over a month's polls."""
        return sum(group.number * SECONDS / group.interval(kind) * what(group) for group in self._fleet)

    def cloudwatch(self) -> Iterable[Item]:
        prices = self._prices
        number = custom_metrics(silent=self._silent_messages > 0)
        yield Item("CloudWatch metrics", number * prices.metric_month, f"{number} custom metrics")
        usd = figures.ALARM_METRICS * prices.alarm_month
        yield Item("CloudWatch alarms", usd, f"on {figures.ALARM_METRICS} metrics")
        yield Item(
            "CloudWatch dashboard", figures.DASHBOARDS * prices.dashboard_month, "the first three are free"
        )
        gb = self._log_bytes() / _GB
        usd = gb * (prices.log_gb + figures.LOG_COMPRESSED * prices.log_storage_gb_month)
        yield Item("CloudWatch logs", usd, f"{gb:,.1f} GB")

    def _log_bytes(self) -> float:
        total = self._messages * (figures.PLATFORM_LOG + figures.EMF_LOG)
        total += self._silent_messages * figures.REASON_LOG
        total += self._polls("metrics", lambda group: group.silent * figures.WARNING_LOG)
        ticks = 2 * figures.FANOUT_LOG + figures.DECISION_LOG + 3 * figures.PLATFORM_LOG
        return total + TICKS * ticks

    def others(self) -> Iterable[Item]:
        prices, reads = self._prices, self._secret_reads()
        usd = 3 * prices.secret_month + reads * prices.secret_read
        yield Item("secrets", usd, f"3, read {_short(reads)} times")
        invocations = figures.SCHEDULES * TICKS
        yield Item("Scheduler", invocations * prices.scheduler_invocation, f"{_short(invocations)} ticks")
        changed, copies = self._devices * figures.CHANGES_A_MONTH, 2 * SECONDS / figures.SNAPSHOT_SECONDS
        usd = changed * prices.event + copies * prices.s3_put
        yield Item(
            "events and S3", usd, f"{_short(changed)} changes, {_short(copies)} copies of the inventory"
        )

    def _secret_reads(self) -> float:
        processes = sum(map(peak, self._collected.values())) * figures.SECRETS["collector"]
        processes += 2 * figures.SECRETS["fanout"] + figures.SECRETS["status"]
        return processes * figures.RENEWALS_AN_HOUR * HOURS


def _traffic(peer: str, number: float, usd_per_gb: float, what: str = "NAT apart") -> Item:
    return Item(f"traffic to {peer}", number / _GB * usd_per_gb, f"{number / _GB:,.0f} GB, {what}")


def _short(number: float) -> str:
    for unit, size in (("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number:,.0f}"
