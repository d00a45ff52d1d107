"""Keep decisions about status in PostgreSQL: records, history, and the outbox."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import batched, islice
from time import time
from typing import Any

import msgspec
from psycopg import sql

from netvitals.adapters.postgres.database import Cursor, Database, storable
from netvitals.adapters.postgres.inventory import CHUNK_ROWS, column_types, enabled, field, in_group
from netvitals.adapters.postgres.maintenance import maintenance_at
from netvitals.domain.decision.status import (
    Cause,
    Change,
    Channel,
    DeliveryReport,
    Monitored,
    OutboxMessage,
    Parent,
    PollingGap,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.maintenance import Maintenance
from netvitals.domain.inventory.row import FIELDS, device_from
from netvitals.domain.ports import StatusRun

RUN_SECONDS = 20
"""The limit for one statement of a run; twice that leaves time to report a database that hangs."""
DELIVERY_SECONDS = 5
"""The limit for one statement of a delivery: these are small, and publications wait for them."""
_LOCK = 0x6E657477  # "netw": one run of a group at a time
_DELIVERY_LOCK = 0x6E657478  # "netx": one sender of a group's channel at a time
_SEPARATOR = "\x1f"
"""Separates a group from the name of a site or the id of a message, which can't contain it."""
_POLLS = ("last_seen_at", "last_attempt_at", "streak_since", "failures", "successes", "reason")

_APPLY = """
WITH new AS (
    SELECT * FROM unnest(
        %(device_id)s::text[], %(failed)s::boolean[], %(answered)s::boolean[], %(seen_at)s::float8[],
        %(status)s::text[], %(since)s::float8[], %(cause)s::text[], %(announced)s::text[],
        %(score)s::float8[], %(flap_at)s::float8[], %(flapping)s::boolean[]
    ) AS u (device_id, failed, answered, seen_at, status, since, cause, announced, score, flap_at, flapping)
), free AS (
    -- A row that is locked is being polled: waiting for it could end in a deadlock, the next run can have it.
    SELECT s.device_id FROM device_state s JOIN new USING (device_id)
    WHERE (s.failures > 0) = new.failed AND (s.successes > 0) = new.answered
        AND (new.answered OR extract(epoch FROM s.last_seen_at)::float8 IS NOT DISTINCT FROM new.seen_at)
    FOR UPDATE OF s SKIP LOCKED
), updated AS (
    UPDATE device_state s SET status = new.status, status_since = to_timestamp(new.since), cause = new.cause,
        announced = new.announced, flap_score = new.score, flap_updated_at = to_timestamp(new.flap_at),
        flapping = new.flapping, updated_at = now()
    FROM new WHERE s.device_id = new.device_id AND s.device_id IN (SELECT device_id FROM free)
    RETURNING s.device_id
), inserted AS (
    INSERT INTO device_state
        (device_id, status, status_since, cause, announced, flap_score, flap_updated_at, flapping)
    SELECT device_id, status, to_timestamp(since), cause, announced, score, to_timestamp(flap_at), flapping
    FROM new
    WHERE NOT EXISTS (SELECT FROM device_state s WHERE s.device_id = new.device_id)
    ON CONFLICT DO NOTHING RETURNING device_id
)
SELECT device_id FROM updated UNION ALL SELECT device_id FROM inserted
"""


