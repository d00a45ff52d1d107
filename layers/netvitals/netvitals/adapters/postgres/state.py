"""Write observations into `device_state`, and read what a poll has to know of its device.

Each batch is one statement. Order does not matter: observations of the same polls end in the same state,
whichever comes first and however often.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from netvitals.adapters.postgres.database import Cursor, Database, storable
from netvitals.domain.polling.observation import OUR_FAULTS, KnownState, Observation
from netvitals.domain.polling.samples_codec import MAX_BYTES, unpack
from netvitals.domain.protocols import WRITE_ONCE_MEMORY

_logger = logging.getLogger(__name__)

RECORD_SECONDS = 4
"""The limit for one batch (a thousand rows take 20 ms). Twice that and a second leave time, within the
collector's flush reserve, to spool what a database that hangs does not take."""
READ_SECONDS = 1
"""The limit for reading what is known of a batch's devices: polls wait for it."""
_MEMORY_BYTES = 32 * 1024
"""The limit for what one poll may remember; more is left out, and the observation stays."""
_LATEST_MICROSECONDS = 2**62
"""An instant in the year 148,108, which fits PostgreSQL's timestamps and integers."""

# How an observation changes the state:
# - An attempt that is a minute or more ahead of this database's clock changes nothing: taken as it is, it
#   would outrank all later ones; moved to the present, its repetitions would count. Only where nothing is
#   known of the device it is kept, as of a minute ahead, so that the device is missed when no other poll
#   follows. A due time is ignored as well if it is further ahead of its attempt than a job can wait in a
#   queue (900 s).
# - `memory` follows the newest attempt of its own kind, since a long metrics poll that a status poll has
#   overtaken still brings the sample that the next one needs. A key that is written once, such as a host key
#   that was trusted on first use, is never replaced by what another poll found.
# - Liveness follows the newest attempt of any kind ("newest"). Of several polls for one due time one counts
#   ("repeated": it does not), but an answer always ends a row of failures.
# - Failures for which nothing was sent prove nothing; the first one that proves silence begins a new row.
# - What arrives late adds to no row. Where it falls into one of the other outcome ("splits"), that row began
#   after it: with the newest attempt, as far as is known.
_RECORD = """
WITH observed AS (
    SELECT *, least(to_timestamp(microseconds / 1e6), now() + interval '1 minute') AS at,
        CASE WHEN due BETWEEN 1 AND microseconds / 1000000 + 900 THEN to_timestamp(due) END AS due_at
    FROM unnest(
        %(device_id)s::text[], %(kind)s::text[], %(microseconds)s::bigint[], %(due)s::bigint[],
        %(reachable)s::boolean[], %(reason)s::text[], %(detail)s::text[], %(method)s::text[],
        %(memory)s::jsonb[], %(points)s::integer[]
    ) AS u (device_id, kind, microseconds, due, reachable, reason, detail, method, patch, points)
), recorded AS (
    INSERT INTO device_state AS s (
        device_id, last_attempt_at, last_seen_at, status_attempt_at, metrics_attempt_at, status_due_at,
        metrics_due_at, failures, successes, streak_since, reason, detail, method, memory, points
    )
    SELECT o.device_id, o.at, CASE WHEN o.reachable THEN o.at END,
        CASE o.kind WHEN 'status' THEN o.at END, CASE o.kind WHEN 'metrics' THEN o.at END,
        CASE o.kind WHEN 'status' THEN o.due_at END, CASE o.kind WHEN 'metrics' THEN o.due_at END,
        (NOT o.reachable)::integer, o.reachable::integer, o.at, o.reason, o.detail, o.method,
        CASE WHEN known.device_id IS NOT NULL OR o.patch = '{}' THEN o.patch ELSE (
            SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(o.patch) WHERE value <> 'null'
        ) END,
        o.points
    FROM observed AS o LEFT JOIN device_state AS known USING (device_id)
    ORDER BY o.device_id
    ON CONFLICT (device_id) DO UPDATE SET
        last_attempt_at = greatest(s.last_attempt_at, excluded.last_attempt_at),
        last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at),
        status_attempt_at = greatest(s.status_attempt_at, excluded.status_attempt_at),
        metrics_attempt_at = greatest(s.metrics_attempt_at, excluded.metrics_attempt_at),
        status_due_at = greatest(s.status_due_at, excluded.status_due_at),
        metrics_due_at = greatest(s.metrics_due_at, excluded.metrics_due_at),
        (failures, successes, streak_since, reason, detail, method) = (
            SELECT
                CASE WHEN counts AND NOT goes_on THEN excluded.failures
                    WHEN counts THEN s.failures + excluded.failures
                    WHEN splits THEN least(s.failures, 1) ELSE s.failures END,
                CASE WHEN counts AND NOT goes_on THEN excluded.successes
                    WHEN counts THEN s.successes + excluded.successes
                    WHEN splits THEN least(s.successes, 1) ELSE s.successes END,
                CASE WHEN counts AND NOT goes_on THEN excluded.streak_since
                    WHEN splits THEN s.last_attempt_at ELSE s.streak_since END,
                CASE WHEN counts THEN excluded.reason ELSE s.reason END,
                CASE WHEN counts THEN excluded.detail ELSE s.detail END,
                CASE WHEN counts THEN excluded.method ELSE s.method END
            FROM (
                SELECT newest AND (NOT repeated OR (differs AND excluded.failures = 0)) AS counts,
                    NOT newest AND differs AND excluded.last_attempt_at > s.streak_since AS splits,
                    s.streak_since IS NOT NULL AND NOT differs AND NOT (s.failures > 0
                        AND s.reason = ANY (%(our_faults)s) AND NOT excluded.reason = ANY (%(our_faults)s)
                    ) AS goes_on
                FROM (
                    SELECT excluded.last_attempt_at > coalesce(s.last_attempt_at, '-infinity') AS newest,
                        coalesce(excluded.status_due_at <= s.status_due_at
                            OR excluded.metrics_due_at <= s.metrics_due_at, false) AS repeated,
                        (s.failures > 0) <> (excluded.failures > 0) AS differs
                ) AS facts
            ) AS effect
        ),
        memory = CASE WHEN excluded.memory = '{}' OR NOT coalesce(
            excluded.status_attempt_at > coalesce(s.status_attempt_at, '-infinity'),
            excluded.metrics_attempt_at > coalesce(s.metrics_attempt_at, '-infinity')
        ) THEN s.memory ELSE (
            SELECT coalesce(jsonb_object_agg(key, value), '{}')
            FROM jsonb_each(s.memory || excluded.memory || (
                SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(s.memory)
                WHERE key = ANY (%(write_once)s::text[])
            ))
            WHERE value <> 'null'
        ) END,
        points = CASE WHEN excluded.points > 0 THEN excluded.points ELSE s.points END,
        updated_at = now()
    WHERE excluded.last_attempt_at < now() + interval '1 minute' AND (
        excluded.status_attempt_at > coalesce(s.status_attempt_at, '-infinity')
        OR excluded.metrics_attempt_at > coalesce(s.metrics_attempt_at, '-infinity')
        OR excluded.status_due_at > coalesce(s.status_due_at, '-infinity')
        OR excluded.metrics_due_at > coalesce(s.metrics_due_at, '-infinity')
        OR excluded.last_seen_at > coalesce(s.last_seen_at, '-infinity')
        OR (excluded.last_attempt_at > s.streak_since AND (excluded.failures > 0) <> (s.failures > 0))
    )
)
SELECT count(*) FROM observed WHERE at = now() + interval '1 minute'
"""
_KNOWN = """
SELECT s.device_id, s.memory::text, extract(epoch FROM s.status_due_at)::bigint,
    extract(epoch FROM s.metrics_due_at)::bigint, s.failures, p.samples
FROM device_state AS s LEFT JOIN device_samples AS p
    ON %(samples)s AND p.device_id = s.device_id AND length(p.samples) <= %(limit)s
WHERE s.device_id = ANY (%(ids)s)
"""


