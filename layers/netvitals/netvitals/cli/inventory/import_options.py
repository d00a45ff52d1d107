"""Implement the options of `netvitals inventory import`: the source, its names, limits of what may change."""

import io
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from netvitals.adapters.files.inventory import Format, InventoryFile, read_inventory
from netvitals.cli.inventory.faults import EXIT_FAULTS
from netvitals.domain.inventory.import_plan import ImportPlan, differences, refusal
from netvitals.domain.inventory.row import FIELDS

SYSTEMS = ("netbox", "librenms", "zabbix")
TOKEN = "NETVITALS_SOURCE_TOKEN"  # noqa: S105, the variable's name
_SHOWN_DIFFERENCES = 20

IMPORT_EPILOG = """\b
Examples:
  netvitals inventory import devices.csv --dry-run
  netvitals inventory import assets.csv --map Asset=id --map IP=ip_address
  export NETVITALS_SOURCE_TOKEN=…
  netvitals inventory import --from netbox https://netbox.example.net
  netvitals inventory import --from librenms https://librenms.example.net \\
    --credential core --disable-missing
  netvitals inventory import --from zabbix hosts.json \\
    --type 'Linux by SNMP=linux'

The token is read from NETVITALS_SOURCE_TOKEN, or asked for; a server certificate of your own is trusted by
SSL_CERT_FILE. No secret of another system is copied: credentials get names, which are listed."""


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options below, under the names that click gives them."""

    system: str | None
    format_: Format | None
    encoding: str
    mapped: tuple[str, ...]
    types: tuple[str, ...]
    credential: str | None
    yes: bool
    verbose: bool
    disable_at_most: float
    change_at_most: float


class _Percent(click.ParamType[float]):
    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            percent = float(str(value).removesuffix("%"))
        except ValueError:
            percent = -1
        if not 0 <= percent <= 100:  # noqa: PLR2004, per cent
            self.fail(f"{value!r} is no percentage: write it as 25%", param, ctx)
        return percent


def _encoding(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """Return the name of an encoding that texts can be read in, which hex, zip or undefined are not."""
    try:
        io.TextIOWrapper(io.BytesIO(b""), name, errors="surrogateescape").read()
    except (LookupError, ValueError):
        raise click.BadParameter(f"there is no encoding {name!r}; try cp1252, latin-1 or utf-16") from None
    return name


def import_options[Command: Callable[..., Any]](command: Command) -> Command:
    """Add the options of an import."""
    for option in (
        click.option("--change-at-most", type=_Percent(), default="50%", show_default=True, metavar="SHARE",
                     help="Refuse to change more devices than this share of the inventory."),
        click.option("--disable-at-most", type=_Percent(), default="10%", show_default=True, metavar="SHARE",
                     help="Refuse to disable more devices than this share of those enabled."),
        click.option("--verbose", is_flag=True, help="Show every change, not only the first ones."),
        click.option("--yes", is_flag=True, help="Do not ask on a terminal."),
        click.option("--credential", metavar="NAME", help="With --from: the credential of all its devices."),
        click.option("--type", "types", multiple=True, metavar="NAME=TYPE",
                     help="With --from: the device type of a role, platform, operating system or template. "
                          "Repeatable."),
        click.option("--map", "mapped", multiple=True, metavar="COLUMN=FIELD",
                     help="Field that a column of the file stands for, such as 'IP Address=ip_address'. "
                          "Repeatable."),
        click.option("--encoding", default="utf-8-sig", metavar="NAME", callback=_encoding,
                     help="The file's encoding, unless it is UTF-8; cp1252 for CSV of Excel in Western "
                          "Europe and America."),
        click.option("--format", "format_", type=click.Choice(["csv", "jsonl"]),
                     help="The file's format. Unless given: JSON lines if it begins with { or [, else CSV."),
        click.option("--from", "system", type=click.Choice(SYSTEMS),
                     help="Read from another system: its URL, or a file with a saved answer or export."),
    ):  # fmt: skip
        command = option(command)
    return command


class ImportSource(NamedTuple):
    """Rows that were read, and how they are imported."""

    file: InventoryFile
    once: Collection[str]
    """Columns that are set for new devices only."""
    prefix: str
    """Prefix of the ids of all devices of the source; empty for files."""


def read_source(source: str, options: ImportOptions, known_types: Collection[str]) -> ImportSource:
    """Return the devices of a file or of another system.

    Raises:
        click.UsageError: the options do not go together.
        Unavailable: it can't be read, or not all of it.
    """
    if options.system is None:
        if options.types or options.credential:
            raise click.UsageError("--type and --credential go with --from")
        mapped = _pairs("--map", options.mapped, FIELDS)
        return ImportSource(read_file(Path(source), options.format_, mapped, options.encoding), (), "")
    if options.mapped or options.format_:
        raise click.UsageError("--map and --format go with a file of devices, not with --from")
    from netvitals.adapters.inventories.read import ONCE, read_system  # noqa: PLC0415, urllib3, for this alone
    from netvitals.adapters.inventories.source import Wishes  # noqa: PLC0415, as above

    wishes = Wishes(
        types=_pairs("--type", options.types, known_types),
        known_types=known_types,
        credential=options.credential,
    )
    read = read_system(options.system, source, _token, wishes)
    for note in read.notes:
        click.echo(note, err=True)
    return ImportSource(read.file, ONCE, read.prefix)


def read_file(
    file: Path,
    format_: Format | None,
    mapped: dict[str, str] | None = None,
    encoding: str = "utf-8-sig",
) -> InventoryFile:
    """Return the content of a file of devices; print which of its columns are unknown."""
    read = read_inventory(file, format_, mapped or {}, encoding)
    if read.ignored:
        click.echo(f"ignored: {', '.join(map(ascii, sorted(read.ignored)[:20]))}", err=True)
    return read


def _pairs(option: str, texts: tuple[str, ...], allowed: Collection[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals or value.strip() not in allowed:
            raise click.UsageError(
                f"{option} {text!r}: write it as NAME=…, with one of {', '.join(allowed)} behind the ="
            )
        pairs[name.strip()] = value.strip()
    return pairs


def _token() -> str:
    given = os.environ.get(TOKEN)
    if given:
        return given
    if not sys.stdin.isatty():
        raise click.UsageError(f"set {TOKEN}, or run this on a terminal to be asked for it")
    return str(click.prompt("API token", hide_input=True, err=True))


def show_differences(plan: ImportPlan, *, everything: bool) -> None:
    """Print on standard error what would change."""
    lines = list(differences(plan))
    shown = lines if everything else lines[:_SHOWN_DIFFERENCES]
    for line in shown:
        click.echo(line, err=True)
    if len(shown) < len(lines):
        click.echo(f"… and {len(lines) - len(shown):,} more (--verbose shows them)", err=True)


def refuse_nothing(read: InventoryFile) -> None:
    """Exit where --disable-missing would disable every device because the source names none."""
    if not read.rows:
        click.echo("no device is named there, so none was disabled; nothing was imported", err=True)
        sys.exit(EXIT_FAULTS)


def refuse_too_much(plan: ImportPlan, options: ImportOptions, *, dry_run: bool) -> None:
    """Exit where the plan exceeds the limits of devices to disable or change; a dry run only prints that."""
    too_much = refusal(plan, disable_percent=options.disable_at_most, change_percent=options.change_at_most)
    if too_much:
        click.echo(too_much, err=True)
    if too_much and not dry_run:
        sys.exit(EXIT_FAULTS)


def confirmed(plan: ImportPlan, options: ImportOptions) -> bool:
    """Return whether to go on: a person on a terminal is asked; yes in a pipe, or where nothing changes."""
    if options.yes or plan.is_empty or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(f"{plan}: import this?", err=True)