class PostgresStatusStore:
    """Implements `ports.StatusStore` for the devices of one collector group.

    Groups have locks, sites, a record of polling gaps, and an outbox of their own: no group waits for
    another, and a gap in one says nothing about the others.
    """

    def __init__(self, database: Database, chunk_rows: int = CHUNK_ROWS, *, collector: str = "") -> None:
        self._database = database
        self._chunk_rows = chunk_rows
        self._collector = collector

    def run[Result](self, work: Callable[[StatusRun], Result]) -> Result | None:
        def alone(cursor: Cursor) -> Result | None:
            if self._collector:
                lock = "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, self._collector]
            else:
                lock = "SELECT pg_try_advisory_xact_lock(%s)", [_LOCK]
            [(ours,)] = cursor.execute(*lock).fetchall()
            return work(PostgresStatusRun(cursor, self._chunk_rows, self._collector)) if ours else None

        return self._database.run(alone, timeout_seconds=RUN_SECONDS)

    def deliver(
        self, channel: Channel, send: Callable[[Sequence[OutboxMessage]], Collection[str]], limit: int = 1000
    ) -> DeliveryReport:
        """Send at least once: where a process dies between `send` and the commit, the next sends again.

        One process at a time sends the messages of a channel, so that none overtakes an older one.
        """
        with self._database.transaction(timeout_seconds=DELIVERY_SECONDS) as cursor:
            prefix = _prefix(self._collector)
            lock = [_DELIVERY_LOCK, prefix + channel]
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", lock)
            [(ours,)] = cursor.fetchall()
            if not ours:
                return DeliveryReport()
            cursor.execute(
                "SELECT id, channel, body, extract(epoch FROM now() - created_at)::float8 FROM status_outbox"
                " WHERE channel = %s AND collector = %s AND published_at IS NULL ORDER BY number LIMIT %s",
                [channel, self._collector, limit],
            )
            ages = {
                OutboxMessage(key.removeprefix(prefix), *content): age
                for key, *content, age in cursor.fetchall()
            }
            if not ages:
                return DeliveryReport(0, 0)
            taken = set(send(list(ages)))
            keys = [prefix + message_id for message_id in taken]
            cursor.execute("UPDATE status_outbox SET published_at = now() WHERE id = ANY (%s)", [keys])
            left = [age for message, age in ages.items() if message.id not in taken]
            return DeliveryReport(len(taken), len(left), max(left, default=0.0))


class PostgresStatusRun:
    """Implements `ports.StatusRun` within one transaction."""

    def __init__(self, cursor: Cursor, chunk_rows: int, collector: str) -> None:
        self._cursor = cursor
        self._chunk_rows = chunk_rows
        self._collector = collector
        self._prefix = _prefix(collector)
        self._now = time()
        self._types = column_types(cursor)
        self._in_group = in_group("d", self._types, collector)
        self._gap = self._read_gap()
        self._sites = self._read_sites()

    def note_monitored(self, now: float) -> None:
        self._now = now
        self._cursor.execute(_note_monitored(self._types), {"now": now})

    @property
    def gap(self) -> PollingGap:
        return self._gap

    @property
    def newest_attempt_at(self) -> float | None:
        query = sql.SQL(
            "SELECT extract(epoch FROM max(s.last_attempt_at))::float8 FROM device_state AS s {devices}"
            " WHERE s.monitored_since IS DISTINCT FROM 'infinity' AND {in_group}"
        )
        has_groups = "collector" in self._types
        devices = sql.SQL("LEFT JOIN devices AS d ON d.id::text = s.device_id" if has_groups else "")
        self._cursor.execute(query.format(devices=devices, in_group=self._in_group))
        row: tuple[float | None] = self._cursor.fetchall()[0]
        return row[0]

    @property
    def parents_of_failing(self) -> Mapping[str, str]:
        if "parent_id" not in self._types:
            return {}
        return dict(self._cursor.execute(_parents_of_failing(self._types)).fetchall())

    @property
    def sites(self) -> Mapping[str, SiteState]:
        return self._sites

    def devices(self) -> Iterator[Sequence[Monitored]]:
        """Yield all enabled devices through a cursor; rows that fan-out reports as unusable are left out."""
        query = _monitored(self._types, self._in_group)
        maintenance = maintenance_at(self._cursor, self._now)
        with self._cursor.connection.cursor(name="netvitals_monitored") as rows:
            rows.execute(query)
            while chunk := rows.fetchmany(self._chunk_rows):
                yield [device for row in chunk if (device := _device(row, maintenance)) is not None]

    def apply(self, changes: Sequence[Change], now: float) -> Collection[str]:
        changed: set[str] = set()
        for batch in batched(changes, CHUNK_ROWS, strict=False):
            self._cursor.execute(_APPLY, _records(batch))
            changed.update(device_id for (device_id,) in self._cursor.fetchall())
        self._write_history(
            [each for each in changes if each.is_transition and each.device.id in changed], now
        )
        return changed

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        for batch in batched(messages, CHUNK_ROWS, strict=False):
            self._cursor.execute(
                "INSERT INTO status_outbox (collector, id, channel, body)"
                " SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT (id) DO NOTHING",
                [
                    self._collector,
                    [self._prefix + message.id for message in batch],
                    [message.channel for message in batch],
                    [storable(message.body) for message in batch],
                ],
            )

    def save(self, gap: PollingGap, sites: Sequence[SiteState]) -> None:
        self._cursor.execute(
            "INSERT INTO status_watch (collector, singleton, watch) VALUES (%s, %s, %s::jsonb)"
            " ON CONFLICT (collector) DO UPDATE SET watch = excluded.watch",
            [self._collector, None if self._collector else True, msgspec.json.encode(gap).decode()],
        )
        self._cursor.execute(
            "INSERT INTO site_state (name, lost, since)"
            " SELECT name, lost, to_timestamp(since) FROM unnest(%s::text[], %s::boolean[], %s::float8[])"
            " AS u (name, lost, since)"
            " ON CONFLICT (name) DO UPDATE SET lost = excluded.lost, since = excluded.since",
            [
                [self._prefix + site.name for site in sites],
                [site.lost for site in sites],
                [site.since for site in sites],
            ],
        )
        self._cursor.execute("DELETE FROM status_outbox WHERE published_at < now() - interval '1 day'")

    def _read_gap(self) -> PollingGap:
        self._cursor.execute("SELECT watch::text FROM status_watch WHERE collector = %s", [self._collector])
        row = self._cursor.fetchone()
        with suppress(msgspec.ValidationError):  # another version's: as if there was no run before
            return msgspec.json.decode(row[0], type=PollingGap) if row else PollingGap()
        return PollingGap()

    def _read_sites(self) -> dict[str, SiteState]:
        self._cursor.execute(
            "SELECT name, lost, extract(epoch FROM since)::float8 FROM site_state"
            " WHERE left(name, strpos(name, %s)) = %s",
            [_SEPARATOR, self._prefix],
        )
        rows = [(name.removeprefix(self._prefix), *rest) for name, *rest in self._cursor.fetchall()]
        return {row[0]: SiteState(*row) for row in rows}

    def _write_history(self, transitions: Sequence[Change], now: float) -> None:
        self._cursor.execute(
            "INSERT INTO device_status_history (device_id, site, at, before, after, cause, detail)"
            " SELECT device_id, site, to_timestamp(%s), before, after, cause, detail"
            " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])"
            " AS u (device_id, site, before, after, cause, detail)",
            [
                now,
                [each.device.id for each in transitions],
                [each.device.site for each in transitions],
                [each.device.record.status.value for each in transitions],
                [each.after.status.value for each in transitions],
                [each.after.cause.value for each in transitions],
                [storable(each.detail) for each in transitions],
            ],
        )


