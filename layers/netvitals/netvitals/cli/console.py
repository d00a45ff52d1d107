"""Open the console that tables are printed on."""

import os

from rich.console import Console

WIDTH_OF_A_FILE = 200


def console() -> Console:
    """Return standard output, as wide as its terminal; in a pipe or file as COLUMNS says, or 200 columns.

    Without emoji: `:secret:` is a part of every secret's ARN.
    """
    found = Console(emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = WIDTH_OF_A_FILE
    return found
