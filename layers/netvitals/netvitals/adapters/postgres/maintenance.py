"""Keep windows of maintenance in PostgreSQL: `netvitals maintenance` writes, the status function reads."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import sql

from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.adapters.postgres.inventory import column_types, field
from netvitals.domain.errors import NetvitalsError
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.maintenance import Maintenance, Scope, Window

KEPT_DAYS = 90
"""Days after its end for which a window is kept and listed."""
_SECONDS = 20
_COLUMNS = (
    "id, scope, name, extract(epoch FROM starts_at)::float8, extract(epoch FROM ends_at)::float8, reason"
)


class NoSuchWindow(NetvitalsError):
    """Raised where no window of this number is open or to come."""


def maintenance_at(cursor: Cursor, now: float) -> Maintenance:
    """Return the windows that are open; none where the table is missing or this user may not read it."""
    cursor.execute("SELECT has_table_privilege(to_regclass('maintenance_windows')::oid, 'SELECT')")
    [(readable,)] = cursor.fetchall()
    if not readable:
        return Maintenance((), now)
    cursor.execute(
        f"SELECT {_COLUMNS} FROM maintenance_windows"  # noqa: S608, our own columns
        " WHERE starts_at <= to_timestamp(%(now)s) AND ends_at > to_timestamp(%(now)s)",
        {"now": now},
    )
    return Maintenance(map(_window, cursor.fetchall()), now)


class MaintenanceTable:
    """Reads and writes windows; every method raises Unavailable where the database can't be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, names: Sequence[tuple[Scope, str]], *, start: float, end: float, reason: str) -> list[int]:
        """Add a window for each of these names, all or none, and return their numbers."""

        def inserted(cursor: Cursor) -> list[int]:
            cursor.execute(
                "DELETE FROM maintenance_windows WHERE ends_at < now() - make_interval(days => %s)",
                [KEPT_DAYS],
            )
            cursor.execute(
                "INSERT INTO maintenance_windows (scope, name, starts_at, ends_at, reason)"
                " SELECT scope, name, to_timestamp(%s), to_timestamp(%s), %s"
                " FROM unnest(%s::text[], %s::text[]) AS u (scope, name) RETURNING id",
                [start, end, reason, [scope for scope, _ in names], [name for _, name in names]],
            )
            return [number for (number,) in cursor.fetchall()]

        return self._database.run(inserted, timeout_seconds=_SECONDS)

    def unknown(self, names: Sequence[tuple[Scope, str]]) -> list[tuple[Scope, str]]:
        """Return the names that are no device's id, site or type in the inventory.

        A column that is missing counts as empty, and an empty type is that of `Device`.
        """

        def missing(cursor: Cursor) -> list[tuple[Scope, str]]:
            types = column_types(cursor)
            return [(scope, name) for scope, name in names if not _is_there(cursor, scope, name, types)]

        return self._database.run(missing, read_only=True, timeout_seconds=_SECONDS)

    def windows(self, *, ended: bool = False) -> list[Window]:
        """Return the windows that are open or to come, by their start; with `ended` all that are kept."""
        condition = "true" if ended else "ends_at > now()"
        query = f"SELECT {_COLUMNS} FROM maintenance_windows WHERE {condition} ORDER BY starts_at, id"  # noqa: S608, constants of this file
        return self._database.run(
            lambda cursor: list(map(_window, cursor.execute(query.encode()).fetchall())),
            read_only=True,
            timeout_seconds=_SECONDS,
        )

    def end(self, number: int) -> Window:
        """End a window now; one that is to come never begins.

        Raises:
            NoSuchWindow: no window of this number is open or to come.
        """

        def ended(cursor: Cursor) -> Window:
            cursor.execute(
                "UPDATE maintenance_windows SET ends_at = now(), starts_at = least(starts_at, now())"  # noqa: S608, as above
                f" WHERE id = %s AND ends_at > now() RETURNING {_COLUMNS}",
                [number],
            )
            row = cursor.fetchone()
            if row is None:
                raise NoSuchWindow(
                    f"no maintenance {number} is open or to come: see netvitals maintenance list"
                )
            return _window(row)

        return self._database.run(ended, timeout_seconds=_SECONDS)


def _is_there(cursor: Cursor, scope: Scope, name: str, types: dict[str, str]) -> bool:
    column = {"device": "id", "site": "site", "type": "device_type"}[scope]
    default = Device(id=name).device_type if scope == "type" else None
    query = sql.SQL("SELECT EXISTS (SELECT FROM devices AS d WHERE coalesce(nullif({}, ''), %s::text) = %s)")
    cursor.execute(query.format(field("d", column, types)), [default, name])
    [(exists,)] = cursor.fetchall()
    return bool(exists)


def _window(row: Sequence[Any]) -> Window:
    names = ("id", "scope", "name", "starts_at", "ends_at", "reason")
    return msgspec.convert(dict(zip(names, row, strict=True)), Window)
