"""Migrations of a real PostgreSQL: applied once, whoever starts them, beside an inventory that is there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from fixtures.pgbouncer import transaction_pooler
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.adapters.postgres.schema import migrate

pytestmark = pytest.mark.integration

Open = Callable[[str], Database]


def test_migrating_again_applies_nothing(empty_database_url: str, open_database: Open) -> None:
    database = open_database(empty_database_url)
    assert migrate(database)[0] == "0001_devices_and_state"
    assert migrate(database) == []


def test_migrations_started_together_are_applied_once(empty_database_url: str, open_database: Open) -> None:
    databases = [open_database(empty_database_url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        applied = [names for names in pool.map(migrate, databases) if names]
    assert len(applied) == 1


def test_migrating_leaves_an_existing_inventory_as_it_is(
    empty_database_url: str, open_database: Open
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE devices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), rack text)")
        connection.execute("INSERT INTO devices (rack) VALUES ('7')")
    migrate(open_database(empty_database_url))
    with psycopg.connect(empty_database_url) as connection:
        names = connection.execute(
            "SELECT attname FROM pg_attribute"
            " WHERE attrelid = 'devices'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        racks = connection.execute("SELECT rack FROM devices").fetchall()
    assert names == [("id",), ("rack",)]
    assert racks == [("7",)]


def test_migrating_finds_an_inventory_in_another_schema_of_the_search_path(
    empty_database_url: str, open_database: Open
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE devices (id text PRIMARY KEY)")
        connection.execute("CREATE SCHEMA monitoring")
        connection.execute("INSERT INTO devices VALUES ('a')")
    separator = "&" if "?" in empty_database_url else "?"
    database = open_database(f"{empty_database_url}{separator}options=-csearch_path%3Dmonitoring,public")
    migrate(database)
    devices = [device.id for chunk in PostgresInventory(database).devices(print) for device in chunk]
    assert devices == ["a"]


@pytest.mark.usefixtures("password_url")
def test_migrations_run_through_a_transaction_pooler(empty_database_url: str, open_database: Open) -> None:
    with transaction_pooler(empty_database_url, server_connections=2) as url:
        databases = [open_database(url) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert len([names for names in pool.map(migrate, databases) if names]) == 1
        for database in databases:
            database.close()
