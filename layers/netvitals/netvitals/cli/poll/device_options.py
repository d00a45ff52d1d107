"""Add the options that say how one device, named by its address, is polled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from netvitals.collectors.command_line import Option
from netvitals.collectors.registry import command_lines

_TYPE = click.option(
    "--type",
    "device_type",
    default="network",
    show_default=True,
    metavar="TYPE",
    help="With ADDRESS: its device type.",
)
_OPTIONS = (
    click.option(
        "--port", type=click.IntRange(1, 65535), help="With ADDRESS: the port of its first protocol."
    ),
    click.option("--credential", metavar="NAME", help="With ADDRESS: a name in the credential map."),
)


def device_options[F: Callable[..., Any]](command: F) -> F:
    """Give a command the options of a device named by its address: common ones, and each protocol's."""
    described = {each.flag: each for line in command_lines().values() for each in line.options}
    for option in reversed((_TYPE, *_OPTIONS, *map(_option, described.values()))):
        command = option(command)
    return command


def protocol_options[F: Callable[..., Any]](protocol: str) -> Callable[[F], F]:
    """Return a decorator that gives a command the options of a device that is polled over one protocol."""

    def decorated(command: F) -> F:
        for option in reversed((*_OPTIONS, *map(_option, command_lines()[protocol].options))):
            command = option(command)
        return command

    return decorated


def _option(described: Option) -> Callable[[Any], Any]:
    settings: dict[str, Any] = {
        "help": described.help or None,
        "metavar": described.metavar,
        "envvar": described.variable,
        "default": described.default,
        "show_default": bool(described.default),
        "multiple": described.multiple,
    }
    if described.is_flag:
        return click.option(described.flag, described.name, is_flag=True, help=described.help)
    if described.choices:
        settings["type"] = click.Choice(described.choices, case_sensitive=not described.any_case)
    elif described.is_folder:
        settings["type"] = click.Path(exists=True, file_okay=False, path_type=Path)
    elif described.is_file:
        settings["type"] = click.Path(path_type=Path)
    return click.option(described.flag, described.name, **settings)
