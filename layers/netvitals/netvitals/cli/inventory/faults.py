"""Print the faults of an inventory, and exit."""

import sys
from collections.abc import Sequence

import click

from netvitals.cli.figures import counted
from netvitals.domain.inventory.row import BadRow

EXIT_FAULTS = 1
_SHOWN_FAULTS = 100


def stop_at(faults: Sequence[BadRow], consequence: str = "") -> None:
    """Print the faults and exit 1; do nothing where there are none."""
    faults = sorted(faults, key=_line)
    for fault in faults[:_SHOWN_FAULTS]:
        click.echo(str(fault))
    if len(faults) > _SHOWN_FAULTS:
        click.echo(f"… and {len(faults) - _SHOWN_FAULTS} more")
    if faults:
        click.echo(f"{counted(len(faults), 'fault')}{consequence}", err=True)
        sys.exit(EXIT_FAULTS)


def _line(fault: BadRow) -> int:
    """Return the line of a file that a fault is in; 0 for those of a table, which keep their order."""
    number = fault.where.removeprefix("line ")
    return int(number) if number.isdecimal() else 0
