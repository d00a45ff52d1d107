"""Implement `netvitals events`: list changes of status from PostgreSQL."""

import os
import time

import click
import msgspec

from netvitals.cli.console import console
from netvitals.cli.formats import format_option
from netvitals.cli.show import events_table
from netvitals.cli.time_span import TimeSpan
from netvitals.reading.devices import MAX_EVENTS
from netvitals.reading.readers import readers
from netvitals.wiring.parts import Parts

_EPILOG = """\b
Examples:
  netvitals events                      of the last day
  netvitals events --since 1w --device core-sw
  netvitals events --since 1h --site berne --format jsonl

The changes come from the table device_status_history. It also has those that
were not announced, such as changes of devices under maintenance or behind a
parent that is down."""


@click.command(epilog=_EPILOG, short_help="Show changes of status: which device, when, why.")
@click.option("--since", type=TimeSpan(), default="1d", show_default=True, help="How far back.")
@click.option("--device", metavar="DEVICE", help="Only of this device: its id, hostname or address.")
@click.option("--site", help="Only of this site.")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_EVENTS),
    default=200,
    show_default=True,
    help="At most so many, the newest first.",
)
@format_option
def events(since: int, device: str | None, site: str | None, limit: int, format_: str) -> None:
    """Show changes of status, newest first."""
    devices = readers(Parts(os.environ)).devices
    device_id = devices.find(device).id if device else ""
    found = devices.events(since=time.time() - since, device=device_id, site=site, limit=limit)
    if format_ == "jsonl":
        for event in found:
            click.echo(msgspec.json.encode(event))
        return
    screen = console()
    if found:
        screen.print(events_table(screen, found, with_device=True))
    more = " (as many as --limit allows)" if len(found) == limit else ""
    screen.print(f"{len(found)} {'change' if len(found) == 1 else 'changes'}{more}")
