"""List every metric that is stored. A vital sign is a row of `VITALS`: nothing else in the code knows it."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

ABSOLUTE_ZERO_CELSIUS = -273.15


class MetricSpec(msgspec.Struct, frozen=True):
    """Specification of a metric's values; it never changes, as stored values can't be mended."""

    kind: Literal["measure", "counter", "state"]
    """Kind of number: counters and states are whole numbers; a counter goes up to 2^64 - 1."""
    unit: str
    minimum: float | None = None
    maximum: float | None = None
    every_poll: bool = False
    """True where it is written with each poll, whether it moved or not."""
    deadband: float = 0
    """Difference from the value written last, in the metric's unit, up to which a value counts as
    unchanged."""
    deadband_percent: float = 0
    """Difference from the value written last, in percent of that, up to which a value counts as unchanged."""
    states: Mapping[int, str] = {}
    """Words for the values of a state; empty for other metrics."""


Whole = Literal["average", "maximum", "sum", "first", "largest", "none"]
"""Ways in which the rows of one device make the number of the whole device; `none`: they do not."""


class Vital(msgspec.Struct, frozen=True, kw_only=True):
    """A vital sign: what it is stored as, which values are possible, and how a device's rows combine."""

    title: str
    metric: str
    unit: str = "percent"
    symbol: str = "%"
    """Symbol of the unit, to be written behind a number."""
    minimum: float = 0
    maximum: float = 100
    """Largest possible value; one outside of the two was not measured, and the next source is asked."""
    states: Mapping[int, str] = {}
    """Words for the values of a state; empty for other metrics."""
    amounts: str | None = None
    """Name that `…_used_bytes` and `…_total_bytes` begin with, where the metric is a share of bytes."""
    combine: Literal["first", "all"] = "first"
    """Sources to use: the first that gives anything, or all of them."""
    whole: Whole = "none"
    parts: bool = True
    """True where each row is stored under its name, not only the whole device's number."""
    besides: bool = False
    """True where the standard MIBs are asked beside the vendor's, not only in their stead: sensors are in
    several places."""
    every_poll: bool = False
    """True where it is written with each poll, whether it moved or not; else the deadbands of `MetricSpec`
    hold."""
    deadband: float = 0
    deadband_percent: float = 0
    collected: bool = True
    """True where it is collected unless the setting `vitals` says otherwise."""

    def metrics(self) -> Iterator[tuple[str, MetricSpec]]:
        yield (
            self.metric,
            MetricSpec(
                kind="state" if self.states else "measure",
                unit=self.unit,
                minimum=self.minimum,
                maximum=self.maximum,
                every_poll=self.every_poll,
                deadband=self.deadband,
                deadband_percent=self.deadband_percent,
                states=self.states,
            ),
        )
        if self.amounts:
            yield f"{self.amounts}_used_bytes", _BYTES
            yield f"{self.amounts}_total_bytes", _BYTES


_STATES = {1: "ok", 2: "warning", 3: "failed", 4: "off"}
"""States of a part that is there; `off` is switched off, or without current. One that is absent has no
state."""
_STATES_UNIT = ", ".join(f"{number} {word}" for number, word in _STATES.items())
_PERCENT = MetricSpec("measure", "percent", 0, 100, every_poll=True)
_BYTES = MetricSpec("measure", "bytes", 0)
_PACKETS = MetricSpec("counter", "packets", 0)

