"""Implement `netvitals pause`: stop polling until `netvitals resume`, whatever is deployed meanwhile."""

import time
from typing import TYPE_CHECKING

import click

from netvitals.adapters.aws.clients import client
from netvitals.adapters.aws.pause import PauseParameter, parameter_of
from netvitals.adapters.aws.stack import read_parameters

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_EPILOG = """\b
Examples:
  netvitals pause --stack netvitals-dev --reason "core is being replaced"
  netvitals doctor --stack netvitals-dev    says whether a stack is paused
  netvitals resume --stack netvitals-dev"""

stack_option = click.option(
    "--stack", required=True, metavar="NAME", help="Name of the stack; samconfig.toml has it as stack_name."
)


@click.command(short_help="Stop polling until `resume`, whatever is deployed.", epilog=_EPILOG)
@stack_option
@click.option("--reason", default="", metavar="TEXT", help="Kept with the pause, and logged at each tick.")
def pause(stack: str, reason: str) -> None:
    """Stop handing out polls until `netvitals resume`; no deployment undoes it.

    The pause is an SSM parameter of its own, /netvitals/NAME/paused, which fan-out reads at each tick. Jobs
    that are queued already are still polled, for up to two minutes with the default schedules. Alarms for
    silence fire, and after five minutes devices are `unknown`, with one event for the whole fleet.
    """
    parameter_for(stack).pause(reason, time.time())
    click.echo(f"polling of stack {stack} is paused; netvitals resume --stack {stack} resumes it")


def parameter_for(stack: str) -> PauseParameter:
    """Return the pause parameter of a stack; raise ConfigurationError where there is no such stack."""
    read_parameters(stack)
    ssm: SSMClient = client("ssm")
    return PauseParameter(ssm, parameter_of(stack))
