"""Keep decisions about status in PostgreSQL: records, history, and the outbox."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import batched
from time import time
from typing import Any

import msgspec
from psycopg import sql

from netvitals.adapters.postgres.database import Cursor, Database, storable
from netvitals.adapters.postgres.inventory import CHUNK_ROWS, column_types, in_group
from netvitals.adapters.postgres.maintenance import maintenance_at
from netvitals.adapters.postgres.monitored import (
    monitored_devices,
    monitored_from,
    note_monitored,
    parents_of_failing,
)
from netvitals.domain.decision.status import (
    Change,
    Channel,
    DeliveryReport,
    Monitored,
    OutboxMessage,
    PollingGap,
    SiteState,
)
from netvitals.domain.ports import StatusRun

RUN_SECONDS = 20
"""The limit for one statement of a run; twice that leaves time to report a database that hangs."""
DELIVERY_SECONDS = 5
"""The limit for one statement of a delivery: these are small, and publications wait for them."""
_LOCK = 0x6E657477  # "netw": one run of a group at a time
_DELIVERY_LOCK = 0x6E657478  # "netx": one sender of a group's channel at a time
_SEPARATOR = "\x1f"
"""Separates a group from the name of a site or the id of a message, which can't contain it."""

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
        self._cursor.execute(note_monitored(self._types), {"now": now})

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
        return dict(self._cursor.execute(parents_of_failing(self._types)).fetchall())

    @property
    def sites(self) -> Mapping[str, SiteState]:
        return self._sites

    def devices(self) -> Iterator[Sequence[Monitored]]:
        """Yield all enabled devices through a cursor; rows that fan-out reports as unusable are left out."""
        query = monitored_devices(self._types, self._in_group)
        maintenance = maintenance_at(self._cursor, self._now)
        with self._cursor.connection.cursor(name="netvitals_monitored") as rows:
            rows.execute(query)
            while chunk := rows.fetchmany(self._chunk_rows):
                yield [device for row in chunk if (device := monitored_from(row, maintenance)) is not None]

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
