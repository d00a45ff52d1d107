"""Describe the options of `netvitals poll ADDRESS` that a protocol has.

Data and plain functions: the command line's own library is not installed where collectors run.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import msgspec


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """An option of `netvitals poll`."""

    flag: str
    """The option's name on the command line: `--host-key`."""
    name: str
    """The key of its value; protocols that share an option give it the same name."""
    help: str
    metavar: str | None = None
    default: str | None = None
    choices: tuple[str, ...] = ()
    any_case: bool = False
    """True where choices are accepted in upper or lower case."""
    is_flag: bool = False
    is_file: bool = False
    is_folder: bool = False
    multiple: bool = False
    needs: str = ""
    """Name of the option without which this one has no effect."""
    excludes: str = ""
    """Name of the option beside which this one has no effect."""
    variable: str | None = None
    """The environment variable that is read where the option is not given."""
    sets: str = ""
    """The key of the protocol's settings that it sets, to its value or, if it is a flag, to `value`."""
    value: bool = True

    @property
    def is_of_credential(self) -> bool:
        """Return whether it is a part of the credential; other options are settings of the poll."""
        return not self.sets and not self.is_folder


class Prompt(Protocol):
    """Gets what no option gave, from the environment or a person; raises a usage error where it can't."""

    def text(self, given: str | None, option: str, prompt: str) -> str:
        """Return the option's text, or what a person answers on a terminal."""
        ...

    def secret(self, given: str | None, variable: str, prompt: str) -> str:
        """Return what was given, the environment variable, or what a person answers on a terminal."""
        ...

    def variable(self, name: str) -> str | None:
        """Return an environment variable."""
        ...

    def content(self, file: Path, option: str) -> str:
        """Return the text in an option's file."""
        ...


class CommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one protocol, and the credential that they make."""

    options: tuple[Option, ...]
    chosen_by: tuple[str, ...]
    """Names of options each of which, if given, says that the device is polled over this protocol."""
    credential: Callable[[Mapping[str, Any], Prompt], dict[str, Any]]
    """Makes the protocol's part of a credential, as the credential map has it, of the options' values."""
    prepared: Callable[[Mapping[str, Any]], AbstractContextManager[None]] | None = None
    """Returns a context manager in which the command runs, prepared as its options ask.

    Raises a ConfigurationError where an option names something that does not exist.
    """


USER = Option(
    flag="--user",
    name="login",
    metavar="USER",
    help="With ADDRESS: log in over SSH or WinRM, as this user.",
)
PASSWORD = Option(
    flag="--password",
    name="password",
    variable="NETVITALS_PASSWORD",
    needs="login",
    help="With --user: its password.",
)


def user(given: Mapping[str, Any], prompt: Prompt) -> str:
    """Return the user to log in as."""
    return prompt.text(given[USER.name], USER.flag, "User")


def password(given: Mapping[str, Any], prompt: Prompt) -> str:
    """Return the password to log in with."""
    return prompt.secret(given[PASSWORD.name], str(PASSWORD.variable), "Password")
