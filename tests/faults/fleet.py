"""A small fleet and the functions that judge it, on a clock of its own and a real PostgreSQL."""

import time
from collections.abc import Sequence
from typing import Any

import psycopg

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.secret import Secret
from netvitals.store.ports import PointSink, SpoolMessage
from netvitals.store.spool_batch import encode_parcels
from netvitals.usecases.replay import Replay
from netvitals.usecases.store_points import StoreObservations
from netvitals.usecases.update_status import UpdateStatus
from simulators.storage import MemorySpool


class Fleet:
    """Three devices that are polled every 30 s; `url` is the functions' way to the database."""

    IDS = ("a", "b", "c")

    def __init__(self, url: str, direct_url: str, sink: PointSink) -> None:
        self.direct_url = direct_url
        self.now = time.time() // 60 * 60 - 86_400
        self.dead: set[str] = set()
        self.spool = MemorySpool()
        self.complaints: list[str] = []
        self._databases = [Database(lambda: Secret(url)) for _ in range(2)]
        store = PostgresObservationStore(self._databases[0])
        self.record = StoreObservations(store, self.spool).record
        self.replay = Replay(sink, store, self.spool, MemorySpool(), self.spool)
        self.status = UpdateStatus(
            store=PostgresStatusStore(self._databases[1]),
            policy=Configuration().policy,
            sink=sink,
            complain=self.complaints.append,
        )
        for device_id in self.IDS:
            self.execute("INSERT INTO devices (id, ip_address) VALUES (%s, '10.0.0.1')", [device_id])

    def poll(self) -> None:
        self.now += 30
        self.record(
            [
                Observation(
                    device_id=device_id,
                    kind="status",
                    attempted_at_ns=int(self.now * 1e9),
                    reachable=device_id not in self.dead,
                    reason=Reason.TIMEOUT if device_id in self.dead else Reason.OK,
                )
                for device_id in self.IDS
            ]
        )

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.poll()
            self.poll()
            self.status.run(self.now, time.monotonic() + 30)

    def replay_everything(self) -> None:
        bodies = [body for kept in self.spool.kept for body in encode_parcels(*kept)]
        messages = [SpoolMessage(id=str(n), body=body, receipt="") for n, body in enumerate(bodies)]
        assert self.replay.run(messages, time.monotonic() + 60).failed_ids == []
        self.spool.kept.clear()

    def history(self) -> list[tuple[str, str, str]]:
        query = "SELECT device_id, before, after FROM device_status_history ORDER BY at, device_id"
        return self.execute(query)

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        with psycopg.connect(self.direct_url) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        for database in self._databases:
            database.close()
