"""Make Grafana's alert rules, in the form of its provisioning files.

A rule queries InfluxDB for one number per series, compares it with a threshold, and fires when that holds for
a while. InfluxDB knows neither sites nor types, so a rule for some of the devices lists their ids.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal
from zlib import crc32

import msgspec

from netvitals.cli.grafana import influxql as ql
from netvitals.cli.grafana.dashboard import DEVICE, POLLING
from netvitals.cli.grafana.panels import Json
from netvitals.domain.polling.metrics import METRICS

INFLUXDB_UID = "netvitals-influxdb"
FOLDER = "netvitals"
MAX_IDS = 500
"""Ids in one rule; a longer list becomes several rules."""
MAX_UID = 40
_DEVICE, _INTERFACE = "{{ $labels.device_id }}", "{{ $labels.device_id }}: {{ $labels.instance }}"
_NUMBER = '{{ printf "%.1f" $values.B.Value }}'

type NoData = Literal["OK", "Alerting"]


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Values above which rules fire; each name is a key of `--set`."""

    cpu: float = 90
    memory: float = 95
    temperature: float = 75
    disk: float = 95
    fan: float = 2
    power_supply: float = 2
    """A state: 2 is a warning, 3 failed, 4 off."""
    disk_days: float = 3
    """Days until a disk is full, at its growth of the last day."""
    errors: float = 1
    """Errors and discards a second on one interface."""
    utilisation: float = 90


class RuleOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options that all rules of one file share."""

    thresholds: Thresholds = Thresholds()
    metrics_interval: int = 300
    """Seconds between two metrics polls of the devices."""
    ids: tuple[str, ...] | None = None
    """Ids of the devices that the rules cover; None: all devices."""
    name: str = ""
    """Name of the site or type that these devices are of; empty for all."""
    labels: Mapping[str, str] = {}
    influxdb_uid: str = INFLUXDB_UID


class RuleQuery(msgspec.Struct, frozen=True):
    """A query of a rule, named by a letter; `ago` is how far back it reads, in seconds."""

    ref: str
    text: str
    ago: int


class RuleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An alert: its queries, the condition, and how long that has to hold."""

    key: str
    title: str
    queries: Sequence[RuleQuery]
    expression: str = ""
    """Grafana's arithmetic over the queries' letters; empty: the number of the only query."""
    above: float
    hold: str
    """Time for which the condition has to hold before the alert fires, such as `15m`."""
    severity: Literal["critical", "warning"] = "warning"
    no_data: NoData = "OK"
    summary: str
    dashboard: str = f"/d/{DEVICE}?var-device={{{{ $labels.device_id }}}}"


class _Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A metric whose last value is compared; `key` names its threshold."""

    key: str
    title: str
    name: str
    text: str
    unit: str
    severity: Literal["critical", "warning"] = "warning"
    by_instance: bool = False
    """True where each instance is compared by itself, in place of the whole device's value."""


def _part(key: str, title: str, name: str, text: str) -> _Measured:
    return _Measured(
        key=key, title=title, name=name, text=text, unit=f"({METRICS[name].unit})", by_instance=True
    )


_MEASURED = (
    _Measured(key="cpu", title="CPU high", name="cpu_percent", text="CPU", unit="%"),
    _Measured(key="memory", title="Memory full", name="memory_percent", text="memory", unit="%"),
    _Measured(
        key="temperature",
        title="Too hot",
        name="temperature_celsius",
        text="temperature",
        unit="°C",
        by_instance=True,
    ),
    _Measured(
        key="disk",
        title="Disk full",
        name="disk_percent",
        text="disk",
        unit="%",
        severity="critical",
        by_instance=True,
    ),
    _part("fan", "Fan failed", "fan_state", "fan"),
    _part("power_supply", "Power supply failed", "power_supply_state", "power supply"),
)


def rule_files(options: RuleOptions) -> Json:
    """Return the content of a provisioning file with all rules for these devices."""
    chunks = [None] if options.ids is None else _chunks(options.ids)
    rules = [
        _rule(spec, options, number if len(chunks) > 1 else 0)
        for number, ids in enumerate(chunks, 1)
        for spec in specs(options, ids)
    ]
    name = f"netvitals {options.name}".strip()
    return {
        "apiVersion": 1,
        "groups": [{"orgId": 1, "name": name, "folder": FOLDER, "interval": "1m", "rules": rules}],
    }


def _chunks(ids: Sequence[str]) -> list[Sequence[str] | None]:
    return [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]


