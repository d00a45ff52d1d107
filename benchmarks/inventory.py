"""What the database costs: reading the inventory at 1,000 to 100,000 devices, recording observations, a
status run. Everything in one run against a real PostgreSQL.

    python benchmarks/inventory.py [devices …]
"""

import resource
from collections.abc import Callable
from multiprocessing import get_context
from time import perf_counter, process_time, time_ns

import psycopg
from fleets import database_server
from sizes import given

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.adapters.postgres.schema import migrate
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.domain.decision.status import Change, Status, StatusRecord
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.domain.ports import StatusRun
from netvitals.domain.settings.secret import Secret

SIZES = given((1_000, 10_000, 100_000), 1_000)
FILL = """
TRUNCATE devices, device_state;
INSERT INTO devices (id, hostname, ip_address, device_type, credential, site, parent_id, settings)
    SELECT 'device-' || n, 'sw-' || n, '10.0.0.0'::inet + n, 'network', 'core', 'site-' || n % 500,
        'device-' || (n / 48 + 1), CASE n % 10 WHEN 0 THEN '{"snmp": {"port": 1161}}' ELSE '{}' END::jsonb
    FROM generate_series(1, COUNT) n;
INSERT INTO device_state (device_id, last_seen_at, last_attempt_at, status_attempt_at, successes, memory)
    SELECT id, t, t, t, 1, '{"bulk": 25, "cpu": [123456, 7890123], "profile": "cisco-ios"}'
    FROM devices, (SELECT now() - interval '1 day') AS yesterday (t);
ANALYZE devices; ANALYZE device_state;
"""


def fetch_everything(database: Database) -> int:
    """What one would write first: all rows at once, as their own types."""
    query = "SELECT d.*, s.memory FROM devices d LEFT JOIN device_state s ON s.device_id = d.id WHERE enabled"
    return len(database.run(lambda cursor: cursor.execute(query).fetchall()))


def read_in_chunks(database: Database) -> int:
    return sum(len(chunk) for chunk in PostgresInventory(database).devices(print))


def status_run(database: Database) -> int:
    return PostgresStatusStore(database).run(lambda run: sum(len(chunk) for chunk in run.devices())) or 0


def everything_changes(database: Database) -> int:
    """The worst minute: every device has a transition."""

    def change(run: StatusRun) -> int:
        after = StatusRecord(Status.OFFLINE)
        return sum(
            len(
                run.apply(
                    [Change(each, after, "", is_transition=True, is_announced=True) for each in chunk], 0
                )
            )
            for chunk in run.devices()
        )

    return PostgresStatusStore(database).run(change) or 0


def measured(work: Callable[[Database], int], url: str) -> tuple[int, float, float, float]:
    """Count, wall and CPU milliseconds, and growth of the peak RSS in MB, in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (work, url))


def _measure(work: Callable[[Database], int], url: str) -> tuple[int, float, float, float]:
    database = Database(lambda: Secret(url))
    database.run(lambda cursor: cursor.execute("SELECT 1"))
    before, wall, cpu = _peak_megabytes(), perf_counter(), process_time()
    count = work(database)
    return count, (perf_counter() - wall) * 1e3, (process_time() - cpu) * 1e3, _peak_megabytes() - before


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def record_milliseconds(database: Database, start: int, memory: dict[str, object]) -> float:
    store = PostgresObservationStore(database)
    best = float("inf")
    for turn in range(10):
        batch = [
            Observation(
                device_id=f"device-{number}", kind="status", attempted_at_ns=start + turn * 10**9,
                reachable=True, reason=Reason.OK, method="snmp", memory=memory,
            )
            for number in range(1, 1001)
        ]  # fmt: skip
        began = perf_counter()
        store.record(batch)
        best = min(best, (perf_counter() - began) * 1e3)
    return best


def main() -> None:
    with database_server() as url:
        database = Database(lambda: Secret(url))
        migrate(database)
        print(f"{'devices':>9} {'what':22} {'wall ms':>9} {'cpu ms':>9} {'peak +MB':>9}")
        for size in SIZES:
            with psycopg.connect(url) as connection:
                connection.execute(FILL.replace("COUNT", str(size)).encode())
            for work in (fetch_everything, read_in_chunks, status_run, everything_changes):
                count, wall, cpu, grown = measured(work, url)
                assert count == size
                print(f"{size:>9} {work.__name__:22} {wall:>9.0f} {cpu:>9.0f} {grown:>9.1f}")
        start = time_ns() - 3600 * 10**9
        for name, memory in (("no memory", {}), ("memory", {"bulk": 12, "cpu": [1, 2]})):
            milliseconds = record_milliseconds(database, start, memory)
            start += 100 * 10**9
            print(f"record 1,000 observations among {SIZES[-1]:,} devices, {name}: {milliseconds:.0f} ms")
        database.close()


if __name__ == "__main__":
    main()
