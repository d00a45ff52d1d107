"""The inventory read from a real PostgreSQL, netvitals' own table or somebody else's."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql

from fixtures.postgres import database_name
from netvitals.adapters.postgres.database import Cursor, Database
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import BadRow

pytestmark = pytest.mark.integration

Open = Callable[[str], Database]


def never(bad: BadRow) -> None:
    raise AssertionError(str(bad))


def read(inventory: PostgresInventory, report: Callable[[BadRow], None] = never) -> list[Device]:
    return [device for chunk in inventory.devices(report) for device in chunk]


def execute(url: str, statements: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statements.encode())


def test_a_device_comes_with_its_state(database: Database, database_url: str) -> None:
    execute(
        database_url,
        """
        INSERT INTO devices VALUES ('sw-1', 'core', '10.0.0.1', 'aa:bb', 'network', 'c', 'Zürich', 'r-1',
            true, '2026-11-23T17:00:00+01:00', '{"snmp": {"port": 1161}}');
        INSERT INTO devices (id, ip_address) VALUES ('sw-2', '2001:db8::1/64');
        INSERT INTO devices (id, enabled) VALUES ('off', false);
        INSERT INTO device_state (device_id, memory) VALUES
            ('sw-1', '{"bulk": 12, "ssh_host_keys": ["k"]}');
        UPDATE device_state SET failures = 3, reason = 'timeout', points = 202,
            last_seen_at = to_timestamp(1795449600.5), metrics_attempt_at = to_timestamp(1795449700);
        """,
    )
    full, bare = read(PostgresInventory(database))
    assert full == Device(
        id="sw-1",
        ip_address="10.0.0.1",
        hostname="core",
        mac_address="aa:bb",
        device_type="network",
        credential="c",
        site="Zürich",
        parent_id="r-1",
        maintenance_until=1795449600.0,
        settings={"snmp": {"port": 1161}},
        memory={"ssh_host_keys": ["k"]},
        failures=3,
        reason="timeout",
        last_seen_at=1795449600.5,
        metrics_attempt_at=1795449700.0,
        points=202,
    )
    assert bare == Device(id="sw-2", ip_address="2001:db8::1")


@pytest.mark.parametrize("id_type", ["uuid", "bigint", "varchar(36)", "name"])
def test_a_table_of_other_types_with_more_and_fewer_columns_is_read_as_it_stands(
    empty_database_url: str, open_database: Open, id_type: str
) -> None:
    database = open_database(empty_database_url)
    value = "6ecd8c99-4036-403d-bf84-cf8400f67836" if id_type != "bigint" else "42"
    execute(
        empty_database_url,
        """
        SET datestyle = 'SQL, DMY';
        CREATE TYPE kind AS ENUM ('linux', 'windows');
        CREATE TABLE devices (owner text NOT NULL DEFAULT 'ops', device_type kind, ip_address text,
            enabled text, mac_address macaddr, maintenance_until timestamp, settings json, "weird Name" int,
            id ID_TYPE PRIMARY KEY);
        INSERT INTO devices (id, device_type, ip_address, enabled, mac_address, maintenance_until, settings)
            VALUES ('ID', 'linux', '10.0.0.9', 'yes', '08:00:2b:01:02:03', '23/11/2026 16:00:00',
                '{"ping": {}}');
        ALTER DATABASE current SET datestyle = 'SQL, DMY';
        """.replace("ID_TYPE", id_type)
        .replace("'ID'", f"'{value}'")
        .replace("DATABASE current", f'DATABASE "{database_name(empty_database_url)}"'),
    )
    applied = migrate(database)
    [device] = read(PostgresInventory(database))
    assert applied
    assert device.id == value
    assert (device.device_type, device.ip_address, device.mac_address) == (
        "linux",
        "10.0.0.9",
        "08:00:2b:01:02:03",
    )
    assert (device.enabled, device.maintenance_until, device.settings) == (True, 1795449600.0, {"ping": {}})
    assert (device.site, device.parent_id) == ("", None)


def test_a_view_serves_as_the_inventory(empty_database_url: str, open_database: Open) -> None:
    database = open_database(empty_database_url)
    execute(
        empty_database_url,
        "CREATE TABLE hosts (pk serial, addr inet);"
        "CREATE VIEW devices AS SELECT pk AS id, addr AS ip_address FROM hosts;"
        "INSERT INTO hosts (addr) SELECT '10.0.0.0'::inet + n FROM generate_series(1, 25) n",
    )
    migrate(database)
    devices = read(PostgresInventory(database, chunk_rows=10))
    assert [device.id for device in devices] == [str(number) for number in range(1, 26)]


def test_rows_that_can_not_be_read_are_reported_and_left_out(
    empty_database_url: str, open_database: Open
) -> None:
    database = open_database(empty_database_url)
    execute(
        empty_database_url,
        """
        CREATE TABLE devices (id text, site text, enabled text, settings text, ip_address text);
        INSERT INTO devices VALUES ('a', 'x', NULL, NULL, '10.0.0.1'), ('b', E'x\\ny', '', '', ''),
            ('c', repeat('x', 100000), 't', '{}', ''), ('d', '', 'perhaps', '{"a": ', ''),
            ('e', '', 'true', '[1]', ''), ('f', '', 'FALSE', 'not read', ''), ('', '', '', '', ''),
            ('g', '', '1', repeat('[', 200000), ''), (E'h\\t', '', '', '', ''),
            (repeat('x', 2000), '', '', '', ''),
            ('i; DROP TABLE devices; --', '', '', '{"x": "\\u0000"}', '');
        """,
    )
    migrate(database)
    reported: list[BadRow] = []
    for chunk_rows in (1000, 2):
        reported.clear()
        devices = read(PostgresInventory(database, chunk_rows), reported.append)
        assert [device.id for device in devices] == ["a", "i; DROP TABLE devices; --"]
        assert [(bad.where, bad.field) for bad in reported] == [
            ("device ''", "id"),
            ("device 'b'", "site"),
            ("device 'c'", "site"),
            ("device 'd'", "enabled"),
            ("device 'd'", "settings"),
            ("device 'e'", "settings"),
            ("device 'g'", "settings"),
            ("device 'h\\t'", "id"),
            (f"device '{'x' * 58}…", "id"),
        ]
    assert all(len(str(bad)) < 250 for bad in reported)


def test_every_device_comes_once_whatever_the_size_of_a_chunk(database: Database, database_url: str) -> None:
    execute(database_url, "INSERT INTO devices (id) SELECT n FROM generate_series(1, 100) n")
    for chunk_rows in (1, 7, 50, 100, 101):
        chunks = list(PostgresInventory(database, chunk_rows).devices(never))
        assert max(map(len, chunks)) <= chunk_rows
        assert sorted(int(device.id) for chunk in chunks for device in chunk) == list(range(1, 101))


def test_a_chunk_costs_the_same_at_the_end_of_100_000_devices_as_at_the_start(
    database: Database, database_url: str
) -> None:
    execute(
        database_url,
        "INSERT INTO devices (id) SELECT n FROM generate_series(1, 100000) n;"
        "INSERT INTO device_state (device_id) SELECT id FROM devices; ANALYZE devices; ANALYZE device_state",
    )
    explained = Explained(database)
    inventory = PostgresInventory(cast("Database", explained), collector="")
    sizes = [len(chunk) for chunk in inventory.devices(never)]
    assert sum(sizes) == 100_000
    assert max(sizes) == 1000
    assert [rows for rows in explained.rows_read if rows > 2 * 1000] == []


class Explained:
    """A database that also asks the server how many rows each statement on these tables reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rows_read: list[int] = []

    def run(self, work: Callable[[Any], Any], **limits: Any) -> Any:
        def explained(cursor: Cursor) -> Any:
            return work(SimpleNamespace(execute=partial(self._execute, cursor), fetchall=cursor.fetchall))

        return self._database.run(explained, **limits)

    def _execute(self, cursor: Cursor, query: Any, parameters: Any = None) -> Cursor:
        if isinstance(query, sql.Composed):
            explain = sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) ") + query
            [([plan],)] = cursor.execute(explain, parameters).fetchall()
            self.rows_read.append(rows_read(plan["Plan"]))
        return cursor.execute(query, parameters)


