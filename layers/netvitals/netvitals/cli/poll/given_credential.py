"""Make a credential of options, environment and, on a terminal, answers to prompts."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from netvitals.collectors.registry import command_lines


def given_credential(given: Mapping[str, Any], protocols: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return an entry of the credential map for those of the protocols that an option was given for.

    Where nothing was given at all, the first protocol's credential is asked for.

    Raises:
        click.UsageError: something is missing, and there is no terminal to ask on.
    """
    known = {name: line for name, line in command_lines().items() if name in protocols}
    chosen = [name for name in protocols if name in known and _is_chosen(known[name].chosen_by, given)]
    others = [name for name, line in command_lines().items() if _is_chosen(line.chosen_by, given)]
    if others and not chosen:
        raise click.UsageError(
            f"the options given are for {' or '.join(others)}, and the device's type is polled over "
            f"{' or '.join(protocols)}: choose another --type"
        )
    entry = {}
    for name in chosen or protocols[:1]:
        if name not in known:
            raise click.UsageError(f"{name} takes its credential from a map: give --credential")
        entry[name] = known[name].credential(given, _Terminal())
    return entry


def _is_chosen(options: Sequence[str], given: Mapping[str, Any]) -> bool:
    return any(given.get(option) is not None for option in options)


class _Terminal:
    """Implements `collectors.command_line.Prompt`."""

    def text(self, given: str | None, option: str, prompt: str) -> str:
        if given is not None:
            return given
        if not sys.stdin.isatty():
            raise click.UsageError(f"give the {prompt.lower()} to log in as with {option}")
        return str(click.prompt(prompt, err=True))

    def secret(self, given: str | None, variable: str, prompt: str) -> str:
        text = given if given is not None else os.environ.get(variable)
        if text is not None:
            return text
        if not sys.stdin.isatty():
            raise click.UsageError(f"set {variable}, or run this on a terminal to be asked for it")
        return str(click.prompt(prompt, hide_input=True, err=True))

    def variable(self, name: str) -> str | None:
        return os.environ.get(name)

    def content(self, file: Path, option: str) -> str:
        try:
            return file.read_text()
        except (OSError, UnicodeError) as error:
            raise click.UsageError(f"{option} {file} can't be read: {error}") from None
