"""The table `device_samples`: what metrics polls have left for reporting by exception."""

from collections.abc import Collection, Sequence

from netvitals.adapters.postgres.database import Cursor, Database, storable
from netvitals.domain.polling.samples_codec import pack
from netvitals.domain.ports import SampleRecord

RECORD_SECONDS = 4
# A row is replaced only where it is still the one that the poll was compared with (docs/adr/0013): so no poll
# that was overtaken makes a held sample unknown.
_RECORD = """
WITH given AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[])
        AS u (device_id, read_at, due_at, full_at, samples)
), replaced AS (
    UPDATE device_samples AS s SET due_at = g.due_at, full_at = g.full_at, samples = g.samples
    FROM given AS g WHERE s.device_id = g.device_id AND s.due_at = g.read_at
    RETURNING s.device_id
), added AS (
    INSERT INTO device_samples (device_id, due_at, full_at, samples)
    SELECT device_id, due_at, full_at, samples FROM given WHERE read_at IS NULL ORDER BY device_id
    ON CONFLICT (device_id) DO NOTHING
    RETURNING device_id
)
SELECT device_id FROM replaced UNION ALL SELECT device_id FROM added
"""


class PostgresSampleStore:
    """Implements `ports.SampleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, records: Sequence[SampleRecord]) -> Collection[str]:
        packed = [(record, pack(record.samples)) for record in records]
        rows = [
            (storable(each.device_id), each.read_at, each.samples.due_at, each.samples.full_at, data)
            for each, data in packed
            if data is not None
        ]
        if not rows:
            return frozenset()
        columns = [list(column) for column in zip(*rows, strict=True)]

        def work(cursor: Cursor) -> frozenset[str]:
            return frozenset(row[0] for row in cursor.execute(_RECORD, columns).fetchall())

        return self._database.run(work, timeout_seconds=RECORD_SECONDS)
