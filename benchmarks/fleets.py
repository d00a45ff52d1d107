"""A fleet in a real PostgreSQL, and what a process used to work on it."""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

from local.servers.postgres import postgres_server
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.settings.secret import Secret

DEVICES_PER_SITE = 100


@contextmanager
def fleet_database(
    devices: int, per_site: int = DEVICES_PER_SITE, *, shuffled: bool = False
) -> Iterator[str]:
    """Yield the URL of a database with so many devices, all online and polled just now."""
    with database_server() as url:
        database = Database(lambda: Secret(url))
        migrate(database)
        database.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO devices (id, hostname, ip_address, site, credential, settings)"
                " SELECT CASE WHEN %s THEN md5(n::text) ELSE 'sw-' || n END,"
                " 'switch-' || n || '.example.net', '10.0.0.0'::inet + n,"
                " 'site-' || n / %s, 'default',"
                """ CASE n %% 10 WHEN 0 THEN '{"snmp": {"port": 1161}}'::jsonb ELSE '{}' END"""
                " FROM generate_series(1, %s) AS n",
                [shuffled, per_site, devices],
            )
            connection.execute(
                "INSERT INTO device_state (device_id, status, cause, announced, status_since, last_seen_at,"
                " last_attempt_at, status_attempt_at, metrics_attempt_at, streak_since, successes, reason,"
                " method, memory)"
                " SELECT id, 'online', 'answered', 'online', now() - interval '1 day', now(), now(),"
                " now(), now(),"
                " now() - interval '1 day', 100, 'ok', 'snmp',"
                """ '{"snmp_engine": {"id": "80001f8880", "boots": 3, "booted_at": 1795000000}}'"""
                " FROM devices"
            )
            connection.execute("VACUUM ANALYZE")
        yield url


@contextmanager
def database_server() -> Iterator[str]:
    """The URL of an empty database of a server that goes with it."""
    with (
        tempfile.TemporaryDirectory(prefix="netvitals-") as folder,
        postgres_server(Path(folder, "postgres")) as url,
    ):
        yield url


class Meter:
    """Wall-clock and CPU seconds of a block, and the process's peak memory."""

    def __enter__(self) -> Self:
        self.wall, self.cpu = -time.perf_counter(), -time.process_time()
        self.before_mib = peak_mib()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()
        self.peak_mib = peak_mib()

    def __str__(self) -> str:
        return (
            f"{self.wall:6.2f} s, {self.cpu:6.2f} s CPU, "
            f"peak {self.peak_mib:.0f} MiB ({self.peak_mib - self.before_mib:+.0f})"
        )


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
