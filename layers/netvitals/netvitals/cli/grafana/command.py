"""Implement `netvitals grafana`: write dashboards and alert rules for Grafana as files."""

from collections.abc import Iterable, Sequence
from math import inf, nan
from pathlib import Path

import click
import msgspec

from netvitals.cli.database import open_database
from netvitals.cli.figures import counted
from netvitals.cli.grafana.rules import INFLUXDB_UID, RuleOptions, Thresholds, rule_files
from netvitals.cli.written import written
from netvitals.domain.inventory.device import Device

_EPILOG = """\b
Examples:
  netvitals grafana write dashboards     dashboards, and rules for all devices
  netvitals grafana rules > rules.yaml   the rules alone
  export DATABASE_URL=postgresql://user:password@host/database
  netvitals grafana rules --site berlin --set cpu=95 > berlin.yaml
  netvitals grafana rules --type linux --inventory devices.csv > linux.yaml

\b
Rules for a site or a type list the ids of its devices: generate them again
when the inventory has changed. They add to the rules for all devices; if they
should replace those, don't provision those.

\b
Exit status:
  0  done
  1  no device of the inventory is of that site and type
  2  wrong usage, or a file or the database can't be used"""
_LIMITS = msgspec.structs.fields(Thresholds)
_DEFAULTS = ", ".join(f"{each.name} ({each.default:g})" for each in _LIMITS)


@click.group(epilog=_EPILOG)
def grafana() -> None:
    """Write dashboards and alert rules for Grafana.

    docs/dashboards.md explains how to import and provision them.
    """


@grafana.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def write(folder: Path) -> None:
    """Write all files for Grafana into FOLDER.

    Dashboards, alert rules for all devices, and examples of how both are provisioned.
    """
    from netvitals.cli.grafana.files import files  # noqa: PLC0415, the other commands do without

    for name, text in files().items():
        path = folder / name
        with written(folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        click.echo(str(path))


@grafana.command()
@click.option("--site", help="Only devices of this site.")
@click.option("--type", "device_type", help="Only devices of this type.")
@click.option(
    "--inventory", "file", type=click.Path(path_type=Path), help="The devices, in place of the database."
)
@click.option(
    "--database-url", envvar="DATABASE_URL", metavar="URL", help="The database, where there is no file."
)
@click.option(
    "--set",
    "limits",
    multiple=True,
    metavar="NAME=NUMBER",
    help=f"Value above which a rule fires: {_DEFAULTS}. Repeatable.",
)
@click.option(
    "--metrics-interval",
    type=click.IntRange(10, 1200),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Between two metrics polls of the devices.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=TEXT",
    help="A label of the rules, to route alerts by. Repeatable.",
)
@click.option(
    "--influxdb-uid", default=INFLUXDB_UID, show_default=True, help="The data source's uid in Grafana."
)
def rules(
    *,
    site: str | None,
    device_type: str | None,
    file: Path | None,
    database_url: str | None,
    limits: tuple[str, ...],
    metrics_interval: int,
    labels: tuple[str, ...],
    influxdb_uid: str,
) -> None:
    """Print alert rules as a provisioning file.

    For all devices, or for those of a site or a type.
    """
    from netvitals.cli.grafana.files import in_yaml  # noqa: PLC0415, yaml takes a while to import

    wanted = {"site": site, "type": device_type}
    chosen = {name: text for name, text in wanted.items() if text is not None}
    ids = _ids(site, device_type, file, database_url) if chosen else None
    options = RuleOptions(
        thresholds=_thresholds(limits),
        metrics_interval=metrics_interval,
        ids=ids,
        name=" ".join(chosen.values()),
        labels={**chosen, **dict(_pairs(labels, "--label"))},
        influxdb_uid=influxdb_uid,
    )
    click.echo(in_yaml(rule_files(options)), nl=False)


def _pairs(given: Iterable[str], option: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise click.BadParameter(f"{name!r} is not NAME=VALUE", param_hint=option)
    return [(name, value) for name, _, value in pairs]


def _thresholds(given: Iterable[str]) -> Thresholds:
    known = {each.name for each in _LIMITS}
    found: dict[str, float] = {}
    for name, text in _pairs(given, "--set"):
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {', '.join(sorted(known))}", param_hint="--set")
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = nan
        if not 0 <= found[name] < inf:
            raise click.BadParameter(f"{text!r} is no number of 0 or more", param_hint="--set")
    return Thresholds(**found)


def _ids(
    site: str | None, device_type: str | None, file: Path | None, database_url: str | None
) -> tuple[str, ...]:
    """Return the ids of the enabled devices of this site and type, sorted."""
    found = tuple(
        sorted(
            device.id
            for device in _devices(file, database_url)
            if device.enabled and site in (None, device.site) and device_type in (None, device.device_type)
        )
    )
    if not found:
        raise click.ClickException("the inventory has no enabled device of that site and type")
    return found


def _devices(file: Path | None, database_url: str | None) -> Sequence[Device]:
    if file is not None:
        from netvitals.adapters.files.inventory import read_inventory  # noqa: PLC0415, as above

        rows, faults = (read := read_inventory(file, None)).rows, read.bad_rows
    elif database_url:
        from netvitals.adapters.postgres.inventory_writer import devices_in  # noqa: PLC0415, psycopg as well

        rows, faults = devices_in(open_database(database_url))
    else:
        raise click.UsageError("give --inventory FILE, or a database with DATABASE_URL")
    if faults:
        click.echo(f"{counted(len(faults), 'row')} can't be read; see: netvitals inventory check", err=True)
    return [device for _, device in rows]