def specs(options: RuleOptions, ids: Sequence[str] | None) -> list[RuleSpec]:
    """Return the rules; those about netvitals itself only in the file for all devices."""
    limits, interval = options.thresholds, options.metrics_interval
    of = (_listed(ids),) if ids is not None else ()
    found = [
        *_statuses(of),
        *(_measure(each, getattr(limits, each.key), of, interval) for each in _MEASURED),
        _filling(limits.disk_days, of),
        _errors(limits.errors, of, interval),
        *(_utilisation(way, limits.utilisation, of, interval) for way in ("in", "out")),
        _unreadable(of, interval),
    ]
    return found if ids is not None else [*found, *_silence(interval)]


def _listed(ids: Sequence[str]) -> str:
    """Return the condition that a point belongs to one of these devices."""
    return f'"device_id" =~ /^({"|".join(re.sub(r"[\\^$*+?.()|[\]{}/]", _escaped, each) for each in ids)})$/'


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _recent(seconds: int) -> ql.TimeRange:
    return ql.TimeRange(f"now() - {seconds}s", "now()")


def _statuses(of: Sequence[str]) -> list[RuleSpec]:
    """Return the rules on a device's status, whose points come with each change and every five minutes."""
    window = _recent(900)
    of_device = ql.group("device_id")
    last = f'SELECT last("status") AS "status", "up" FROM "device_status"{ql.where(window, *of)}{of_device}'
    query = f'SELECT count("up") AS "value" FROM ({last}) WHERE "status" = \'offline\'{of_device}'
    return [
        RuleSpec(
            key="offline",
            title="Device offline",
            queries=[RuleQuery("A", query, 900)],
            above=0,
            hold="1m",
            severity="critical",
            summary="{{ $labels.device_id }} is offline",
        )
    ]


def _measure(metric: _Measured, limit: float, of: Sequence[str], interval: int) -> RuleSpec:
    tags = ("device_id", "instance") if metric.by_instance else ("device_id",)
    own = () if metric.by_instance else (ql.WHOLE_DEVICE,)
    ago = 3 * interval if METRICS[metric.name].every_poll else 60 * ql.HELD_MINUTES
    query = (
        f'SELECT last("value") AS "value" {ql.points(metric.name, _recent(ago), *own, *of)}{ql.group(*tags)}'
    )
    which = " {{ $labels.instance }}" if metric.by_instance else ""
    return RuleSpec(
        key=metric.key,
        title=metric.title,
        queries=[RuleQuery("A", query, ago)],
        above=limit,
        hold=_hold(interval),
        severity=metric.severity,
        summary=f"{_DEVICE}: {metric.text}{which} at {_NUMBER} {metric.unit}",
    )


def _hold(interval: int) -> str:
    """Return three poll intervals, so that a value of one poll alone fires no alert."""
    return f"{max(300, 3 * interval)}s"


def _filling(days: float, of: Sequence[str]) -> RuleSpec:
    """Return the rule on disks that fill up: the last hour and the hour a day before, extrapolated."""

    def mean(start: str, end: str) -> str:
        window = ql.TimeRange(f"now() - {start}", f"now() - {end}")
        used = ql.points("disk_percent", window, *of)
        return f'SELECT mean("value") AS "value" {used}{ql.group("device_id", "instance")}'

    queries = [RuleQuery("A", mean("25h", "24h"), 90_000), RuleQuery("D", mean("1h", "0s"), 3600)]
    return RuleSpec(
        key="filling",
        title=f"Disk fills up within {days:g} days",
        queries=queries,
        above=100,
        expression=f"$E + {days:g} * ($E - $B)",
        hold="1h",
        summary=f"{_DEVICE}: disk {{{{ $labels.instance }}}} is full within {days:g} days if it goes on so",
    )


def _errors(limit: float, of: Sequence[str], interval: int) -> RuleSpec:
    ago = 3 * interval
    window = _recent(ago)
    moved = ql.moved(
        "",
        window,
        ql.ANY_FAULT,
        *of,
        tags=("device_id", "instance", "metric_name"),
    )
    rates = (
        f'SELECT sum("d") * 1000 / sum("ms") AS "rate" FROM ({moved}){ql.where(window)}'
        f"{ql.group('device_id', 'instance', 'metric_name')}"
    )
    query = (
        f'SELECT sum("rate") AS "value" FROM ({rates}){ql.where(window)}{ql.group("device_id", "instance")}'
    )
    return RuleSpec(
        key="errors",
        title="Interface errors",
        queries=[RuleQuery("A", query, ago)],
        above=limit,
        hold=_hold(interval),
        summary=f"{_INTERFACE} has {_NUMBER} errors and discards a second",
    )


