"""Forget SSH host keys that were trusted on first use."""

from collections.abc import Sequence

from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.domain.protocols import WRITE_ONCE_MEMORY

_TIMEOUT_SECONDS = 30


def forget_host_keys(database: Database, device_ids: Sequence[str]) -> set[str]:
    """Take the host keys out of the devices' memory; return the ids of those that had one.

    Raises:
        Unavailable: the table can't be written.
    """
    keys = list(WRITE_ONCE_MEMORY)  # host keys are the only keys of the memory that do not expire

    def forget(cursor: Cursor) -> set[str]:
        cursor.execute(
            "UPDATE device_state SET memory = memory - %s::text[]"
            " WHERE device_id = ANY (%s) AND memory ?| %s::text[] RETURNING device_id",
            [keys, list(device_ids), keys],
        )
        return {device_id for (device_id,) in cursor.fetchall()}

    return database.run(forget, timeout_seconds=_TIMEOUT_SECONDS)
