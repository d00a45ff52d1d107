"""Create and migrate the tables: SQL files applied in order, each once, however many processes try."""

from importlib.resources import files

from netvitals.adapters.postgres.database import Cursor, Database

_LOCK = 0x6E657476  # "netv": key of the advisory lock
_TIMEOUT_SECONDS = 600


def migrate(database: Database) -> list[str]:
    """Bring the tables to this version, in one transaction, and return the names of what was applied.

    A table `devices` that exists is left as it is.

    Raises:
        Unavailable: the database can't be used, or its user may not create tables.
    """
    return database.run(_apply, timeout_seconds=_TIMEOUT_SECONDS)


def _apply(cursor: Cursor) -> list[str]:
    cursor.execute("SET LOCAL lock_timeout = 0")  # another migration may take long
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS netvitals_migrations"
        " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    cursor.execute("SELECT name FROM netvitals_migrations")
    applied = {name for (name,) in cursor.fetchall()}
    missing = [(name, text) for name, text in _migrations() if name not in applied]
    for name, text in missing:
        cursor.execute(text.encode())
        cursor.execute("INSERT INTO netvitals_migrations (name) VALUES (%s)", [name])
    return [name for name, _ in missing]


def _migrations() -> list[tuple[str, str]]:
    folder = files("netvitals.adapters.postgres") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name.removesuffix(".sql"), (folder / name).read_text("utf-8")) for name in names]
