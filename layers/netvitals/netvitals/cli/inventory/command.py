"""Implement `netvitals inventory`: check, import and list the table of devices."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from msgspec import structs

from netvitals.adapters.files.credentials import JsonFile
from netvitals.cli.database import database_option, open_database
from netvitals.cli.effective import effective_configuration
from netvitals.cli.figures import counted
from netvitals.cli.inventory.addresses import sharing_an_address
from netvitals.cli.inventory.faults import EXIT_FAULTS, stop_at
from netvitals.cli.inventory.import_options import (
    IMPORT_EPILOG,
    ImportOptions,
    confirmed,
    import_options,
    read_file,
    read_source,
    refuse_nothing,
    refuse_too_much,
    show_differences,
)
from netvitals.domain.decision.status import Status
from netvitals.domain.inventory.check import Rules, check_inventory
from netvitals.domain.inventory.guard import Guard, names_loopback
from netvitals.domain.inventory.row import FIELDS
from netvitals.domain.text import printable

if TYPE_CHECKING:
    from netvitals.adapters.postgres.database import Database


_EPILOG = """\b
Examples:
  export DATABASE_URL=postgresql://user:password@host/database
  netvitals inventory init
  netvitals inventory import devices.csv --dry-run
  netvitals inventory import devices.jsonl
  netvitals inventory check                 the table in the database
  netvitals inventory check devices.csv     a file, without a database
  netvitals inventory list --site zurich --status offline
  netvitals inventory list --format csv > devices.csv

\b
Files are CSV with a header, or JSON lines, with these names:
  id, hostname, ip_address, mac_address, device_type, credential, site,
  parent_id, collector, enabled,
  maintenance_until (2026-11-23T16:00:00Z),
  settings (JSON, as {"snmp": {"port": 161}})
Only id and one of ip_address and hostname are needed; other columns are
ignored.

\b
Exit status:
  0  done, or nothing wrong
  1  the inventory has faults, which are listed by row; nothing was written
  2  wrong usage, or a file or the database can't be used"""

STATUSES = (*(status.value for status in Status), "disabled")