def rows_read(node: Any) -> int:
    """How many rows of tables this part of a plan has looked at."""
    own = 0
    if "Relation Name" in node:
        passed_over = sum(node.get(f"Rows Removed by {how}", 0) for how in ("Filter", "Index Recheck"))
        own = round((node["Actual Rows"] + passed_over) * node["Actual Loops"])
    return own + sum(map(rows_read, node.get("Plans", ())))


def test_a_connection_dropped_between_chunks_costs_nothing(
    database: Database, database_url: str, postgres_url: str
) -> None:
    execute(database_url, "INSERT INTO devices (id) SELECT n FROM generate_series(1, 30) n")
    ids = []
    for chunk in PostgresInventory(database, 10).devices(never):
        ids += [device.id for device in chunk]
        drop_connections(postgres_url, database_url)
    assert len(set(ids)) == len(ids) == 30


def drop_connections(server_url: str, url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [database_name(url)],
        )


def test_an_empty_inventory_is_no_fault(database: Database) -> None:
    assert read(PostgresInventory(database)) == []


def test_missing_tables_name_the_command_that_makes_them(
    empty_database_url: str, open_database: Open
) -> None:
    inventory = PostgresInventory(open_database(empty_database_url))
    with pytest.raises(Unavailable, match="netvitals inventory init"):
        read(inventory)
    execute(empty_database_url, "CREATE TABLE devices (id text)")
    with pytest.raises(Unavailable, match="netvitals inventory init"):
        read(inventory)
    execute(empty_database_url, "ALTER TABLE devices RENAME COLUMN id TO pk")
    with pytest.raises(Unavailable, match="no column id"):
        read(inventory)


def test_reading_leaves_nothing_open(database: Database, database_url: str) -> None:
    execute(database_url, "INSERT INTO devices (id) SELECT n FROM generate_series(1, 30) n")
    next(iter(PostgresInventory(database, 10).devices(never)))
    with psycopg.connect(database_url) as connection:
        states = connection.execute(
            "SELECT state FROM pg_stat_activity"
            " WHERE application_name = 'netvitals' AND datname = current_database()"
        ).fetchall()
    assert states == [("idle",)]

    def cursors(cursor: Cursor) -> list[tuple[object, ...]]:
        return cursor.execute(
            "SELECT name FROM pg_prepared_statements UNION ALL SELECT name FROM pg_cursors"
        ).fetchall()

    assert [name for name in database.run(cursors) if name != ("",)] == []
