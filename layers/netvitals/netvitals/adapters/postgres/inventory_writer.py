"""Write an imported inventory into `devices`, whatever types its owner gave the columns."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, LiteralString

import msgspec
from psycopg import sql

from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.adapters.postgres.inventory import PostgresInventory, column_types
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.import_plan import ImportPlan
from netvitals.domain.inventory.row import FIELDS, BadRow, device_from, place_of

_TIMEOUT_SECONDS = 600
_BATCH_ROWS = 5000


def devices_in(database: Database) -> tuple[list[tuple[str, Device]], list[BadRow]]:
    """Return all devices, disabled ones included, with their place, and what is wrong with the other rows.

    Raises:
        Unavailable: the table can't be read.
    """
    rows: list[tuple[str, Device]] = []
    bad_rows: list[BadRow] = []
    for device_id, device in _all(database):
        if isinstance(device, Device):
            rows.append((place_of(device_id), device))
        else:
            bad_rows.extend(device)
    return rows, bad_rows


def existing_devices(database: Database) -> dict[str, Device | None]:
    """Return all devices by their id; None for a row that can't be decoded, which an import can repair.

    Raises:
        Unavailable: the table can't be read.
    """
    return {device_id: device if isinstance(device, Device) else None for device_id, device in _all(database)}


def _all(database: Database) -> Iterator[tuple[str, Device | list[BadRow]]]:
    for chunk in PostgresInventory(database).rows(enabled_only=False):
        for row in chunk:
            yield row["id"], device_from(row, place_of(row["id"]))


def disabled_by_import(database: Database) -> set[str]:
    """Return the ids of the devices that earlier imports disabled and that no import has named since.

    Raises:
        Unavailable: the table can't be read.
    """
    return database.run(_disabled_by_import, read_only=True, timeout_seconds=_TIMEOUT_SECONDS)


def _disabled_by_import(cursor: Cursor) -> set[str]:
    if not _has_memory(cursor):
        return set()
    cursor.execute("SELECT device_id FROM import_disabled")
    return {device_id for (device_id,) in cursor.fetchall()}


def _has_memory(cursor: Cursor) -> bool:
    """Return whether the table `import_disabled` exists, which came later than others."""
    cursor.execute("SELECT to_regclass('import_disabled') IS NOT NULL")
    [(there,)] = cursor.fetchall()
    return bool(there)


def overlaid(device: Device, columns: Collection[str], existing: Mapping[str, Device | None]) -> Device:
    """Return the device with the columns that the file names; the others keep the table's values."""
    before = existing.get(device.id)
    if before is None:
        return device
    return msgspec.structs.replace(before, **{name: getattr(device, name) for name in columns})


def plan_import(
    devices: Sequence[Device],
    columns: Sequence[str],
    existing: Mapping[str, Device | None],
    *,
    disable_missing: bool,
    prefix: str = "",
    disabled_before: Collection[str] = (),
) -> ImportPlan:
    """Compare a file's devices with those in the table, by the columns that the file names.

    Only devices whose id begins with `prefix` count as missing. `disabled_before` are the devices that
    earlier imports disabled: they are enabled again, unless the file itself has a column `enabled`.
    """
    given = {device.id for device in devices}
    again = [each for each in sorted(given & {*disabled_before}) if _is_disabled(existing.get(each))]
    forgotten = given.union(each for each in disabled_before if not _is_disabled(existing.get(each)))
    if "enabled" in columns:
        again = []
    changed, unchanged = [], 0
    for device in devices:
        before = existing.get(device.id)
        if before is not None and _values(before, columns) == _values(device, columns):
            unchanged += device.id not in again
        elif device.id in existing:
            changed.append(device)
    missing = [
        each.id
        for each in existing.values()
        if each and each.enabled and each.id not in given and each.id.startswith(prefix)
    ]
    return ImportPlan(
        columns=("id", *(name for name in columns if name != "id")),
        added=[device for device in devices if device.id not in existing],
        changed=changed,
        unchanged=unchanged,
        disabled=missing if disable_missing else [],
        enabled_again=again,
        forgotten=sorted(forgotten & {*disabled_before}),
        before=existing,
    )


def _is_disabled(device: Device | None) -> bool:
    return device is not None and not device.enabled