class PostgresObservationStore:
    """Implements `ports.ObservationStore` and `ports.StateReader` on the table `device_state`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, observations: Sequence[Observation]) -> None:
        statements = [_parameters(batch) for batch in _without_repeats(observations)]
        if statements:
            ahead = self._database.run(
                lambda cursor: _execute(cursor, statements), timeout_seconds=RECORD_SECONDS
            )
            if ahead:
                _logger.warning(
                    "observations that do not count: %d; they are a minute or more ahead of the database's "
                    "clock: correct the clock of the collector's host or of the database",
                    ahead,
                )

    def known(self, device_ids: Collection[str], *, samples: bool = False) -> dict[str, KnownState]:
        wanted = {"ids": [storable(each) for each in device_ids], "samples": samples, "limit": MAX_BYTES}
        rows = self._database.run(
            # As text, samples have twice the bytes.
            lambda cursor: cursor.execute(_KNOWN, wanted, binary=True).fetchall(),
            read_only=True,
            timeout_seconds=READ_SECONDS,
        )
        return {device_id: _known(*columns) for device_id, *columns in rows}


def _known(
    memory: str, status_due_at: int | None, metrics_due_at: int | None, failures: int, samples: bytes | None
) -> KnownState:
    unpacked = unpack(samples) if samples else None
    return KnownState(_decoded(memory), status_due_at, metrics_due_at, failures, unpacked)


def _execute(cursor: Cursor, statements: Sequence[dict[str, list[Any]]]) -> int:
    """Run the statement for each batch and return how many observations lie ahead of the database's clock."""
    ahead = 0
    for parameters in statements:
        [(count,)] = cursor.execute(_RECORD, parameters).fetchall()
        ahead += count
    return ahead


