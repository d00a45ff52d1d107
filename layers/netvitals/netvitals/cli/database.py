"""Open the database that an option or DATABASE_URL names, for the running command."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from netvitals.adapters.postgres.database import Database

database_option = click.option(
    "--database-url", envvar="DATABASE_URL", show_envvar=True, required=True, metavar="URL",
    help="The database. Better as DATABASE_URL: others see a command line in the list of processes.",
)  # fmt: skip


def open_database(database_url: str) -> "Database":
    """Return the database at this URL; it is closed when the running command ends."""
    from netvitals.adapters.postgres.database import Database  # noqa: PLC0415, psycopg takes a while to import
    from netvitals.domain.settings.secret import Secret  # noqa: PLC0415, as above

    database = Database(lambda: Secret(database_url))
    click.get_current_context().call_on_close(database.close)
    return database