VITALS: Mapping[str, Vital] = {
    "cpu": Vital(title="CPU", metric="cpu_percent", whole="average", every_poll=True),
    "memory": Vital(
        title="Memory", metric="memory_percent", amounts="memory", whole="largest", every_poll=True
    ),
    "temperature": Vital(
        title="Temperature",
        metric="temperature_celsius",
        unit="degrees Celsius",
        symbol="°C",
        minimum=ABSOLUTE_ZERO_CELSIUS,
        maximum=1000,
        combine="all",
        besides=True,
        every_poll=True,
    ),
    "disk": Vital(title="Disk", metric="disk_percent", amounts="disk", every_poll=True),
    "fan_speed": Vital(
        title="Fan speed",
        metric="fan_rpm",
        unit="revolutions per minute",
        symbol="rpm",
        maximum=60_000,
        deadband_percent=5,
    ),
    "fan_state": Vital(
        title="Fan state",
        metric="fan_state",
        unit=_STATES_UNIT,
        symbol="",
        states=_STATES,
        minimum=1,
        maximum=4,
    ),
    "power_supply_state": Vital(
        title="Power supply state",
        metric="power_supply_state",
        unit=_STATES_UNIT,
        symbol="",
        states=_STATES,
        minimum=1,
        maximum=4,
    ),
    "battery_charge": Vital(title="Battery charge", metric="battery_charge_percent"),
    "battery_runtime": Vital(
        title="Battery runtime",
        metric="battery_runtime_seconds",
        unit="seconds",
        symbol="s",
        maximum=31_536_000,
        deadband_percent=5,
    ),
    "ups_load": Vital(title="UPS load", metric="ups_load_percent", maximum=300, whole="maximum", deadband=1),
    "poe": Vital(
        title="PoE power",
        metric="poe_watts",
        unit="watts",
        symbol="W",
        maximum=100_000,
        whole="sum",
        parts=False,
        deadband=1,
        deadband_percent=2,
    ),
    "optical_rx": Vital(
        title="Optical power received",
        metric="optical_rx_dbm",
        unit="dBm",
        symbol="dBm",
        minimum=-60,
        maximum=30,
        combine="all",
        deadband=0.5,
        collected=False,
    ),
    "optical_tx": Vital(
        title="Optical power sent",
        metric="optical_tx_dbm",
        unit="dBm",
        symbol="dBm",
        minimum=-60,
        maximum=30,
        combine="all",
        deadband=0.5,
        collected=False,
    ),
    "sessions": Vital(
        title="Sessions",
        metric="sessions",
        unit="sessions",
        symbol="",
        maximum=1e9,
        whole="sum",
        parts=False,
        deadband_percent=5,
    ),
    "clients": Vital(
        title="Wireless clients",
        metric="wireless_clients",
        unit="clients",
        symbol="",
        maximum=1e7,
        whole="sum",
        parts=False,
        deadband_percent=5,
    ),
}
"""Vital signs by the name of their section in a device profile."""

METRICS: Mapping[str, MetricSpec] = {
    "ping_status": MetricSpec("state", "1 up, 0 down", 0, 1, every_poll=True),
    "ping_rtt_ms": MetricSpec("measure", "milliseconds", 0, every_poll=True),
    "ping_loss_percent": _PERCENT,
    "uptime_seconds": MetricSpec("measure", "seconds", 0),
    "agent_uptime_seconds": MetricSpec("measure", "seconds", 0),
    **{name: spec for vital in VITALS.values() for name, spec in vital.metrics()},
    "net_bytes_in": MetricSpec("counter", "bytes", 0),
    "net_bytes_out": MetricSpec("counter", "bytes", 0),
    "net_errors_in": _PACKETS,
    "net_errors_out": _PACKETS,
    "net_discards_in": _PACKETS,
    "net_discards_out": _PACKETS,
    "net_speed_bps": MetricSpec("measure", "bits per second", 0),
    "net_oper_status": MetricSpec("state", "IF-MIB ifOperStatus: 1 up, 2 down, …", 1, 7),
    "net_discontinuity_seconds": MetricSpec("measure", "sysUpTime when counters were last reset, seconds", 0),
    "collect_ok": MetricSpec("state", "1 everything asked for was read, 0 not", 0, 1),
    "collect_duration_ms": MetricSpec("measure", "milliseconds", 0, every_poll=True),
}
OPER_STATUS = {
    1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "not present", 7: "lower layer down",
}  # fmt: skip
"""Names of IF-MIB's ifOperStatus, the values of `net_oper_status`."""
