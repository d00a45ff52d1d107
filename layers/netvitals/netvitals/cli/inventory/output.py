"""Print the devices of `netvitals inventory list`: a table for people, JSON lines and CSV for programs."""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from time import time
from typing import Any, Literal

import click
import msgspec
from rich.text import Text

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.cli.console import console
from netvitals.cli.figures import counted, duration_words
from netvitals.cli.fitting_table import Column, fitting_table
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import FIELDS, device_from
from netvitals.domain.text import csv_cell, printable

_STATE = ("status", "status_since", "last_seen_at", "reason", "detail", "method")
_COLORS = {"online": "green", "offline": "red", "unreachable": "yellow"}

DISABLED = "disabled"
"""Status that is shown for a device that is not polled."""
_FILTERS = {"site": "site", "collector": "collector group", "device_type": "type"}
"""Filters whose value at least one device must have, with their names for people."""

type DeviceFields = dict[str, Any]


def show(
    database: Database,
    wanted: Mapping[str, str],
    format_: Literal["table", "jsonl", "csv"],
    *,
    verbose: bool,
) -> int:
    """Print the devices whose fields have the wanted values; return how many rows can't be read.

    `verbose` adds, below the table, the full reason of each device that is not well.

    Raises:
        click.UsageError: no device has the value that a filter names.
    """
    listing = _Listing(database, wanted)
    if format_ == "table":
        _write_table(listing, verbose=verbose)
    else:
        _WRITERS[format_](listing)
    return listing.left_out


class _Listing:
    """Iterates over the rows as they come from the database, and counts the unreadable ones."""

    def __init__(self, database: Database, wanted: Mapping[str, str]) -> None:
        self._database = database
        self._wanted = wanted
        self.left_out = 0
        self._seen: dict[str, set[str]] = {name: set() for name in wanted if name in _FILTERS}

    def __iter__(self) -> Iterator[DeviceFields]:
        for chunk in PostgresInventory(self._database).rows(_STATE, enabled_only=False):
            for texts in chunk:
                row = self._row(texts)
                if row is None:
                    continue
                for name, seen in self._seen.items():
                    seen.add(row[name])
                if all(_has(row, name, text) for name, text in self._wanted.items()):
                    yield row
        self._refuse_unknown()

    def _refuse_unknown(self) -> None:
        """Raise a usage error for a filter whose value no device has, after all rows were read."""
        for name, seen in self._seen.items():
            text = self._wanted[name]
            if text not in seen:
                near = get_close_matches(text, seen, n=1) or [
                    each for each in seen if each.lower() == text.lower()
                ]
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise click.UsageError(f"no device has the {_FILTERS[name]} {text!r}{hint}")

    def _row(self, texts: DeviceFields) -> DeviceFields | None:
        device = device_from({name: texts[name] for name in FIELDS}, "")
        if not isinstance(device, Device):
            self.left_out += 1
            return None
        fields = {name: getattr(device, name) for name in FIELDS}
        state = {name: texts[name] or "" for name in _STATE}
        return (
            fields
            | {"maintenance_until": texts["maintenance_until"]}
            | state
            | {"status": state["status"] or "unknown"}
        )


def _has(row: DeviceFields, name: str, text: str) -> bool:
    if name == "status" and (text == DISABLED or not row["enabled"]):
        return text == DISABLED and not row["enabled"]
    return bool(row[name] == text)


def _write_table(rows: Iterable[DeviceFields], *, verbose: bool) -> None:
    columns = (
        Column("device", is_flexible=True), Column("hostname", least=9, is_flexible=True),
        Column("address", least=5), Column("type", least=8), Column("site", least=6, is_flexible=True),
        Column("status"), Column("last seen", least=7), Column("why", is_flexible=True),
    )  # fmt: skip
    cells = [_cells(row) for row in rows]
    screen = console()
    if cells:
        screen.print(fitting_table(screen, columns, cells))
    for device, *_, why in cells if verbose else ():
        if str(why):
            screen.print(Text(f"{device}: {why}"), soft_wrap=True)
    screen.print(counted(len(cells), "device"))


def _cells(row: DeviceFields) -> list[str | Text]:
    status = row["status"] if row["enabled"] else DISABLED
    return [
        row["id"],
        row["hostname"] if row["hostname"] != row["id"] and row["ip_address"] else "",
        row["ip_address"] or row["hostname"],
        row["device_type"],
        row["site"],
        Text(status, _COLORS.get(status, "dim")),
        _age(row["last_seen_at"]),
        printable(row["detail"] or (row["reason"] if row["reason"] != "ok" else "")),
    ]


def _write_json_lines(rows: Iterable[DeviceFields]) -> None:
    for row in rows:
        click.echo(msgspec.json.encode(row))


def _write_csv(rows: Iterable[DeviceFields]) -> None:
    writer = csv.DictWriter(sys.stdout, [*FIELDS, *_STATE])
    writer.writeheader()
    for row in rows:
        settings = msgspec.json.encode(row["settings"]).decode() if row["settings"] else ""
        cells = {name: csv_cell(str(value or "")) for name, value in row.items()}
        writer.writerow(cells | {"settings": settings, "enabled": "true" if row["enabled"] else "false"})


def _age(text: str) -> str:
    if not text:
        return "never"
    return f"{duration_words(time() - datetime.fromisoformat(text).timestamp())} ago"


_WRITERS: dict[str, Callable[[Iterable[DeviceFields]], None]] = {
    "jsonl": _write_json_lines,
    "csv": _write_csv,
}
