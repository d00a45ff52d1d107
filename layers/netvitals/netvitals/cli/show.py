"""Implement `netvitals show`: print one device from PostgreSQL and InfluxDB."""

import os
import time
from collections.abc import Iterator, Sequence

import click
import msgspec
from rich.console import Console
from rich.text import Text

from netvitals.cli.console import console
from netvitals.cli.figures import duration, duration_words, figure, scaled
from netvitals.cli.fitting_table import Column, fitting_table
from netvitals.cli.formats import format_option
from netvitals.cli.sparkline import parts, sparkline
from netvitals.cli.time_span import TimeSpan
from netvitals.domain.polling.metrics import VITALS
from netvitals.domain.text import printable
from netvitals.reading.device import DeviceView, Interface, VitalSamples
from netvitals.reading.devices import Event
from netvitals.reading.readers import readers
from netvitals.wiring.parts import Parts

STYLES = {
    "online": "green",
    "offline": "bold red",
    "unreachable": "yellow",
    "unknown": "dim",
    "disabled": "dim",
}
INTERFACES_SHOWN = 10
EVENTS_SHOWN = 5
_NAMES = {vital.metric: vital.title.lower() for vital in VITALS.values()}
_WIDEST_LINE, _NARROWEST_LINE = 48, 12
_BESIDE_LINE = 44
"""Width, in characters, of name, value and bounds beside a sparkline."""
_EPILOG = """\b
Examples:
  netvitals show core-sw            by id, host name or address
  netvitals show 10.0.0.1 --since 1d --interfaces 48
  netvitals show core-sw --format jsonl

It reads DATABASE_URL and INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORG, or the
secrets that the functions read. Without InfluxDB it shows what PostgreSQL
knows.

\b
Exit status: 0 the device is known, 1 values could not be read,
2 no such device, or the database can't be used."""


@click.command(epilog=_EPILOG, short_help="Show a device: status, vital signs, interfaces.")
@click.argument("device")
@click.option("--since", type=TimeSpan(), default="6h", show_default=True, help="How far back curves go.")
@click.option("--interfaces", "most", type=click.IntRange(0, 10_000), default=INTERFACES_SHOWN,
              show_default=True, metavar="N", help="Interfaces shown, the busiest first.")  # fmt: skip
@format_option
@click.pass_context
def show(context: click.Context, device: str, since: int, most: int, format_: str) -> None:
    """Show the stored data of DEVICE: status, vital signs, interfaces, changes, and what is missing."""
    view = readers(Parts(os.environ)).device.view(device, since)
    if format_ == "jsonl":
        click.echo(msgspec.json.encode(view))
    else:
        _print(console(), view, most)
    if view.notice:
        click.echo(f"netvitals: {view.notice}", err=True)
        context.exit(1)


def _print(screen: Console, view: DeviceView, most: int) -> None:
    for line in _heading(view):
        screen.print(line, soft_wrap=False)
    if view.vitals:
        screen.print()
        screen.print(_vitals(screen, view))
    if view.interfaces and most:
        screen.print()
        screen.print(_interfaces(screen, view.interfaces[:most]))
        if len(view.interfaces) > most:
            screen.print(
                Text(f"{len(view.interfaces) - most} more: --interfaces {len(view.interfaces)}", "dim")
            )
    for missing in view.missing:
        screen.print()
        screen.print(Text(f"no {printable(missing)}", "yellow"))
    if view.events:
        screen.print()
        screen.print(events_table(screen, view.events[:EVENTS_SHOWN], with_device=False))


def _heading(view: DeviceView) -> Iterator[Text]:
    device, now = view.device, view.until
    head = Text(printable(device.name), "bold").append(" is ", "not bold")
    head.append(device.shown_status, STYLES.get(device.shown_status, ""))
    if device.status_since is not None:
        head.append(f" for {duration_words(now - device.status_since)}", "not bold")
    if device.in_maintenance(now):
        head.append(", in maintenance", "not bold yellow")
    yield head
    facts = {
        "id": device.id if device.id != device.name else "", "address": device.ip_address,
        "type": device.device_type, "site": device.site, "parent": device.parent_id,
        "profile": device.profile,
    }  # fmt: skip
    yield Text("  ".join(f"{name} {printable(text)}" for name, text in facts.items() if text), "dim")
    yield Text(_polls(view))
    reason = device.detail or ("" if device.reason in ("", "ok") else device.reason)
    if reason:
        yield Text(printable(reason), "yellow")


