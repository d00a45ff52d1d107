"""Define the option of commands that print a table for people or lines for programs."""

import click

format_option = click.option(
    "--format", "format_", type=click.Choice(["table", "jsonl"]), default="table", show_default=True,
    help="For people; or one JSON object a line, for programs.",
)  # fmt: skip