def _utilisation(way: str, limit: float, of: Sequence[str], interval: int) -> RuleSpec:
    ago = 3 * interval
    rate = ql.recent_rate(f"net_bytes_{way}", _recent(ago), *of, scale=8)
    speed = ql.last("net_speed_bps", _recent(0), ("device_id", "instance"), '"value" > 0', *of, name="speed")
    query = ql.joined([], [rate, speed], ('100 * last("rate") / last("speed")', "value"))
    return RuleSpec(
        key=f"utilisation-{way}",
        title=f"Interface busy, {way}",
        queries=[RuleQuery("A", query, ql.HELD_MINUTES * 60)],
        above=limit,
        hold=_hold(interval),
        summary=f"{_INTERFACE} uses {_NUMBER} % of its speed {way}",
    )


def _unreadable(of: Sequence[str], interval: int) -> RuleSpec:
    """Return the rule on devices that are alive and whose polls are incomplete."""
    tags = ("device_id",)
    readings = [
        ql.last("collect_ok", _recent(0), tags, *of, name="ok"),
        ql.last("ping_status", _recent(0), tags, *of, name="alive"),
    ]
    last = ql.joined(["ok", "alive"], readings, tags=tags)
    query = f'SELECT count("ok") AS "value" FROM ({last}) WHERE "ok" = 0 AND "alive" = 1{ql.group(*tags)}'
    return RuleSpec(
        key="unreadable",
        title="Device not readable",
        queries=[RuleQuery("A", query, ql.HELD_MINUTES * 60)],
        above=0,
        hold=f"{max(1800, 3 * interval)}s",
        dashboard=f"/d/{POLLING}",
        summary="{{ $labels.device_id }}: metrics polls are incomplete; the dashboard Polling says why",
    )


def _silence(interval: int) -> list[RuleSpec]:
    """Return the rule that fires when netvitals itself writes nothing."""
    ago = max(900, 3 * interval)
    polls = f'SELECT count("value") AS "value" {ql.points("collect_duration_ms", _recent(ago))}'
    statuses = f'SELECT count("up") AS "value" FROM "device_status"{ql.where(_recent(900))}'
    return [
        RuleSpec(
            key=key,
            title=title,
            queries=[RuleQuery("A", query, ago)],
            expression="$B < 1",
            above=0,
            hold="5m",
            severity="critical",
            no_data="Alerting",
            dashboard=f"/d/{POLLING}",
            summary=summary,
        )
        for key, title, query, summary in (
            ("silent", "Collector silent", polls, "No device was polled for metrics"),
            (
                "status-silent",
                "Status function silent",
                statuses,
                "Nobody decides whether devices are online",
            ),
        )
    ]


def _rule(spec: RuleSpec, options: RuleOptions, number: int) -> Json:
    suffix = "".join(f"-{part}" for part in (_word(options.name), str(number or "")) if part)
    title = f"{spec.title} {options.name}".strip() + (f" {number}" if number else "")
    return {
        "uid": _uid(f"netvitals-{spec.key}{suffix}"),
        "title": title,
        "condition": "C",
        "for": spec.hold,
        "noDataState": spec.no_data,
        "execErrState": "KeepLast",
        "labels": {"severity": spec.severity, "source": "netvitals", **options.labels},
        "annotations": {"summary": spec.summary, "dashboard": spec.dashboard},
        "data": _data(spec, options.influxdb_uid),
    }


def _word(name: str) -> str:
    """Return a name as a part of a unique id; one that loses letters by this ends in its checksum."""
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if name and not (word and name.isascii()):
        return f"{word}-{crc32(name.encode()):08x}".strip("-")
    return word


def _uid(name: str) -> str:
    """Return a name as a unique id of at most 40 characters; a longer one is cut and ends in its checksum."""
    return name if len(name) <= MAX_UID else f"{name[: MAX_UID - 9]}-{crc32(name.encode()):08x}"


def _data(spec: RuleSpec, uid: str) -> list[Json]:
    """Return the queries, the reduction of each to a number, and the comparison of the result.

    The queries are A, D, …, their reductions B, E, …
    """
    data: list[Json] = []
    for query in spec.queries:
        model = {"refId": query.ref, "query": query.text, "rawQuery": True, "resultFormat": "time_series"}
        span = {"from": query.ago, "to": 0}
        data.append({"refId": query.ref, "relativeTimeRange": span, "datasourceUid": uid, "model": model})
        reduced = {"expression": query.ref, "reducer": "last", "settings": {"mode": "dropNN"}}
        data.append(_expression(chr(ord(query.ref) + 1), "reduce", reduced))
    if spec.expression:
        data.append(_expression("M", "math", {"expression": spec.expression}))
    condition = {"evaluator": {"type": "gt", "params": [spec.above]}}
    compared = {"expression": "M" if spec.expression else "B", "conditions": [condition]}
    return [*data, _expression("C", "threshold", compared)]


def _expression(ref: str, kind: str, settings: Json) -> Json:
    source = {"type": "__expr__", "uid": "__expr__"}
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {"refId": ref, "type": kind, "datasource": source, **settings},
    }
