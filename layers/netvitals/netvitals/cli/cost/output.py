"""Print a fleet's cost: a table for people, a document for programs."""

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from netvitals.cli.console import console
from netvitals.cli.cost.invocations import DeviceGroup
from netvitals.cli.cost.model import Cost, Item
from netvitals.cli.cost.prices import Prices
from netvitals.cli.cost.quotas import series_of


def document_of(cost: Cost, warnings: Sequence[str]) -> dict[str, Any]:
    """Return the document for programs: US$ a month, items and their sums in whole cents."""
    aws_usd, influxdb_usd = in_cents(cost.aws), in_cents(cost.influxdb)
    return {
        "items": [{"name": item.name, "usd": round(item.usd, 2)} for item in (*cost.aws, *cost.influxdb)],
        "aws_usd": aws_usd,
        "influxdb_usd": influxdb_usd,
        "total_usd": round(aws_usd + influxdb_usd, 2),
        "per_device_usd": round((aws_usd + influxdb_usd) / cost.devices, 4),
        "influxdb_mb_per_device": round(cost.influxdb_mb_per_device, 1),
        "warnings": list(warnings),
    }


def in_cents(items: Sequence[Item]) -> float:
    """Return the sum of items that are rounded to cents, so that a bill adds up."""
    return round(sum(round(item.usd, 2) for item in items), 2)


def show(cost: Cost, warnings: Sequence[str], fleet: Sequence[DeviceGroup], prices: Prices) -> None:
    """Print the bill of a fleet, what the fleet is, and the warnings."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("item", no_wrap=True)
    table.add_column("US$ a month", justify="right")
    table.add_column("")
    for item in (*cost.aws, *cost.influxdb):
        table.add_row(item.name, f"{item.usd:,.2f}", escape(item.of))
    document = document_of(cost, ())
    table.add_section()
    for name, key in (("AWS", "aws_usd"), ("InfluxDB", "influxdb_usd"), ("together", "total_usd")):
        table.add_row(f"[bold]{name}[/]", f"[bold]{document[key]:,.2f}[/]")
    table.add_row("a device", f"{document['per_device_usd']:,.4f}")
    screen = console()
    for group in fleet:
        screen.print(escape(described(group)), soft_wrap=True)
    screen.print(f"Prices of {prices.region}, {prices.date}", highlight=False)
    screen.print(table)
    series = series_of(fleet) / cost.devices
    screen.print(
        f"InfluxDB: {cost.influxdb_mb_per_device:,.1f} MB a month and {series:,.0f} series a device",
        highlight=False,
    )
    for warning in warnings:
        screen.print(f"[yellow]quota:[/] {escape(warning)}", soft_wrap=True, highlight=False)


def described(group: DeviceGroup) -> str:
    """Return a line that describes devices that are polled alike."""
    devices = f"{group.number:,} device{'' if group.number == 1 else 's'}"
    return (
        f"{devices} over {group.protocol}, {group.ports:,.0f} ports ({group.used:.0%} in use), "
        f"{group.silent:.1%} silent, status every {group.status_interval} s, metrics every "
        f"{group.metrics_interval} s"
    )
