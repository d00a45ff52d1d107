"""Find collector groups that have devices and no running status function."""

from typing import NamedTuple

from psycopg import sql

from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.adapters.postgres.inventory import column_types, enabled

SERVED_SECONDS = 3600
"""Time within which a served group's status function has run; it runs every 14 minutes at least."""
_TIMEOUT_SECONDS = 10


class UnservedGroup(NamedTuple):
    name: str
    devices: int
    """Number of enabled devices."""

    def __str__(self) -> str:
        are = "device is" if self.devices == 1 else "devices are"
        which = f"of the collector group {self.name!r}" if self.name else "of no collector group"
        remedy = f"CollectorGroup={self.name}" if self.name else "an empty CollectorGroup"
        return f"{self.devices} {are} {which}, which no stack serves: deploy one with {remedy}"


def unserved_groups(database: Database) -> list[UnservedGroup]:
    """Return the groups of enabled devices for which no status function has run lately.

    Return none before the first run of any status function.

    Raises:
        Unavailable: the tables can't be read.
    """
    return database.run(_unserved, read_only=True, timeout_seconds=_TIMEOUT_SECONDS)


def _unserved(cursor: Cursor) -> list[UnservedGroup]:
    types = column_types(cursor)
    group = sql.SQL("coalesce(d.collector::text, '')" if "collector" in types else "''")
    query = sql.SQL(
        "SELECT {group}, count(*) FROM devices AS d WHERE d.id IS NOT NULL AND {enabled}"
        " AND EXISTS (SELECT FROM status_watch)"
        " AND NOT EXISTS (SELECT FROM status_watch AS w WHERE w.collector = {group}"
        "  AND CASE jsonb_typeof(w.watch -> 'last_run_at') WHEN 'number'"
        "   THEN to_timestamp((w.watch ->> 'last_run_at')::float8) > now() - make_interval(secs => %s) END)"
        " GROUP BY 1 ORDER BY 1"
    ).format(group=group, enabled=enabled("d", types))
    cursor.execute(query, [SERVED_SECONDS])
    return [UnservedGroup(*row) for row in cursor.fetchall()]