def _rules[Command: Callable[..., Any]](command: Command) -> Command:
    """Add the options that say which configuration and credentials rows are checked with."""
    for option in (
        click.option("--config", type=click.Path(path_type=Path), envvar="NETVITALS_CONFIG_FILE",
                     show_envvar=True,
                     help="The configuration document: device types, allowed networks."),
        click.option("--allow", multiple=True, metavar="CIDR",
                     help="A network that devices may be in, in place of the configured ones. Repeatable."),
        click.option("--credentials", type=click.Path(path_type=Path), envvar="NETVITALS_CREDENTIALS_FILE",
                     show_envvar=True,
                     help="The credential map: every credential must be in it."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(epilog=_EPILOG)
def inventory() -> None:
    """Create, fill, check and show the table of devices."""


@inventory.command()
@database_option
def init(database_url: str) -> None:
    """Create the tables, or bring them to this version. Harmless to repeat.

    A table `devices` that is there already stays as it is.
    """
    from netvitals.adapters.postgres.schema import migrate  # noqa: PLC0415, psycopg takes a while to import

    applied = migrate(open_database(database_url))
    click.echo("\n".join(f"applied {name}" for name in applied) or "the tables are up to date")


@inventory.command(
    name="import", epilog=IMPORT_EPILOG, short_help="Add and change devices from a file or system."
)
@click.argument("source", metavar="FILE|URL")
@database_option
@_rules
@import_options
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.option("--disable-missing", is_flag=True, help="Disable the devices that the file does not name; "
              "with --from, only those of that system.")  # fmt: skip
def import_(
    *,
    source: str,
    database_url: str,
    config: Path | None,
    allow: tuple[str, ...],
    credentials: Path | None,
    dry_run: bool,
    disable_missing: bool,
    **options: Any,
) -> None:
    """Add and change the devices in FILE, or in another system: all of them, or none.

    First shows what would change, and on a terminal asks whether to continue. Columns that the file does not
    have keep their values, and so do devices that it does not name. A device that --disable-missing has
    disabled is enabled again by an import that names it.
    """
    from netvitals.adapters.postgres import inventory_writer as table  # noqa: PLC0415, as above

    chosen = ImportOptions(**options)
    rules = _rules_from(config, allow, credentials)
    read, once, prefix = read_source(source, chosen, rules.configuration.known_types)
    if disable_missing and not read.bad_rows:
        refuse_nothing(read)
    database = open_database(database_url)
    existing = table.existing_devices(database)
    columns = [name for name in FIELDS if name in read.columns]
    overlay = [name for name in columns if name not in once]
    rows = [(where, table.overlaid(device, overlay, existing)) for where, device in read.rows]
    rules = structs.replace(rules, others={name: device for name, device in existing.items() if device})
    faults = read.bad_rows + check_inventory(rows + read.partial, rules)
    stop_at(faults, "; nothing was imported")
    plan = table.plan_import(
        [device for _, device in rows],
        columns,
        existing,
        disable_missing=disable_missing,
        prefix=prefix,
        disabled_before=table.disabled_by_import(database),
    )
    show_differences(plan, everything=chosen.verbose)
    refuse_too_much(plan, chosen, dry_run=dry_run)
    if dry_run or confirmed(plan, chosen):
        if not dry_run:
            table.write_import(database, plan)
        click.echo(("would be " if dry_run else "") + str(plan))


@inventory.command(short_help="Check the devices in a file or the database.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--database-url", envvar="DATABASE_URL", metavar="URL", help="Without FILE: the database.")
@_rules
def check(
    *,
    file: Path | None,
    database_url: str | None,
    config: Path | None,
    allow: tuple[str, ...],
    credentials: Path | None,
) -> None:
    """Print what is wrong with the devices in FILE, or in the database."""
    rules = _rules_from(config, allow, credentials)
    if file is not None:
        read = read_file(file, None)
        rows, bad_rows = read.rows + read.partial, read.bad_rows
    elif database_url:
        from netvitals.adapters.postgres.inventory_writer import devices_in  # noqa: PLC0415, as above

        database = open_database(database_url)
        rows, bad_rows = devices_in(database)
        _warn_of_unserved_groups(database)
    else:
        raise click.UsageError("give a FILE, or a database with DATABASE_URL")
    stop_at(bad_rows + check_inventory(rows, rules))
    for devices in sharing_an_address(rows, rules.configuration):
        click.echo(f"warning: {devices}", err=True)
    click.echo(f"{counted(len(rows), 'device')}, nothing wrong")


@inventory.command(name="list")
@database_option
@click.option("--site", help="Only devices of this site.")
@click.option("--collector", metavar="GROUP", help="Only devices of this collector group.")
@click.option("--type", "device_type", help="Only devices of this type.")
@click.option("--status", type=click.Choice(STATUSES), help="Only devices with this status.")
@click.option(
    "--format", "format_", type=click.Choice(["table", "jsonl", "csv"]), default="table", show_default=True
)
@click.option("--verbose", is_flag=True, help="Below the table, why each device is not well, in full.")
def list_(
    *,
    database_url: str,
    site: str | None,
    collector: str | None,
    device_type: str | None,
    status: str | None,
    format_: Literal["table", "jsonl", "csv"],
    verbose: bool,
) -> None:
    """Show the devices with their status."""
    from netvitals.cli.inventory.output import show  # noqa: PLC0415, rich, too

    filters = {"site": site, "collector": collector, "device_type": device_type, "status": status}
    wanted = {name: text for name, text in filters.items() if text is not None}
    database = open_database(database_url)
    left_out = show(database, wanted, format_, verbose=verbose)
    if left_out:
        click.echo(f"{counted(left_out, 'row')} can't be read; see: netvitals inventory check", err=True)
    _warn_of_unserved_groups(database)


@inventory.command("forget-host-key", short_help="Forget the SSH host keys of devices that were rebuilt.")
@click.argument("device_ids", nargs=-1, required=True, metavar="ID…")
@database_option
def forget_host_key(*, device_ids: tuple[str, ...], database_url: str) -> None:
    """Forget the SSH host keys of devices that were rebuilt: the next poll trusts the offered key.

    This is for devices whose type has `trust_on_first_use`. An unexpected change of the key may be an
    attack: compare the key on the device first.
    """
    from netvitals.adapters.postgres.host_keys import forget_host_keys  # noqa: PLC0415, as above

    forgotten = forget_host_keys(open_database(database_url), device_ids)
    for device_id in device_ids:
        click.echo(f"{device_id}: {'forgotten' if device_id in forgotten else 'no host key is kept of it'}")
    if {*device_ids} - forgotten:
        sys.exit(EXIT_FAULTS)


def _warn_of_unserved_groups(database: "Database") -> None:
    from netvitals.adapters.postgres.groups import unserved_groups  # noqa: PLC0415, as above

    for group in unserved_groups(database):
        click.echo(f"warning: {printable(str(group))}", err=True)


def _rules_from(config: Path | None, allow: tuple[str, ...], credentials: Path | None) -> Rules:
    settled = effective_configuration(config)
    allowed = allow or settled.allowed_networks
    return Rules(
        configuration=settled,
        guard=Guard(allowed, allow_local=names_loopback(allowed)),
        credential_names=JsonFile(credentials).read().keys() if credentials else None,
    )