def _prefix(collector: str) -> str:
    """Return the prefix of a group's keys in tables that all groups share."""
    return collector + _SEPARATOR if collector else ""


def _records(changes: Sequence[Change]) -> dict[str, list[Any]]:
    return {
        "device_id": [each.device.id for each in changes],
        "failed": [each.device.polls.failures > 0 for each in changes],
        "answered": [each.device.polls.successes > 0 for each in changes],
        "seen_at": [each.device.polls.last_seen_at for each in changes],
        "status": [each.after.status.value for each in changes],
        "since": [each.after.since for each in changes],
        "cause": [each.after.cause.value for each in changes],
        "announced": [each.after.announced.value for each in changes],
        "score": [each.after.flap_score for each in changes],
        "flap_at": [each.after.flap_at for each in changes],
        "flapping": [each.after.flapping for each in changes],
    }


def _note_monitored(types: dict[str, str]) -> sql.Composed:
    """Return the statement that dates devices which were enabled, and marks those which are not enabled.

    It skips locked rows, which a poll is writing; the next run will update them.
    """
    return sql.SQL(
        "UPDATE device_state AS s"
        " SET monitored_since = CASE WHEN other.is_enabled THEN to_timestamp(%(now)s) ELSE 'infinity' END"
        " FROM ("
        "  SELECT t.device_id, d.id IS NOT NULL AS is_enabled"
        "  FROM device_state AS t LEFT JOIN devices AS d ON d.id::text = t.device_id AND {enabled}"
        "  WHERE (d.id IS NULL) <> (t.monitored_since IS NOT DISTINCT FROM 'infinity')"
        "  FOR UPDATE OF t SKIP LOCKED"
        " ) AS other WHERE other.device_id = s.device_id"
    ).format(enabled=enabled("d", types))