def write_import(database: Database, plan: ImportPlan) -> None:
    """Write all of the plan in one transaction, or nothing.

    Raises:
        Unavailable: it could not be written; nothing has changed.
    """
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as cursor:
        types = _types(cursor, plan)
        _write(cursor, _insert(plan.columns, types), plan.added, plan.columns)
        if plan.columns != ("id",):
            _write(cursor, _update(plan.columns, types), plan.changed, plan.columns)
        _enable(cursor, plan.enabled_again, "true")
        _enable(cursor, plan.disabled, "false")
        _remember(cursor, plan)


def _enable(cursor: Cursor, ids: Sequence[str], value: LiteralString) -> None:
    if ids:
        statement = sql.SQL("UPDATE devices SET enabled = {} WHERE id::text = ANY (%s)").format(
            sql.SQL(value)
        )
        cursor.execute(statement, [list(ids)])


def _remember(cursor: Cursor, plan: ImportPlan) -> None:
    """Record the devices that the import disabled, and remove those that are enabled again."""
    if plan.disabled and not _has_memory(cursor):
        raise Unavailable(
            "there is no table import_disabled, which --disable-missing writes: run netvitals inventory init"
        )
    if plan.forgotten:
        cursor.execute("DELETE FROM import_disabled WHERE device_id = ANY (%s)", [plan.forgotten])
    if plan.disabled:
        cursor.execute(
            "INSERT INTO import_disabled (device_id) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            [plan.disabled],
        )


def _types(cursor: Cursor, plan: ImportPlan) -> dict[str, str]:
    types = column_types(cursor)
    wanted = {*plan.columns, *(("enabled",) if plan.disabled or plan.enabled_again else ())}
    missing = [name for name in FIELDS if name in wanted and name not in types]
    if missing:
        raise Unavailable(
            f"the table devices has no column {', '.join(missing)}, which the import writes: "
            "leave it out of the file, or let the table's owner add it"
        )
    return types


def _write(
    cursor: Cursor, statement: sql.Composed, devices: Sequence[Device], columns: Sequence[str]
) -> None:
    for start in range(0, len(devices), _BATCH_ROWS):
        rows = [_values(device, columns) for device in devices[start : start + _BATCH_ROWS]]
        cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])


def _insert(columns: Sequence[str], types: Mapping[str, str]) -> sql.Composed:
    return sql.SQL("INSERT INTO devices ({}) SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(_cast(columns, types)),
        _rows(columns),
    )


def _update(columns: Sequence[str], types: Mapping[str, str]) -> sql.Composed:
    casts = dict(zip(columns, _cast(columns, types), strict=True))
    changes = [
        sql.SQL("{} = {}").format(sql.Identifier(name), cast) for name, cast in casts.items() if name != "id"
    ]
    return sql.SQL("UPDATE devices SET {} FROM {} WHERE devices.id = {}").format(
        sql.SQL(", ").join(changes), _rows(columns), casts["id"]
    )


def _cast(columns: Sequence[str], types: Mapping[str, str]) -> list[sql.Composed]:
    return [sql.SQL("{}::{}").format(sql.Identifier("new", name), sql.SQL(types[name])) for name in columns]


def _rows(columns: Sequence[str]) -> sql.Composed:
    """Return rows as one array of texts per column: few parameters for any number of rows."""
    arrays = sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(columns))
    return sql.SQL("unnest({}) AS new ({})").format(arrays, sql.SQL(", ").join(map(sql.Identifier, columns)))


def _values(device: Device, columns: Sequence[str]) -> list[str | None]:
    """Return the columns' values as normalised texts, so that equal devices have equal values."""
    return [_FORMS.get(name, _text)(getattr(device, name)) for name in columns]


def _text(value: str | None) -> str | None:
    return value or None


def _address(value: str | None) -> str | None:
    try:
        return str(ip_address(value)) if value else None
    except ValueError:
        return value


def _enabled(value: bool) -> str:  # noqa: FBT001, the column's value
    return "true" if value else "false"


def _time(value: float | None) -> str | None:
    if value is None or abs(value) == float("inf"):
        return None if value is None else "infinity" if value > 0 else "-infinity"
    return datetime.fromtimestamp(value, UTC).isoformat()


def _settings(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)


_FORMS: dict[str, Any] = {
    "ip_address": _address,
    "enabled": _enabled,
    "maintenance_until": _time,
    "settings": _settings,
}
