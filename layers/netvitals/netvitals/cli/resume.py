"""Implement `netvitals resume`: resume polling after `netvitals pause`."""

import click

from netvitals.cli.pause import parameter_for, stack_option

_EPILOG = """\b
Example:
  netvitals resume --stack netvitals-dev"""


@click.command(short_help="Resume polling after `pause`.", epilog=_EPILOG)
@stack_option
def resume(stack: str) -> None:
    """Resume polling after `netvitals pause`, from the next tick on.

    Exits with 0 also if the stack was not paused.
    """
    was_paused = parameter_for(stack).resume()
    click.echo(f"polling of stack {stack} {'resumes with the next tick' if was_paused else 'was not paused'}")
