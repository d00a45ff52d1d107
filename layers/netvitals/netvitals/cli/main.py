"""Run the command `netvitals`; subcommands are imported when they are called."""

import os
import signal
import sys
from importlib import import_module
from typing import IO, Any

import click
from click.exceptions import NoSuchCommand

from netvitals import __version__
from netvitals.cli.stderr_log import log_on_stderr
from netvitals.domain.errors import NetvitalsError

COMMANDS = {
    "poll": "poll.command",
    "show": "show",
    "top": "top",
    "events": "events",
    "ui": "ui",
    "discover": "discover.command",
    "inventory": "inventory.command",
    "maintenance": "maintenance",
    "config": "config.command",
    "schema": "schema.command",
    "doctor": "doctor.command",
    "spool": "spool",
    "profile": "profile.command",
    "cost": "cost.command",
    "grafana": "grafana.command",
    "pause": "pause",
    "resume": "resume",
}
"""The module of this package that holds the click command of each name, in the order of the help."""
EXIT_UNUSABLE = 2
EXIT_PIPE_CLOSED = 128 + signal.SIGPIPE
"""Exit status of a program that a shell ends because its pipe's reader, such as `head`, has gone."""

_EPILOG = """\b
Try it:
  netvitals poll 192.0.2.1                  one device; asks for its community
  netvitals poll 192.0.2.1 --v3 monitor     the same over SNMPv3
  netvitals poll --inventory devices.csv --credentials credentials.json
  netvitals discover 10.1.0.0/16 --credentials credentials.json
  netvitals ui                              a page of the fleet
  netvitals inventory check devices.csv     faults of an inventory, by row
  netvitals config check netvitals.yaml     faults of a configuration, by key
  netvitals cost --devices 1000 --ports 24  the monthly cost of a fleet

`netvitals COMMAND --help` explains each command with examples."""


class _Unusable(click.ClickException):
    """Raised to end the command with an error text and no traceback."""

    exit_code = EXIT_UNUSABLE

    def show(self, file: IO[str] | None = None) -> None:
        click.echo(f"netvitals: {self.message}", file=file, err=file is None)


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NetvitalsError as error:
            raise _Unusable(str(error)) from error
        except BrokenPipeError:  # of standard output: those of connections are faults of their services
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at the exit
            ctx.exit(EXIT_PIPE_CLOSED)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:  # click looks for what was meant among commands that are imported
            name = error.command_name
            raise NoSuchCommand(name, possibilities=self.list_commands(ctx), ctx=ctx) from None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"netvitals.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="netvitals")
@click.pass_context
def cli(context: click.Context) -> None:
    """Collect the vital signs of network devices with AWS Lambda, and store them in InfluxDB.

    `poll` polls devices in the same way as the deployed collector, and writes nothing. The other commands
    prepare a deployment, check it, and show what it has stored.
    """
    context.obj = context.with_resource(log_on_stderr())


def main() -> None:
    cli.main(prog_name="netvitals")


if __name__ == "__main__":
    main()
