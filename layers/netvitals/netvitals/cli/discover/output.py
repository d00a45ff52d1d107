"""Print what `netvitals discover` found: a table for people, CSV and JSON lines for `inventory import`."""

import csv
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
import msgspec
from rich.text import Text

from netvitals.cli.console import console
from netvitals.cli.fitting_table import Column, fitting_table
from netvitals.domain.discovery.compare import Compared
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import FIELDS
from netvitals.domain.text import csv_cell, printable

_COLUMNS = tuple(name for name in FIELDS if name not in {"collector", "enabled", "maintenance_until"})
"""Columns that an import writes; the other fields are the inventory owner's."""
_TOLD = ("change", "profile", "addresses", "merged_by", "note")
"""Further columns, for people; an import ignores them."""
_COLORS = {"new": "green", "moved": "yellow", "gone": "red", "known": "dim"}


def print_found(compared: Sequence[Compared], format_: str, *, against: bool) -> None:
    """Print devices; compared `against` an inventory, programs get only new devices and changed addresses."""
    if format_ == "table":
        _print_table(compared, against=against)
        return
    rows = [each for each in compared if not against or each.change in {"new", "moved"}]
    _WRITERS[format_](rows, against)


def _print_table(compared: Sequence[Compared], *, against: bool) -> None:
    columns = (
        *((Column("", is_flexible=True),) if against else ()), Column("address"),
        Column("device", is_flexible=True), Column("type", least=4), Column("profile", least=1),
        Column("credential", least=3), Column("site", least=5, is_flexible=True),
        Column("parent", least=2, is_flexible=True), Column("also at", least=6, is_flexible=True),
    )  # fmt: skip
    if compared:
        screen = console()
        screen.print(fitting_table(screen, columns, [_cells(each, against=against) for each in compared]))


def _cells(each: Compared, *, against: bool) -> list[str | Text]:
    device, proposal = each.device, each.proposal
    change = printable(each.change + (f" from {each.before}" if each.before else ""))
    cells = (
        device.ip_address or "",
        device.id if device.hostname in {"", device.id} else f"{device.id} ({device.hostname})",
        device.device_type,
        proposal.found.found.profile if proposal else "",
        device.credential,
        device.site,
        device.parent_id or "",
        ", ".join(proposal.found.addresses[1:]) if proposal else "",
    )
    return [*((Text(change, _COLORS[each.change]),) if against else ()), *map(printable, cells)]


def _write_json_lines(rows: Sequence[Compared], against: bool) -> None:
    for each in rows:
        shown = {name: value for name, value in _fields(each.device).items() if value or name in _ALWAYS}
        click.echo(msgspec.json.encode(shown | _told(each, against=against)))


_ALWAYS = ("id", "hostname", "ip_address", "device_type", "credential")


def _write_csv(rows: Sequence[Compared], against: bool) -> None:
    told = [name for name in _TOLD if against or name != "change"]
    writer = csv.DictWriter(sys.stdout, [*_COLUMNS, *told], restval="", extrasaction="ignore")
    writer.writeheader()
    for each in rows:
        fields = _fields(each.device) | _told(each, against=against)
        fields["settings"] = msgspec.json.encode(fields["settings"]).decode() if fields["settings"] else ""
        for name in ("addresses", "merged_by"):
            fields[name] = " ".join(fields.get(name, ())).replace("MAC address", "MAC")
        writer.writerow({name: csv_cell(str(value)) for name, value in fields.items() if value is not None})


def _fields(device: Device) -> dict[str, Any]:
    return {name: getattr(device, name) for name in _COLUMNS}


def _told(each: Compared, *, against: bool) -> dict[str, Any]:
    proposal = each.proposal
    told: dict[str, Any] = {"change": each.change} if against else {}
    if proposal is not None:
        found = proposal.found
        told |= {"profile": found.found.profile, "addresses": found.addresses}
        told |= {"merged_by": found.merged_by} if found.merged_by else {}
        told |= {"note": found.note} if found.note else {}
    return told


_WRITERS: dict[str, Callable[[Sequence[Compared], bool], None]] = {
    "jsonl": _write_json_lines,
    "csv": _write_csv,
}
