"""Implement `netvitals top`: the highest values of a metric in the fleet, from InfluxDB."""

import os
from difflib import get_close_matches

import click
import msgspec

from netvitals.cli.console import console
from netvitals.cli.figures import figure, rate_figure
from netvitals.cli.fitting_table import Column, fitting_table
from netvitals.cli.formats import format_option
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.text import printable
from netvitals.reading.ranking import Ranked, Ranking
from netvitals.reading.readers import readers
from netvitals.wiring.parts import Parts

_SHORT = {
    "cpu": "cpu_percent", "memory": "memory_percent", "disk": "disk_percent",
    "temperature": "temperature_celsius",
    "in": "net_bytes_in", "out": "net_bytes_out", "errors": "net_errors_in", "discards": "net_discards_in",
    "rtt": "ping_rtt_ms", "loss": "ping_loss_percent",
}  # fmt: skip
_EPILOG = f"""\b
Examples:
  netvitals top cpu
  netvitals top net_bytes_in -n 50 --site berne
  netvitals top net_errors_in --format jsonl

Counters (traffic, errors, discards) are shown as rates between their last two
polls. Values are of the last 70 minutes. METRIC is one of README's names, or
{", ".join(_SHORT)}."""


@click.command(epilog=_EPILOG, short_help="Show the highest values of a metric in the fleet.")
@click.argument("metric")
@click.option(
    "-n",
    "most",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Number of rows.",
)
@click.option("--site", help="Only of this site.")
@format_option
def top(metric: str, most: int, site: str | None, format_: str) -> None:
    """Show the devices and interfaces with the highest values of METRIC."""
    name = _metric(metric)
    own = readers(Parts(os.environ))
    found = Ranking(own.devices, own.points).highest(name, most, site)
    if format_ == "jsonl":
        for each in found:
            click.echo(msgspec.json.encode(each))
        return
    screen = console()
    columns = (
        Column("device", is_flexible=True), Column("site", least=100, is_flexible=True),
        Column("which", is_flexible=True),
        Column(name, "right"), Column("used", "right"), Column("description", least=70, is_flexible=True),
    )  # fmt: skip
    screen.print(fitting_table(screen, columns, [_row(name, each) for each in found]))
    if not found:
        screen.print(f"no {name} within the last 70 minutes")


def _metric(given: str) -> str:
    name = _SHORT.get(given, given)
    if name not in METRICS:
        near = get_close_matches(given, [*METRICS, *_SHORT], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f": {', '.join(METRICS)}"
        raise click.UsageError(f"no metric {given!r}{hint}")
    return name


def _row(name: str, each: Ranked) -> list[str]:
    used = "" if each.used_percent is None else f"{each.used_percent:.0f} %"
    return [
        printable(each.hostname or each.device_id), printable(each.site), printable(each.instance),
        shown(name, each.value),
        used, printable(each.description),
    ]  # fmt: skip


def shown(name: str, value: float) -> str:
    """Return a value, or a counter's rate per second, as text."""
    return rate_figure(name, value) if METRICS[name].kind == "counter" else figure(name, value)
