"""Read devices with their state, and their changes of status, from PostgreSQL."""

from collections.abc import Callable, Sequence
from time import time
from typing import Any, NamedTuple

import msgspec
from psycopg import sql

from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.adapters.postgres.inventory import column_types, enabled, field
from netvitals.adapters.postgres.maintenance import maintenance_at
from netvitals.domain.errors import NetvitalsError
from netvitals.domain.inventory.row import time_or_none

SECONDS = 20
MAX_DEVICES = 100_000
MAX_EVENTS = 5_000
_TEXTS = ("hostname", "ip_address", "device_type", "site", "parent_id", "mac_address", "credential")
_STATE = (
    "coalesce(s.status, 'unknown')", "coalesce(s.cause, '')", "coalesce(s.reason, '')",
    "left(coalesce(s.detail, ''), 1024)", "coalesce(s.method, '')", "coalesce(s.flapping, false)",
    "coalesce(s.failures, 0)", "left(coalesce(s.memory #>> '{snmp,profile}', ''), 100)",
    *(f"extract(epoch FROM nullif(s.{name}, 'infinity'))::float8" for name in (
        "status_since", "last_seen_at", "last_attempt_at", "status_attempt_at", "metrics_attempt_at")),
)  # fmt: skip


class NoSuchDevice(NetvitalsError):
    """Raised where the inventory has no device, or several, of this id, hostname or address."""


class StoredDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the inventory with its state. Times are seconds since the epoch."""

    id: str
    hostname: str
    ip_address: str
    device_type: str
    site: str
    parent_id: str
    mac_address: str
    credential: str
    enabled: bool
    maintenance_until: float | None
    status: str
    cause: str
    reason: str
    """Reason of the newest poll, an `observation.Reason`; empty where there was no poll."""
    detail: str
    method: str
    flapping: bool
    failures: int
    """Number of polls in a row without an answer."""
    profile: str
    status_since: float | None
    last_seen_at: float | None
    last_attempt_at: float | None
    status_attempt_at: float | None
    metrics_attempt_at: float | None

    @property
    def name(self) -> str:
        return self.hostname or self.id

    @property
    def shown_status(self) -> str:
        return self.status if self.enabled else "disabled"

    def in_maintenance(self, now: float) -> bool:
        return self.maintenance_until is not None and self.maintenance_until > now


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a device's status, as the history has it; `at` is in seconds since the epoch."""

    number: int
    device_id: str
    hostname: str
    site: str
    at: float
    before: str
    after: str
    cause: str
    detail: str


class Site(NamedTuple):
    name: str
    lost: bool
    since: float


class InventoryReader:
    """Reads the inventory's database; every method raises Unavailable where it can't be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[StoredDevice]:
        """Return all devices in the order of their ids, the disabled ones too."""
        return self._read(lambda cursor: _devices(cursor, sql.SQL("true"), []))

    def find(self, wanted: str) -> StoredDevice:
        """Return the device of this id, else of this hostname or address.

        Raises:
            NoSuchDevice: there is none, or there are several.
        """
        return self._read(lambda cursor: _found(cursor, wanted))

    def events(
        self, *, since: float, device: str = "", site: str | None = None, limit: int = MAX_EVENTS
    ) -> list[Event]:
        """Return changes of status since then, newest first."""
        wanted = {"since": since, "device": device, "site": site, "limit": min(limit, MAX_EVENTS)}
        return self._read(lambda cursor: _events(cursor, wanted))

    def lost_sites(self) -> list[Site]:
        """Return the sites whose path is lost now; the empty name stands for the whole fleet."""
        query = (
            "SELECT name, lost, extract(epoch FROM since)::float8 FROM site_state WHERE lost ORDER BY name"
        )
        return self._read(lambda cursor: [Site(*row) for row in cursor.execute(query).fetchall()])

    def _read[Result](self, work: Callable[[Cursor], Result]) -> Result:
        return self._database.run(work, read_only=True, timeout_seconds=SECONDS)


def _devices(cursor: Cursor, condition: sql.Composable, values: Sequence[object]) -> list[StoredDevice]:
    types = column_types(cursor)
    query = sql.SQL(
        "SELECT d.id::text, {texts}, {enabled}, {maintenance}, {state} FROM devices AS d"
        " LEFT JOIN device_state AS s ON s.device_id = d.id::text"
        " WHERE {condition} ORDER BY d.id LIMIT {limit}"
    ).format(
        texts=sql.SQL(", ").join(
            sql.SQL("coalesce({}, '')").format(field("d", name, types)) for name in _TEXTS
        ),
        enabled=enabled("d", types),
        maintenance=field("d", "maintenance_until", types),
        state=sql.SQL(", ".join(_STATE)),
        condition=condition,
        limit=sql.Literal(MAX_DEVICES),
    )
    names = StoredDevice.__struct_fields__
    rows = [dict(zip(names, row, strict=True)) for row in cursor.execute(query, values).fetchall()]
    devices = [_device(row) for row in rows]
    windows = maintenance_at(cursor, time())
    return [
        msgspec.structs.replace(
            each,
            maintenance_until=windows.until(each.id, each.site, each.device_type, each.maintenance_until),
        )
        for each in devices
    ]


def _device(row: dict[str, Any]) -> StoredDevice:
    """Return the device of a row, whose `maintenance_until` is any text: an owner's column may hold one."""
    until = time_or_none(row["maintenance_until"])
    device_type = row["device_type"] or "network"
    return StoredDevice(**(row | {"device_type": device_type, "maintenance_until": until}))


def _found(cursor: Cursor, wanted: str) -> StoredDevice:
    types = column_types(cursor)
    for name in ("id", "hostname", "ip_address"):
        column = field("d", name, types)
        condition = (
            sql.SQL("lower({}) = lower(%s)").format(column)
            if name == "hostname"
            else sql.SQL("{} = %s").format(column)
        )
        found = _devices(cursor, condition, [wanted])
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(each.id for each in found[:5])
            raise NoSuchDevice(f"{len(found)} devices have the {name} {wanted!r}: name one by its id ({ids})")
    raise NoSuchDevice(f"no device has the id, hostname or address {wanted!r}: see netvitals inventory list")


def _events(cursor: Cursor, wanted: dict[str, Any]) -> list[Event]:
    types = column_types(cursor)
    query = sql.SQL(
        "SELECT h.number, h.device_id, coalesce({hostname}, ''), h.site, extract(epoch FROM h.at)::float8,"
        " h.before, h.after, h.cause, left(h.detail, 1024)"
        " FROM (SELECT * FROM device_status_history WHERE at >= to_timestamp(%(since)s)"
        " AND (%(device)s = '' OR device_id = %(device)s)"
        " AND (%(site)s::text IS NULL OR site = %(site)s) ORDER BY number DESC LIMIT %(limit)s) AS h"
        " LEFT JOIN devices AS d ON d.id::text = h.device_id ORDER BY h.number DESC"
    ).format(hostname=field("d", "hostname", types))
    names = Event.__struct_fields__
    return [Event(**dict(zip(names, row, strict=True))) for row in cursor.execute(query, wanted).fetchall()]
