"""Implement `netvitals resume`: go on polling after `netvitals pause`."""

import click

from netvitals.cli.pause import parameter_for, stack_option


@click.command(short_help="Go on polling after `pause`.")
@stack_option
def resume(stack: str) -> None:
    """Go on polling after `netvitals pause`, from the next tick on.

    Exits 0 as well where the stack was not paused.
    """
    was_paused = parameter_for(stack).resume()
    click.echo(f"polling of stack {stack} {'goes on with the next tick' if was_paused else 'was not paused'}")
