"""`netvitals cost` of a fleet as a real PostgreSQL knows it."""

import json
import time

import psycopg
import pytest
from click.testing import CliRunner

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.samples import PostgresSampleStore
from netvitals.cli.main import cli
from netvitals.domain.polling.changes import Sample, Samples
from netvitals.domain.ports import SampleRecord

pytestmark = pytest.mark.integration

DEVICES = """
INSERT INTO devices (id, ip_address, device_type, enabled)
SELECT 'sw-' || n, '10.0.0.0'::inet + n, CASE WHEN n > 30 THEN 'linux' ELSE 'network' END, n <> 40
FROM generate_series(1, 40) AS n;
INSERT INTO device_state (device_id, points, failures, reason, last_seen_at, last_attempt_at)
SELECT 'sw-' || n, 113, CASE WHEN n <= 3 THEN 50 ELSE 0 END, CASE WHEN n <= 3 THEN 'timeout' ELSE 'ok' END,
    CASE WHEN n <= 3 THEN now() - interval '1 day' ELSE now() END, now()
FROM generate_series(1, 30) AS n
"""


def samples_of_a_switch(ports: int, moving: int) -> Samples:
    due_at = int(time.time())
    series = {
        name: {f"Gi1/0/{port}": Sample(5, due_at * 10**9, port, port >= moving) for port in range(ports)}
        for name in ("net_bytes_in", "net_bytes_out", "net_oper_status")
    }
    return Samples(due_at=due_at, full_at=due_at - 300, address="10.0.0.1", series=series)


def test_the_fleet_is_counted_with_its_ports_and_its_silence(database: Database, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(DEVICES.encode())
    store = PostgresSampleStore(database)
    store.record([SampleRecord(f"sw-{n}", None, samples_of_a_switch(48, 12)) for n in range(1, 31)])
    environment = {"DATABASE_URL": database_url}
    table = CliRunner().invoke(cli, ["cost"], env=environment)
    assert table.exit_code == 0, table.output
    assert "30 devices over snmp, 48 ports (25% in use), 10.0% silent" in table.stdout
    assert "9 devices over ssh, 24 ports (50% in use), 0.0% silent" in table.stdout
    found = json.loads(CliRunner().invoke(cli, ["cost", "--format", "json"], env=environment).stdout)
    assert 50 < found["total_usd"] < 100


def test_without_samples_the_number_of_points_tells_the_ports(database: Database, database_url: str) -> None:
    assert not PostgresSampleStore(database).some(10)
    with psycopg.connect(database_url) as connection:
        connection.execute(DEVICES.encode())
    table = CliRunner().invoke(cli, ["cost"], env={"DATABASE_URL": database_url})
    assert "30 devices over snmp, 12 ports (50% in use), 10.0% silent" in table.stdout


def test_a_database_that_can_not_be_used_is_told(database_url: str) -> None:
    nowhere = f"{database_url}_nowhere"
    result = CliRunner().invoke(cli, ["cost"], env={"DATABASE_URL": nowhere})
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
