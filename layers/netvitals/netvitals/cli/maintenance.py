"""Implement `netvitals maintenance`: windows in which nothing is announced of devices, sites or types."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import click
from msgspec import structs
from rich.markup import escape
from rich.table import Table

from netvitals.cli.console import console
from netvitals.cli.database import database_option, open_database
from netvitals.cli.formats import format_option
from netvitals.cli.time_span import TimeSpan
from netvitals.domain.inventory.maintenance import Scope, Window
from netvitals.domain.text import printable

MAX_DAYS = 366
_NEVER = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_EPILOG = """\b
Examples:
  export DATABASE_URL=postgresql://user:password@host/database
  netvitals maintenance add --device core-1 --for 2h --reason "new line card"
  netvitals maintenance add --site zurich --from 2026-12-01T22:00 --for 6h
  netvitals maintenance add --type access-point --for 1d
  netvitals maintenance list
  netvitals maintenance end 17

\b
During maintenance devices are polled and their status is decided as usual,
but no events, notifications or digests are sent. A device that is still down
at the end is announced then. A device's own maintenance_until applies, too.

\b
Exit status:
  0  done
  2  wrong usage, no such device, site, type or window, or the database can't
     be used"""


class _Time(click.ParamType[float]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds since the epoch; a time without an offset is local time."""
        if isinstance(value, float):
            return value
        try:
            seconds = datetime.fromisoformat(value).astimezone().timestamp()
            _shown(seconds)  # fails on the first and last days of the calendar, which the list could not show
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time such as 2026-12-01T22:00 or 2026-12-01T21:00Z", param, ctx)
        return seconds


@click.group(epilog=_EPILOG, short_help="Suppress announcements during maintenance.")
def maintenance() -> None:
    """Suppress announcements for devices, sites or types during maintenance."""


@maintenance.command()
@database_option
@click.option("--device", "devices", multiple=True, metavar="ID", help="A device. Repeatable.")
@click.option("--site", "sites", multiple=True, metavar="NAME", help="All devices of a site. Repeatable.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="All devices of a type. Repeatable.")
@click.option("--for", "duration", type=TimeSpan(), help="How long: 30m, 2h, 1d, 1d12h.")
@click.option("--until", type=_Time(), help="Or when it ends: 2026-12-02T04:00, or with an offset or Z.")
@click.option("--from", "start", type=_Time(), help="When it begins; now, unless given.")
@click.option("--reason", default="", help="Why; shown in the list.")
def add(
    *,
    database_url: str,
    devices: tuple[str, ...],
    sites: tuple[str, ...],
    types: tuple[str, ...],
    duration: float | None,
    until: float | None,
    start: float | None,
    reason: str,
) -> None:
    """Begin maintenance, now or later."""
    from netvitals.adapters.postgres.maintenance import MaintenanceTable  # noqa: PLC0415, psycopg takes a while

    names = _names(devices, sites, types)
    begin, end = _times(start, duration, until)
    shown = f"from {_shown(begin)} to {_shown(end)}"
    table = MaintenanceTable(open_database(database_url))
    for scope, name in table.unknown(names):
        raise click.UsageError(
            f"no device has the {'id' if scope == 'device' else scope} {name!r}: see netvitals inventory list"
        )
    for number, (scope, name) in zip(
        table.add(names, start=begin, end=end, reason=printable(reason, 200)), names, strict=True
    ):
        click.echo(f"{number}: {scope} {printable(name)} {shown}")


@maintenance.command(name="list")
@database_option
@click.option("--all", "ended", is_flag=True, help="Also maintenance that ended in the last 90 days.")
@format_option
def list_(*, database_url: str, ended: bool, format_: Literal["table", "jsonl"]) -> None:
    """Show maintenance that is under way or to come."""
    from netvitals.adapters.postgres.maintenance import MaintenanceTable  # noqa: PLC0415, as above

    windows = MaintenanceTable(open_database(database_url)).windows(ended=ended)
    if format_ == "jsonl":
        for window in windows:
            times = {name: _iso(getattr(window, name)) for name in ("starts_at", "ends_at")}
            click.echo(json.dumps(structs.asdict(window) | times))
    elif windows:
        _print(windows)
    else:
        click.echo("no maintenance is under way or to come")


@maintenance.command()
@database_option
@click.argument("number", type=int)
def end(*, database_url: str, number: int) -> None:
    """End maintenance now, or cancel it if it has not begun."""
    from netvitals.adapters.postgres.maintenance import MaintenanceTable  # noqa: PLC0415, as above

    window = MaintenanceTable(open_database(database_url)).end(number)
    click.echo(f"{window.id}: {window.scope} {printable(window.name)} has ended")


def _names(devices: Iterable[str], sites: Iterable[str], types: Iterable[str]) -> list[tuple[Scope, str]]:
    names: list[tuple[Scope, str]] = [
        *(("device", name) for name in devices),
        *(("site", name) for name in sites),
        *(("type", name) for name in types),
    ]
    if not names:
        raise click.UsageError("name what it is for: --device ID, --site NAME or --type TYPE")
    return list(dict.fromkeys(names))


def _times(start: float | None, duration: float | None, until: float | None) -> tuple[float, float]:
    begin = time.time() if start is None else start
    if (duration is None) == (until is None):
        raise click.UsageError("give a duration or an end: --for 2h, or --until 2026-12-02T04:00")
    end_ = begin + duration if duration is not None else until
    assert end_ is not None  # noqa: S101, one of the two is given
    if end_ >= _NEVER:
        raise click.UsageError("it would end after the year 9998: disable the device instead")
    if end_ <= begin or end_ <= time.time():
        raise click.UsageError(f"it would end at {_shown(end_)}, which is before it begins or over already")
    if end_ - begin > MAX_DAYS * 86_400:
        raise click.UsageError(f"it would last longer than {MAX_DAYS} days: disable the device instead")
    return begin, end_


def _print(windows: Iterable[Window]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("number", "of", "name", "from", "to", "", "reason"):
        table.add_column(name, overflow="fold" if name in {"name", "reason"} else "ellipsis")
    now = time.time()
    for window in windows:
        state = "now" if window.is_open(now) else "over" if window.ends_at <= now else "to come"
        table.add_row(
            str(window.id), window.scope, escape(printable(window.name)), _shown(window.starts_at),
            _shown(window.ends_at), state, escape(printable(window.reason)),
        )  # fmt: skip
    console().print(table)


def _shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
