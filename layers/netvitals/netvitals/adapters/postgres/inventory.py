"""Read the inventory from PostgreSQL: netvitals' own table `devices`, or an existing one of the owner's."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, LiteralString

from psycopg import sql

from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import FIELDS, BadRow, device_from, place_of
from netvitals.domain.protocols import VITAL_MEMORY

CHUNK_ROWS = 1000
CHUNK_SECONDS = 10
"""The limit for one chunk, which takes milliseconds; fan-out needs time to go on without the database."""
_NAME_CHARACTERS = 257
_DOCUMENT_CHARACTERS = 64 * 1024
"""Length at which a value is cut: one character more than is allowed, so that a chunk stays small."""
_DOCUMENT: tuple[LiteralString, int] = ("nullif(left({column}::text, {limit}), '{{}}')", _DOCUMENT_CHARACTERS)
_SHAPES: dict[str, tuple[LiteralString, int]] = {
    # An inet cast to text ends in its prefix length.
    "ip_address": ("left(split_part({column}::text, '/', 1), {limit})", _NAME_CHARACTERS),
    "enabled": ("nullif(left({column}::text, {limit}), 'true')", _NAME_CHARACTERS),
    "settings": _DOCUMENT,
    # Only the keys that a poll can't do without travel with its job: the collector reads the rest.
    "memory": (
        (
            "CASE WHEN {column} ?| {keys} THEN left((SELECT jsonb_object_agg(key, value)"
            " FROM jsonb_each({column}) WHERE key = ANY({keys}))::text, {limit}) END"
        ),
        _DOCUMENT_CHARACTERS,
    ),
    "failures": ("nullif({column}, 0)::text", _NAME_CHARACTERS),
    "reason": ("nullif(left({column}, {limit}), 'ok')", _NAME_CHARACTERS),
}
_STATE = ("memory", "failures", "reason", "last_seen_at", "status_attempt_at", "metrics_attempt_at", "points")
"""Columns of `device_state` that fan-out reads."""


class PostgresInventory:
    """Reads `devices` joined with `device_state`.

    Reads in chunks in the order of `id`, each in a transaction of its own: memory is constant, a consumer may
    be slow, and a dropped connection costs one chunk. Every value is cast to text in SQL, so the
    columns may have any type (uuid, bigint, inet, varchar …), and columns other than `id` may be missing.
    """

    def __init__(
        self, database: Database, chunk_rows: int = CHUNK_ROWS, *, collector: str | None = None
    ) -> None:
        """Read the devices of the collector group `collector` only, or those of all groups."""
        self._database = database
        self._chunk_rows = chunk_rows
        self._collector = collector

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:
        """Yield the enabled devices in chunks; see `ports.Inventory`."""
        for rows in self.rows(_STATE, enabled_only=True):
            yield list(_usable(rows, report))

    def rows(
        self, state_columns: Sequence[str] = (), *, enabled_only: bool
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield chunks of rows: texts by the names of `FIELDS`, and by those of columns of `device_state`."""
        types = self._database.run(column_types, read_only=True, timeout_seconds=CHUNK_SECONDS)
        names = [*FIELDS, *state_columns]
        last: str | None = None
        while True:
            conditions = [in_group("devices", types, self._collector)] if self._collector is not None else []
            if enabled_only:
                conditions.append(enabled("devices", types))
            query = _query(types, state_columns, conditions, after=last is not None)
            parameters = {"after": last, "limit": self._chunk_rows}
            rows = self._database.run(
                _fetching(query, parameters), read_only=True, timeout_seconds=CHUNK_SECONDS
            )
            yield [dict(zip(names, row, strict=True)) for row in rows]
            last = rows[-1][0] if len(rows) == self._chunk_rows else None
            if last is None:
                return


def column_types(cursor: Cursor) -> dict[str, str]:
    """Return the columns of `devices` with their types, as its owner made them, without a length.

    A cast to a type with a length, such as varchar(8), cuts the value silently; an assignment refuses it.

    Raises:
        Unavailable: there is no such table, or it has no `id`.
    """
    cursor.execute(
        "SELECT attname, format_type(atttypid, -1) FROM pg_attribute"
        " WHERE attrelid = to_regclass('devices') AND attnum > 0 AND NOT attisdropped"
    )
    types: dict[str, str] = dict(cursor.fetchall())
    if not types:
        raise Unavailable("the database has no table devices; create it with: netvitals inventory init")
    if "id" not in types:
        raise Unavailable("the table devices has no column id: make a view of that name which has one")
    return types