def _decoded(memory: str) -> dict[str, Any]:
    """Return the memory; empty where it is not an object that this version can decode."""
    try:
        return msgspec.json.decode(memory, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _without_repeats(observations: Sequence[Observation]) -> Iterator[list[Observation]]:
    """Yield batches in which no device occurs twice, oldest observations first; usually one batch."""
    waiting = sorted(observations, key=lambda observation: observation.attempted_at_ns)
    while waiting:
        batch: dict[str, Observation] = {}
        later = [each for each in waiting if batch.setdefault(storable(each.device_id), each) is not each]
        yield list(batch.values())
        waiting = later


def _parameters(batch: Sequence[Observation]) -> dict[str, list[Any]]:
    return {
        "device_id": [storable(each.device_id) for each in batch],
        "kind": [each.kind for each in batch],
        "microseconds": [_clipped(each.attempted_at_ns // 1000) for each in batch],
        "due": [_clipped(each.due_at) for each in batch],
        "reachable": [each.reachable for each in batch],
        "reason": [each.reason.value for each in batch],
        "detail": [storable(each.detail) for each in batch],
        "method": [storable(each.method) for each in batch],
        "memory": [_memory(each.memory) for each in batch],
        "points": [_clipped(each.points) for each in batch],
        "our_faults": [reason.value for reason in OUR_FAULTS],
        "write_once": sorted(WRITE_ONCE_MEMORY),
    }


def _clipped(value: int) -> int:
    return min(max(value, 0), _LATEST_MICROSECONDS)


def _memory(patch: dict[str, Any]) -> str:
    """Return the patch as JSON that jsonb accepts, or an empty one where jsonb would refuse it."""
    try:
        encoded = msgspec.json.encode(patch)
        if b"\\u0000" in encoded:
            encoded = msgspec.json.encode(_without_nul(patch))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return "{}"
    return encoded.decode() if len(encoded) <= _MEMORY_BYTES else "{}"


def _without_nul(value: Any) -> Any:
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nul(inner) for inner in value]
    return storable(value) if isinstance(value, str) else value
