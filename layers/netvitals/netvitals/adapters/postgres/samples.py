"""Keep the samples of reporting by exception in the table `device_samples`."""

from collections.abc import Collection, Mapping, Sequence

from netvitals.adapters.postgres.database import Cursor, Database, storable
from netvitals.domain.polling.changes import Samples
from netvitals.domain.polling.samples_codec import MAX_BYTES, pack, unpack
from netvitals.domain.ports import SampleRecord

RECORD_SECONDS = 4
# A row is replaced only where it is still the one that the poll was compared with, so that no poll that was
# overtaken makes a held sample unknown: docs/adr/0013-report-by-exception.md.
_RECORD = """
WITH given AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %b::bytea[])
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
_SOME = """
SELECT device_id, samples FROM device_samples WHERE length(samples) <= %(longest)s
ORDER BY md5(device_id) LIMIT %(limit)s
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

    def some(self, limit: int) -> Mapping[str, Samples]:
        """Return the samples of at most so many devices, in no order, by the device's id.

        Raises:
            Unavailable: they can't be read.
        """
        wanted = {"longest": MAX_BYTES, "limit": limit}
        rows = self._database.run(
            lambda cursor: cursor.execute(_SOME, wanted, binary=True).fetchall(), read_only=True
        )
        found = {device_id: unpack(samples) for device_id, samples in rows}
        return {device_id: samples for device_id, samples in found.items() if samples is not None}
