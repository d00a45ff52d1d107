"""Refuse options of `netvitals poll` that others would leave without effect, rather than ignore them."""

from collections.abc import Iterable

import click
from click.core import ParameterSource

from netvitals.collectors.command_line import Option
from netvitals.collectors.registry import command_lines

_OF_ADDRESS = {"device_type": "--type", "port": "--port", "credential": "--credential"}


def refuse_ineffective(*, of_inventory: bool, by_name: bool) -> None:
    """Raise a usage error for an option on the command line that has no effect beside the others.

    `of_inventory`: devices come from an inventory; `by_name`: the credential is one of the map. Variables of
    the environment may be there for other commands: they are no contradiction.
    """
    described = {each.name: each for line in command_lines().values() for each in line.options}
    flags = {**_OF_ADDRESS, **{name: each.flag for name, each in described.items()}}
    given = {name for name in (*flags, "device_ids") if _is_given(name)}
    written = [each for name, each in described.items() if name in given]
    if of_inventory:
        misplaced = {*_OF_ADDRESS, *(name for name, each in described.items() if not each.is_folder)}
        for name in sorted(given & misplaced):
            raise click.UsageError(
                f"{flags[name]} goes with an ADDRESS: with --inventory the device's row, its type and the "
                "credential map say it"
            )
    elif "device_ids" in given:
        raise click.UsageError("--device chooses devices of an --inventory: leave it out with an ADDRESS")
    if by_name:
        for each in written:
            if each.is_of_credential:
                raise click.UsageError(
                    f"{each.flag} has no effect with --credential, whose entry in the map says it: "
                    "leave one of them out"
                )
    _refuse_unpaired(written, flags, given)


def _refuse_unpaired(written: Iterable[Option], flags: dict[str, str], given: set[str]) -> None:
    for each in written:
        if each.needs and each.needs not in given:
            raise click.UsageError(f"{each.flag} has no effect without {flags[each.needs]}")
        if each.excludes in given:
            raise click.UsageError(
                f"{each.flag} has no effect with {flags[each.excludes]}: leave one of them out"
            )


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