def _query(
    types: dict[str, str], state_columns: Sequence[str], more: Sequence[sql.Composable], *, after: bool
) -> sql.Composed:
    """Return the query of one chunk; limit and lateral join keep the planner to the primary keys."""
    conditions: list[sql.Composable] = [
        sql.SQL("id > %(after)s::{}").format(sql.SQL(types["id"])) if after else sql.SQL("id IS NOT NULL"),
        *more,
    ]
    return sql.SQL(
        "SELECT {values} FROM (SELECT * FROM devices WHERE {conditions} ORDER BY id LIMIT %(limit)s) AS d"
        " LEFT JOIN LATERAL (SELECT * FROM device_state WHERE device_id = d.id::text LIMIT 1) AS s ON true"
        " ORDER BY d.id"
    ).format(
        values=sql.SQL(", ").join(
            [field("d", name, types) for name in FIELDS] + [_text("s", name) for name in state_columns]
        ),
        conditions=sql.SQL(" AND ").join(conditions),
    )


def enabled(table: str, types: dict[str, str]) -> sql.Composable:
    """Return the condition that a device is enabled; without a column or value it is."""
    if "enabled" not in types:
        return sql.SQL("true")
    return sql.SQL(
        "({column} IS NULL OR lower({column}::text) NOT IN ('false', 'f', 'no', 'n', 'off', '0'))"
    ).format(column=sql.Identifier(table, "enabled"))


def device_counts(cursor: Cursor) -> tuple[int, int]:
    """Return how many devices there are, and how many of them are enabled.

    Raises:
        Unavailable: there is no table of devices.
    """
    query = sql.SQL(
        "SELECT count(*), count(*) FILTER (WHERE {enabled}) FROM devices AS d WHERE d.id IS NOT NULL"
    )
    cursor.execute(query.format(enabled=enabled("d", column_types(cursor))))
    devices, polled = cursor.fetchall()[0]
    return devices, polled


def in_group(table: str, types: dict[str, str], collector: str) -> sql.Composable:
    """Return the condition that a device is of a collector group; without a column all are of the empty one.

    Raises:
        Unavailable: a group is named, and the inventory has none.
    """
    if "collector" in types:
        # No expression of the column: the planner would estimate that one selects half a percent of the rows.
        condition = "{column}::text = {group}" if collector else "({column} IS NULL OR {column}::text = '')"
        return sql.SQL(condition).format(
            column=sql.Identifier(table, "collector"), group=sql.Literal(collector)
        )
    if collector:
        raise Unavailable(
            f"the table devices has no column collector, so no device is of the group {collector!r}: "
            "add the column, or leave CollectorGroup empty"
        )
    return sql.SQL("true")


def field(table: str, name: str, types: dict[str, str]) -> sql.Composable:
    """Return a column of `devices` cast to text; NULL where it is missing, or has its usual value."""
    if name not in types:
        return sql.SQL("NULL::text")
    if name == "id":  # never cut: the next chunk begins after it
        return sql.SQL("{}::text").format(sql.Identifier(table, name))
    return _text(table, name)


def _text(table: str, name: str) -> sql.Composed:
    shape, limit = _SHAPES.get(name, ("left({column}::text, {limit})", _NAME_CHARACTERS))
    return sql.SQL(shape).format(
        column=sql.Identifier(table, name), limit=sql.Literal(limit), keys=sql.Literal(sorted(VITAL_MEMORY))
    )


def _fetching(query: sql.Composed, parameters: dict[str, Any]) -> Callable[[Cursor], list[tuple[Any, ...]]]:
    return lambda cursor: cursor.execute(query, parameters).fetchall()


def _usable(rows: Sequence[dict[str, Any]], report: Callable[[BadRow], None]) -> Iterator[Device]:
    for row in rows:
        device = device_from(row, place_of(row["id"]))
        if isinstance(device, Device):
            yield device
        else:
            for bad in device:
                report(bad)
