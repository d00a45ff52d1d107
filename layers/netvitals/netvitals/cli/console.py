"""Open the console that tables are printed on."""

import os

from rich.console import Console

WIDTH_OF_A_FILE = 200


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError, for which `main` has an exit status of its own; Rich would exit with 1."""
        raise BrokenPipeError


def console() -> Console:
    """Return a console on standard output, as wide as its terminal; in a pipe or file COLUMNS or 200 wide.

    Emoji are off: `:secret:` is a part of every secret's ARN.
    """
    found = _Console(emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = WIDTH_OF_A_FILE
    return found
