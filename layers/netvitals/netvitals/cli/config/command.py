"""Implement `netvitals config`: check a configuration before it is deployed, show the effective settings."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from netvitals import settings
from netvitals.adapters.files.configuration_document import document_in_file
from netvitals.cli.config.origins import (
    Origins,
    Setting,
    document_rows,
    parameter_rows,
    type_rows,
    variable_rows,
)
from netvitals.cli.config.reference import default_document
from netvitals.cli.console import console
from netvitals.cli.formats import format_option
from netvitals.domain.errors import ConfigurationError, NetvitalsError
from netvitals.domain.settings.configuration import retired_keys

if TYPE_CHECKING:
    from netvitals.adapters.aws.stack import Stack

EXIT_WRONG = 1

_EPILOG = """\b
Examples:
  netvitals config check netvitals.yaml     what is wrong with it, key by key
  netvitals config check --function collector
                      whether the environment has all that a function needs
  netvitals config check --connect
                      whether database, InfluxDB and secrets can be used
  netvitals config check --stack netvitals
                      the settings of a deployed stack, and their origin
  netvitals config show-defaults > netvitals.yaml

\b
Exit status:
  0  everything can be used
  1  something can't be used; each fault is a line on standard error"""


@click.group(epilog=_EPILOG)
def config() -> None:
    """Check the configuration, and show the effective settings."""


@config.command("show-defaults", short_help="Print a complete document, each key explained.")
def show_defaults() -> None:
    """Print the package's defaults as a document in which each key is explained."""
    click.echo(default_document(), nl=False)


@config.command(short_help="Print a stack's variables for `sam local invoke`.")
@click.option("--stack", required=True, metavar="NAME", help="The deployed stack.")
def env(stack: str) -> None:
    """Print the variables of a stack's functions, as `sam local invoke --env-vars` takes them.

    A function that runs with them reads the stack's secrets, polls, and writes to its queues and its
    InfluxDB. It keeps no copy of the inventory, and does not look whether polling is paused.
    """
    emptied = ("NETVITALS_SNAPSHOT_BUCKET", "NETVITALS_PAUSE_PARAMETER")
    found = {
        function: variables | {name: "" for name in emptied if name in variables}
        for function, variables in _deployed(stack).environments.items()
    }
    click.echo(json.dumps(found, indent=2))


@config.command(epilog=_EPILOG, short_help="Check a document, show the effective settings.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--function", type=click.Choice(list(settings.FUNCTIONS)),
              help="Require the environment that this function needs.")  # fmt: skip
@click.option("--connect", is_flag=True, help="Also use what is configured: database, InfluxDB, secrets.")
@click.option("--stack", metavar="NAME", help="Check what a deployed stack runs with.")
@click.option("--all", "everything", is_flag=True, help="Show every key of every device type.")
@format_option
def check(
    file: Path | None,
    *,
    function: str | None,
    connect: bool,
    stack: str | None,
    everything: bool,
    format_: str,
) -> None:
    """Check a document and the environment together, and show the effective settings.

    FILE is a YAML or JSON document; without it, NETVITALS_CONFIG_FILE or NETVITALS_CONFIG_PARAMETER says
    where it is, and without these the package's defaults are shown. Each value is shown with where it comes
    from; of a secret only that it is set.

    With --stack, the environment is that of the stack's functions, and FILE a document that it is to get.
    """
    show = _print_line if format_ == "jsonl" else _print_table
    if stack and connect:
        raise click.UsageError("--connect uses what this machine reaches: it can't be used with --stack")
    deployed = _deployed(stack) if stack else None
    environ = deployed.environ if deployed else dict(os.environ)
    if file is not None:
        environ |= {"NETVITALS_CONFIG_FILE": str(file), "NETVITALS_CONFIG_PARAMETER": ""}
    faults = list(_variable_faults(environ, function))
    try:
        document, name = _document(environ)
        configuration = settings.configuration(document, name, environ)
    except NetvitalsError as error:
        _fail([*faults, str(error)])
    origins = Origins(document, name, environ, f"of stack {stack}" if stack else "")
    show("Settings", document_rows(configuration, origins))
    for device_type in configuration.known_types:
        show(
            f"Device type {device_type}",
            type_rows(configuration, device_type, origins, everything=everything),
        )
    if deployed:
        show("Parameters", parameter_rows(deployed.parameters, deployed.defaults, everything=everything))
    show("Environment", variable_rows(environ, function))
    for line in settings.overridden(document, environ):
        click.echo(f"{name}: {line}", err=format_ == "jsonl")
    for key in retired_keys(document):
        click.echo(
            f"{name}: {key} has no effect any more: netvitals works that out itself", err=format_ == "jsonl"
        )
    if connect and not faults:
        from netvitals.cli.config.connect import connections  # noqa: PLC0415, brings all that Lambda uses

        tried = list(connections(environ))
        show("Connections", [Setting(each.what, each.found, each.where) for each in tried])
        faults += [f"{each.what}: {each.found}" for each in tried if not each.usable]
    if faults:
        _fail(faults)


def _deployed(name: str) -> "Stack":
    from netvitals.adapters.aws.stack import read_stack  # noqa: PLC0415, boto3 is slow to import

    stack = read_stack(name)
    if not stack.environ:
        raise ConfigurationError(f"stack {name} has no function with variables: is it one of netvitals?")
    return stack


def _variable_faults(environ: Mapping[str, str], function: str | None) -> Iterator[str]:
    """Yield the faults of the groups of variables that the function needs, or of which one is set."""
    needed = settings.FUNCTIONS[function] if function else ()
    for group in settings.groups():
        if group in needed or any(environ.get(name) for name in group.__struct_encode_fields__):
            try:
                settings.variables(group, environ)
            except ConfigurationError as error:
                yield str(error)


def _document(environ: Mapping[str, str]) -> tuple[Any, str]:
    where = settings.variables(settings.DocumentVariables, environ)
    if where.file:
        return document_in_file(where.file), where.file
    if where.parameter:
        from netvitals.adapters.aws.clients import client  # noqa: PLC0415, boto3 is slow to import
        from netvitals.adapters.aws.parameter_store import document_in_parameter  # noqa: PLC0415, as above

        return document_in_parameter(where.parameter, client("ssm")), f"SSM parameter {where.parameter}"
    return {}, "the defaults"


def _print_line(title: str, rows: list[Setting]) -> None:
    for row in rows:
        click.echo(json.dumps({"section": title, **row._asdict()}, ensure_ascii=False))


def _print_table(title: str, rows: list[Setting]) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("name", "value", "from"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console().print(table, "")


def _fail(faults: list[str]) -> None:
    for fault in faults:
        click.echo(f"netvitals: {fault}".replace("\n", "\nnetvitals: "), err=True)
    sys.exit(EXIT_WRONG)
