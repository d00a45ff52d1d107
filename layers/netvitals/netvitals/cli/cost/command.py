"""Implement `netvitals cost`: the monthly cost of a fleet, item by item, and the quotas it would meet."""

import sys
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from netvitals.adapters.files.inventory import read_devices
from netvitals.cli.cost.fleet import Assumed, Listed, described, listed, polled
from netvitals.cli.cost.model import NAT, OUTSIDE, Deployment, Nat, Outside, cost_of
from netvitals.cli.cost.output import document_of, show
from netvitals.cli.cost.prices import PACKAGED, prices_in
from netvitals.cli.cost.quotas import warnings_of
from netvitals.cli.database import open_database
from netvitals.cli.effective import effective_configuration
from netvitals.domain.settings.configuration import Configuration

EXIT_PROBLEMS = 1
SAMPLED_DEVICES = 2000
"""Devices of the database whose samples are read, for the share of ports in use of all."""
_SHOWN_PROBLEMS = 20

_EPILOG = """\b
Examples:
  netvitals cost --devices 10000 --ports 24     a fleet that does not exist
  netvitals cost --devices 500 --ports 48 --silent 3 --format json
  netvitals cost --inventory devices.csv        with its types' intervals
  DATABASE_URL=postgresql://… netvitals cost    ports and silence as polled
  netvitals cost --devices 10000 --nat instance --outside postgresql
  netvitals cost --show-prices > prices.yaml    to put your own in

Prices are list prices of the date that is printed, without free tiers. Not counted: PostgreSQL itself,
queries and storage of InfluxDB, VPN connections, and what outages and replays take.

\b
Exit status:
  0  the cost was worked out
  1  it was, without the devices whose rows can't be used
  2  nothing was worked out: wrong usage, or a file or the database can't be
     used"""


class CostOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options, under the names that click gives them."""

    inventory: Path | None
    database_url: str | None
    devices: int | None
    ports: int | None
    used: float | None
    silent: float | None
    config: Path | None
    store: Literal["changes", "everything"] | None
    nat: Nat
    outside: tuple[Outside, ...]
    prices: Path
    show_prices: bool
    format_: Literal["table", "json"]


@click.command(epilog=_EPILOG, short_help="Compute the monthly cost of a fleet.")
@click.option("--inventory", type=click.Path(path_type=Path), help="The devices: CSV or JSON lines.")
@click.option("--database-url", envvar="DATABASE_URL", metavar="URL", show_envvar=True,
              help="The devices, with ports and silence as polled. Better as DATABASE_URL.")  # fmt: skip
@click.option("--devices", type=click.IntRange(1, 10_000_000), metavar="N", help="Number of network devices.")
@click.option("--ports", type=click.IntRange(0, 100_000), metavar="N",
              help="Interfaces of a device that was never polled.  [default: 24]")  # fmt: skip
@click.option("--used", type=click.FloatRange(0, 100), metavar="PERCENT",
              help="Interfaces whose counters move, in percent.  [default: 50]")  # fmt: skip
@click.option("--silent", type=click.FloatRange(0, 100), metavar="PERCENT",
              help="Devices that do not answer, in percent.  [default: 1]")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), envvar="NETVITALS_CONFIG_FILE",
              show_envvar=True,
              help="The configuration document: intervals by type, what is stored.")  # fmt: skip
@click.option("--store", type=click.Choice(["changes", "everything"]),
              help="What is written, in place of the document's collector.store.")  # fmt: skip
@click.option("--nat", type=click.Choice(NAT), default="gateway", show_default=True,
              help="How functions in a VPC reach AWS and InfluxDB.")  # fmt: skip
@click.option("--outside", type=click.Choice(OUTSIDE), multiple=True,
              help="What is reached over the internet or a VPN, not in the region. Repeatable.")  # fmt: skip
@click.option("--prices", type=click.Path(path_type=Path), default=PACKAGED,
              help="Prices and quotas, YAML or JSON, in place of netvitals' own.")  # fmt: skip
@click.option("--show-prices", is_flag=True, help="Print the prices and quotas in use, and nothing else.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def cost(**given: Any) -> None:
    """Compute the monthly cost of a fleet, item by item, including InfluxDB's data in.

    The fleet is an inventory file, a number of equal devices, or the inventory in the database. A warning
    names each quota that the fleet would reach, and what to do about it.
    """
    options = CostOptions(**given)
    prices = prices_in(options.prices)
    if options.show_prices:
        click.echo(options.prices.read_text(), nl=False)
        return
    settled = effective_configuration(options.config)
    found = _fleet(options, settled)
    if not found.fleet:
        raise click.UsageError("there is no enabled device whose cost could be worked out")
    deployment = Deployment(
        everything=(options.store or settled.collector.store) == "everything",
        heartbeat_seconds=settled.status.heartbeat_seconds,
        nat=options.nat,
        outside=frozenset(options.outside),
    )
    warnings = warnings_of(found.fleet, deployment, prices.quotas)
    worked_out = cost_of(found.fleet, deployment, prices)
    if options.format_ == "json":
        click.echo(msgspec.json.encode(document_of(worked_out, warnings)))
    else:
        show(worked_out, warnings, found.fleet, prices)
    _tell(found.problems)


def _fleet(options: CostOptions, settled: Configuration) -> Listed:
    given = {name: getattr(options, name) for name in ("ports", "used", "silent")}
    given = {name: value for name, value in given.items() if value is not None}
    if options.inventory is not None and options.devices is not None:
        raise click.UsageError("give --inventory FILE or --devices N, not both")
    if options.inventory is None and options.devices is None:
        if not options.database_url:
            raise click.UsageError("give --inventory FILE, --devices N, or a database with DATABASE_URL")
        if given:
            raise click.UsageError(
                f"--{min(given)} is for devices that were never polled: leave it out, the database knows more"
            )
        return _in_database(options.database_url, settled)
    shares = {name: value / 100 for name, value in given.items() if name != "ports"}
    assumed = Assumed()._replace(**given | shares)
    if options.devices is not None:
        return Listed(described(options.devices, assumed, settled), [])
    assert options.inventory is not None  # noqa: S101, see above
    devices, bad_rows = read_devices(options.inventory)
    found = listed((device for device in devices if device.enabled), assumed, settled)
    return Listed(found.fleet, [*map(str, bad_rows), *found.problems])


def _in_database(url: str, settled: Configuration) -> Listed:
    from netvitals.adapters.postgres.inventory import PostgresInventory  # noqa: PLC0415, psycopg takes a while
    from netvitals.adapters.postgres.samples import PostgresSampleStore  # noqa: PLC0415, as above

    database = open_database(url)
    problems: list[str] = []
    chunks = PostgresInventory(database).devices(lambda bad: problems.append(str(bad)))
    samples = PostgresSampleStore(database).some(SAMPLED_DEVICES)
    found = polled(chain.from_iterable(chunks), samples, settled, time.time())
    return Listed(found.fleet, problems + found.problems)


def _tell(problems: Sequence[str]) -> None:
    """Print which devices were left out, and exit 1, if there are any."""
    for problem in problems[:_SHOWN_PROBLEMS]:
        click.echo(f"netvitals: {problem}", err=True)
    if len(problems) > _SHOWN_PROBLEMS:
        click.echo(f"netvitals: … and {len(problems) - _SHOWN_PROBLEMS} more", err=True)
    if problems:
        sys.exit(EXIT_PROBLEMS)
