"""Check whether the tables are those of this version, and whether the connection's user may use them.

Both are read from PostgreSQL's catalogue, which every user may read: the functions' user has no right to
`netvitals_migrations`.
"""

from typing import NamedTuple

from netvitals.adapters.postgres.database import Cursor

MARKS: dict[str, tuple[str, str]] = {
    "0001_devices_and_state": ("device_state", "device_id"),
    "0002_status": ("status_outbox", "body"),
    "0003_due_times": ("device_state", "status_due_at"),
    "0004_device_samples": ("device_samples", "samples"),
    "0005_points": ("device_state", "points"),
    "0006_collector_groups": ("status_watch", "collector"),
    "0007_import_disabled": ("import_disabled", "device_id"),
    "0008_maintenance_windows": ("maintenance_windows", "scope"),
}
"""A table and column that each migration adds."""
RIGHTS: dict[str, tuple[str, ...]] = {
    "devices": ("SELECT",),
    "maintenance_windows": ("SELECT",),
    "device_state": ("SELECT", "INSERT", "UPDATE"),
    "device_samples": ("SELECT", "INSERT", "UPDATE"),
    "site_state": ("SELECT", "INSERT", "UPDATE"),
    "status_watch": ("SELECT", "INSERT", "UPDATE"),
    "status_outbox": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "device_status_history": ("INSERT",),
}
"""Rights that the functions need on each table: docs/inventory.md, "Rights"."""


class Server(NamedTuple):
    user: str
    version: str


def server(cursor: Cursor) -> Server:
    """Return the connection's user and the server's version."""
    (row,) = cursor.execute("SELECT current_user::text, current_setting('server_version')").fetchall()
    return Server(*row)


def missing_migrations(cursor: Cursor) -> list[str]:
    """Return the names of the migrations that were not applied, in their order."""
    cursor.execute(
        "SELECT name FROM unnest(%s::text[], %s::text[], %s::text[]) AS mark (name, place, attribute)"
        " WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(place)"
        " AND attname = attribute AND NOT attisdropped) ORDER BY name",
        [list(MARKS), [table for table, _ in MARKS.values()], [column for _, column in MARKS.values()]],
    )
    return [name for (name,) in cursor.fetchall()]


def missing_rights(cursor: Cursor) -> dict[str, list[str]]:
    """Return the rights that the connection's user lacks, by table, of tables that are there."""
    pairs = [(table, right) for table, rights in RIGHTS.items() for right in rights]
    cursor.execute(
        "SELECT place, privilege FROM unnest(%s::text[], %s::text[]) AS wanted (place, privilege)"
        " WHERE NOT has_table_privilege(to_regclass(place)::oid, privilege)",
        [[table for table, _ in pairs], [right for _, right in pairs]],
    )
    found: dict[str, list[str]] = {}
    for table, right in cursor.fetchall():
        found.setdefault(table, []).append(right)
    return found