def _parents_of_failing(types: dict[str, str]) -> sql.Composed:
    return sql.SQL(
        "SELECT d.id::text, {parent_id} FROM devices AS d JOIN device_state AS s ON s.device_id = d.id::text"
        " WHERE s.failures > 0 AND d.parent_id IS NOT NULL AND {enabled}"
    ).format(parent_id=field("d", "parent_id", types), enabled=enabled("d", types))


def _monitored(types: dict[str, str], in_this_group: sql.Composable) -> sql.Composed:
    """Return the query of a group's enabled devices with their state, and that of their enabled parents."""
    parent = sql.SQL(
        "LEFT JOIN devices AS p ON p.id::text = d.parent_id::text AND {}"
        " LEFT JOIN device_state AS q ON q.device_id = p.id::text"
    ).format(enabled("p", types))
    no_parent = sql.SQL("LEFT JOIN devices AS p ON false LEFT JOIN device_state AS q ON false")
    return sql.SQL(
        "SELECT {fields}, {polls}, s.status, s.cause, {since}, s.announced, s.flap_score, {flap_at},"
        " s.flapping, {monitored_since}, p.id::text, {parent_polls},"
        " CASE WHEN q.cause = {not_polled} THEN {not_polled_since} END"
        " FROM devices AS d LEFT JOIN device_state AS s ON s.device_id = d.id::text {parent}"
        " WHERE d.id IS NOT NULL AND {enabled} AND {in_group} ORDER BY {site}, d.id"
    ).format(
        fields=sql.SQL(", ").join(field("d", name, types) for name in FIELDS),
        polls=_polls("s"),
        since=_epoch("s", "status_since"),
        flap_at=_epoch("s", "flap_updated_at"),
        monitored_since=_epoch("s", "monitored_since"),
        parent_polls=_polls("q"),
        not_polled=sql.Literal(Cause.NOT_POLLED.value),
        not_polled_since=_epoch("q", "status_since"),
        parent=parent if "parent_id" in types else no_parent,
        enabled=enabled("d", types),
        in_group=in_this_group,
        site=field("d", "site", types),
    )


def _polls(table: str) -> sql.Composed:
    return sql.SQL(", ").join(
        _epoch(table, name) if name.endswith(("_at", "_since")) else sql.Identifier(table, name)
        for name in _POLLS
    )


def _epoch(table: str, column: str) -> sql.Composed:
    return sql.SQL("extract(epoch FROM {})::float8").format(sql.Identifier(table, column))


def _device(row: Sequence[Any], maintenance: Maintenance) -> Monitored | None:
    fields = dict(zip(FIELDS, row, strict=False))
    settings = fields.pop("settings")
    device = device_from(fields, "")
    if not isinstance(device, Device):
        return None
    state = iter(row[len(FIELDS) :])
    polls, record = _polls_from([*islice(state, 6)]), _record_from([*islice(state, 7)])
    monitored_since, parent_id, *parent_polls, not_polled_since = state
    return Monitored(
        id=device.id,
        polls=polls,
        record=record,
        hostname=device.hostname,
        device_type=device.device_type,
        site=device.site,
        maintenance_until=maintenance.until(
            device.id, device.site, device.device_type, device.maintenance_until
        ),
        monitored_since=monitored_since,
        parent=None if parent_id is None else Parent(parent_id, _polls_from(parent_polls), not_polled_since),
        settings=settings or "",
    )


def _polls_from(values: Sequence[Any]) -> Polls:
    return Polls(*values) if values[3] is not None else Polls()


def _record_from(values: Sequence[Any]) -> StatusRecord:
    status, cause, since, announced, flap_score, flap_at, flapping = values
    if status is None:
        return StatusRecord()
    return StatusRecord(
        _status(status),
        _cause(cause),
        since,
        _status(announced or status),
        flap_score,
        flap_at or 0.0,
        flapping,
    )


def _status(text: str | None) -> Status:
    """Map an unknown word (another version's, or written by hand) to UNKNOWN."""
    return Status(text) if text is not None and text in Status else Status.UNKNOWN


def _cause(text: str) -> Cause:
    return Cause(text) if text in Cause else Cause.NONE
