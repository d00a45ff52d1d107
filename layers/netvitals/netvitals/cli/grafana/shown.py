"""Describe how each metric is shown: title, unit, thresholds.

A metric of `METRICS` without a line here is shown too, among the other metrics of a device.
"""

from collections.abc import Iterator, Mapping

import msgspec

from netvitals.domain.polling.metrics import METRICS, VITALS, MetricSpec


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Presentation of a metric; defaults follow from its `MetricSpec`."""

    title: str = ""
    unit: str = ""
    """Grafana's name of the unit; for a counter, the unit of its rate."""
    warning: float | None = None
    critical: float | None = None
    """Lowest value that is critical."""
    scale: float = 1
    """Factor of a rate: 8 converts bytes to bits."""


UNITS: Mapping[str, str] = {
    "percent": "percent",
    "bytes": "bytes",
    "seconds": "s",
    "milliseconds": "ms",
    "degrees Celsius": "celsius",
    "bits per second": "bps",
    "revolutions per minute": "rotrpm",
    "watts": "watt",
    "packets": "pps",
}
"""Grafana's units by those of `METRICS`; others are shown as plain numbers."""

SHOWN: Mapping[str, Shown] = {
    "cpu_percent": Shown(warning=80, critical=90),
    "memory_percent": Shown(warning=85, critical=95),
    "temperature_celsius": Shown(warning=65, critical=75),
    "disk_percent": Shown(warning=85, critical=95),
    "ping_rtt_ms": Shown(title="Round-trip time", warning=200, critical=500),
    "ping_loss_percent": Shown(title="Packet loss", warning=5, critical=20),
    "uptime_seconds": Shown(title="Uptime", unit="dtdurations"),
    "net_bytes_in": Shown(title="In", unit="bps", scale=8),
    "net_bytes_out": Shown(title="Out", unit="bps", scale=8),
    "net_errors_in": Shown(title="Errors in", warning=0.1, critical=1),
    "net_errors_out": Shown(title="Errors out", warning=0.1, critical=1),
    "net_discards_in": Shown(title="Discards in", warning=1, critical=10),
    "net_discards_out": Shown(title="Discards out", warning=1, critical=10),
    "net_speed_bps": Shown(title="Speed"),
    "collect_ok": Shown(title="Polls complete"),
    "collect_duration_ms": Shown(title="Duration of a poll", warning=10_000, critical=30_000),
}
"""Presentation by metric."""


_TITLES = {vital.metric: vital.title for vital in VITALS.values()}


class PanelMetric(msgspec.Struct, frozen=True):
    """Properties of a metric that a panel needs."""

    metric: str = ""
    """Name of the metric; empty for a figure that is none, such as a count of devices."""
    title: str = ""
    unit: str = "short"
    """Grafana's name of the unit."""
    kind: str = "measure"
    minimum: float | None = 0
    maximum: float | None = None
    warning: float | None = None
    critical: float | None = None
    scale: float = 1
    states: Mapping[int, str] = {}


def shape(metric: str, specs: Mapping[str, MetricSpec] = METRICS) -> PanelMetric:
    """Return the shape of a metric of `specs`."""
    spec, shown = specs[metric], SHOWN.get(metric, Shown())
    return PanelMetric(
        metric=metric,
        title=shown.title or _TITLES.get(metric) or metric.replace("_", " ").capitalize(),
        unit=shown.unit or UNITS.get(spec.unit, "short"),
        kind=spec.kind,
        minimum=spec.minimum if spec.minimum == 0 else None,
        maximum=spec.maximum if spec.unit == "percent" else None,
        warning=shown.warning,
        critical=shown.critical,
        scale=shown.scale,
        states=spec.states,
    )


def others(placed: frozenset[str], specs: Mapping[str, MetricSpec] = METRICS) -> Iterator[PanelMetric]:
    """Return the shapes of the metrics that have no panel of their own, in the order of `specs`."""
    return (shape(metric, specs) for metric in specs if metric not in placed)
