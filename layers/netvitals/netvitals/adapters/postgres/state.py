"""Writes observations into `device_state`: one statement per batch, in any order."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from netvitals.adapters.postgres.database import Cursor, Database, storable
from netvitals.domain.polling.observation import Observation

RECORD_SECONDS = 4
"""The limit for one batch (a thousand rows take 20 ms). Twice that and a second leave time, within the
collector's flush reserve, to spool what a database that hangs does not take."""
_MEMORY_BYTES = 32 * 1024
"""The limit for what one poll may remember; more is left out, and the observation stays."""

# A clock that runs ahead may not lock later observations out: an attempt is at most a minute in the future.
# Liveness follows the newest attempt of any kind; `memory` the newest of its own kind, since a long metrics
# poll that a status poll has overtaken still brings the sample that the next one needs. A host key is trusted
# on first use: what stands there already is never replaced by what another poll found.
_RECORD = """
INSERT INTO device_state AS s (
    device_id, last_attempt_at, status_attempt_at, metrics_attempt_at, last_seen_at,
    failures, successes, streak_since, reason, detail, method, memory
)
SELECT o.device_id, o.at, CASE o.kind WHEN 'status' THEN o.at END, CASE o.kind WHEN 'metrics' THEN o.at END,
    CASE WHEN o.reachable THEN o.at END, (NOT o.reachable)::integer, o.reachable::integer, o.at,
    o.reason, o.detail, o.method,
    CASE WHEN known.device_id IS NOT NULL OR o.patch = '{}' THEN o.patch ELSE (
        SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(o.patch) WHERE value <> 'null'
    ) END
FROM (
    SELECT *, least(to_timestamp(microseconds / 1e6), now() + interval '1 minute') AS at FROM unnest(
        %(device_id)s::text[], %(kind)s::text[], %(microseconds)s::bigint[], %(reachable)s::boolean[],
        %(reason)s::text[], %(detail)s::text[], %(method)s::text[], %(memory)s::jsonb[]
    ) AS u (device_id, kind, microseconds, reachable, reason, detail, method, patch)
) AS o
LEFT JOIN device_state AS known USING (device_id)
ORDER BY o.device_id
ON CONFLICT (device_id) DO UPDATE SET
    last_attempt_at = greatest(s.last_attempt_at, excluded.last_attempt_at),
    status_attempt_at = coalesce(excluded.status_attempt_at, s.status_attempt_at),
    metrics_attempt_at = coalesce(excluded.metrics_attempt_at, s.metrics_attempt_at),
    last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at),
    (failures, successes, streak_since, reason, detail, method) = (
        SELECT
            CASE WHEN newest THEN (s.failures + 1) * excluded.failures ELSE s.failures END,
            CASE WHEN newest THEN (s.successes + 1) * excluded.successes ELSE s.successes END,
            CASE WHEN newest AND (s.streak_since IS NULL OR (s.failures > 0) <> (excluded.failures > 0))
                THEN excluded.streak_since ELSE s.streak_since END,
            CASE WHEN newest THEN excluded.reason ELSE s.reason END,
            CASE WHEN newest THEN excluded.detail ELSE s.detail END,
            CASE WHEN newest THEN excluded.method ELSE s.method END
        FROM (VALUES (excluded.last_attempt_at > coalesce(s.last_attempt_at, '-infinity'))) AS v (newest)
    ),
    memory = CASE WHEN excluded.memory = '{}' THEN s.memory ELSE (
        SELECT coalesce(jsonb_object_agg(key, value), '{}')
        FROM jsonb_each(s.memory || excluded.memory || CASE WHEN s.memory ? 'ssh_host_keys'
            THEN jsonb_build_object('ssh_host_keys', s.memory -> 'ssh_host_keys') ELSE '{}' END)
        WHERE value <> 'null'
    ) END,
    updated_at = now()
WHERE excluded.status_attempt_at > coalesce(s.status_attempt_at, '-infinity')
    OR excluded.metrics_attempt_at > coalesce(s.metrics_attempt_at, '-infinity')
"""


class PostgresObservationStore:
    """Implements `ports.ObservationStore`: keeps the newest observation of each device."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, observations: Sequence[Observation]) -> None:
        statements = [_parameters(batch) for batch in _without_repeats(observations)]
        if statements:
            self._database.run(lambda cursor: _execute(cursor, statements), timeout_seconds=RECORD_SECONDS)


def _execute(cursor: Cursor, statements: Sequence[dict[str, list[Any]]]) -> None:
    for parameters in statements:
        cursor.execute(_RECORD, parameters)


def _without_repeats(observations: Sequence[Observation]) -> Iterator[list[Observation]]:
    """Yield batches in which no device occurs twice, oldest observations first; one batch as a rule."""
    waiting = sorted(observations, key=lambda observation: observation.attempted_at_ns)
    while waiting:
        batch: dict[str, Observation] = {}
        later = [each for each in waiting if batch.setdefault(each.device_id, each) is not each]
        yield list(batch.values())
        waiting = later


def _parameters(batch: Sequence[Observation]) -> dict[str, list[Any]]:
    return {
        "device_id": [storable(each.device_id) for each in batch],
        "kind": [each.kind for each in batch],
        "microseconds": [each.attempted_at_ns // 1000 for each in batch],
        "reachable": [each.reachable for each in batch],
        "reason": [each.reason.value for each in batch],
        "detail": [storable(each.detail) for each in batch],
        "method": [storable(each.method) for each in batch],
        "memory": [_memory(each.memory) for each in batch],
    }


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
