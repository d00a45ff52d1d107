"""Implement `netvitals schema`: print JSON Schemas and TypeScript types of netvitals' documents."""

import click

NAMES = ("inventory", "credentials", "configuration", "job", "event", "poll")
_EPILOG = """\b
Examples:
  netvitals schema configuration > netvitals.schema.json
  netvitals schema event           the detail of an event on the stack's bus
  netvitals schema poll            a line of `netvitals poll --format jsonl`
  netvitals schema --typescript > netvitals.d.ts

\b
An editor checks a configuration document whose first line is
  # yaml-language-server: $schema=netvitals.schema.json
or, in JSON, which has the key "$schema". Keys that depend on each other
are checked by `netvitals config check` and `netvitals inventory check`."""


@click.command(epilog=_EPILOG, short_help="Print JSON Schemas and TypeScript types.")
@click.argument("name", required=False, type=click.Choice(NAMES))
@click.option("--typescript", is_flag=True, help="Print TypeScript types of all of them.")
def schema(name: str | None, typescript: bool) -> None:
    """Print the JSON Schema (2020-12) of what netvitals reads and writes.

    A schema has the meaning, unit and limits of each key, and a version: its minor number increases when
    something is added, the major number with an incompatible change.
    """
    if (name is None) != typescript:
        raise click.UsageError(f"name one of {', '.join(NAMES)}, or --typescript for all of them")
    if name is None:
        from netvitals.cli.schema.typescript import typescript as types  # noqa: PLC0415, slow to import

        click.echo(types(), nl=False)
    else:
        from netvitals.cli.schema.documents import document, text  # noqa: PLC0415, as above

        click.echo(text(document(name)), nl=False)