def _polls(view: DeviceView) -> str:
    device, now = view.device, view.until
    if device.last_attempt_at is None:
        return "never polled"
    seen = device.last_seen_at
    told = [
        f"last answer {duration_words(now - seen)} ago" + (f" by {device.method}" if device.method else "")
        if seen is not None
        else "never answered",
        f"last poll {duration_words(now - device.last_attempt_at)} ago",
    ]
    took, uptime = view.states.get("collect_duration_ms"), view.states.get("uptime_seconds")
    told += [f"took {took:,.0f} ms"] if took is not None else []
    told += [f"{device.failures} without an answer"] if device.failures else []
    told += [f"up for {duration(uptime)}"] if uptime is not None else []
    return ", ".join(told)


def _vitals(screen: Console, view: DeviceView) -> object:
    width = min(_WIDEST_LINE, max(_NARROWEST_LINE, screen.width - _BESIDE_LINE))
    columns = (
        Column("vital sign", is_flexible=True), Column("now", "right"), Column("curve"),
        Column("low", "right", 70),        Column("high", "right", 70),
    )  # fmt: skip
    return fitting_table(screen, columns, [_vital(each, view, width) for each in view.vitals])


def _vital(vital: VitalSamples, view: DeviceView, width: int) -> list[str]:
    values = [value for _, value in vital.samples]
    bounds = {"lowest": 0.0, "highest": 100.0} if vital.metric.endswith("_percent") else {}
    name = _NAMES.get(vital.metric) or vital.metric.rpartition("_")[0].replace("_", " ")
    return [
        printable(f"{name} {vital.instance}"),
        figure(vital.metric, values[-1]),
        sparkline(parts(vital.samples, view.since, view.until, width), **bounds),
        figure(vital.metric, min(values)),
        figure(vital.metric, max(values)),
    ]


def _interfaces(screen: Console, interfaces: Sequence[Interface]) -> object:
    columns = (
        Column("interface", is_flexible=True), Column("status", least=70),
        Column("in", "right"), Column("out", "right"),
        Column("used", "right"), Column("errors, discards", "right", 100), Column("speed", "right", 110),
        Column("description", least=60, is_flexible=True),
    )  # fmt: skip
    return fitting_table(screen, columns, [_interface(each) for each in interfaces])


def _interface(each: Interface) -> list[str]:
    used, faults = each.utilisation, each.faults_per_second
    return [
        printable(each.name), each.oper_status,
        _bits(each.bits("net_bytes_in")), _bits(each.bits("net_bytes_out")),
        "" if used is None else f"{used:.0f} %", f"{faults:.2g} /s" if faults else "",
        "" if each.speed_bps is None else figure("net_speed_bps", each.speed_bps),
        printable(each.description),
    ]  # fmt: skip


def _bits(bits: float | None) -> str:
    return "" if bits is None else scaled(bits, 1000, "b/s")


def events_table(screen: Console, events: Sequence[Event], *, with_device: bool) -> object:
    """Return a table of changes of status, in local time."""
    columns = (
        Column("when"), *((Column("device", is_flexible=True),) if with_device else ()),
        Column("was", least=70),
        Column("is"), *((Column("site", least=110, is_flexible=True),) if with_device else ()),
        Column("why", least=60, is_flexible=True),
    )  # fmt: skip
    rows = [[*_event(event, with_device=with_device)] for event in events]
    return fitting_table(screen, columns, rows)


def _event(event: Event, *, with_device: bool) -> Iterator[str | Text]:
    yield time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at))
    if with_device:
        yield printable(event.hostname or event.device_id)
    yield event.before
    yield Text(event.after, STYLES.get(event.after, ""))
    if with_device:
        yield printable(event.site)
    yield printable(event.detail or event.cause.replace("_", " "))
