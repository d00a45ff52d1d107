"""`netvitals inventory import` into a real PostgreSQL."""

import psycopg
import pytest
from click.testing import CliRunner

from fixtures.inventory_command import Run, Write
from fixtures.postgres import Execute
from netvitals.cli.inventory.command import inventory

pytestmark = pytest.mark.integration


def test_an_import_adds_changes_and_leaves_and_says_how_many(run: Run, execute: Execute, file: Write) -> None:
    first = file(
        "id,ip_address,site,enabled,maintenance_until,settings\n"
        'a,10.0.0.1,x,yes,,\nb,2001:0DB8::1,x,no,2026-11-23T16:00:00Z,"{""snmp"":{""port"":1161}}"\nc,10.0.0.3,x,,,\n'
    )
    assert run("import", first, "--allow", "10.0.0.0/8", "--allow", "2001:db8::/32").stdout == (
        "3 added, 0 changed, 0 unchanged\n"
    )
    again = run("import", first, "--allow", "10.0.0.0/8", "--allow", "2001:db8::/32")
    assert again.stdout == "0 added, 0 changed, 3 unchanged\n"
    assert run("import", file('{"id": "a", "site": "y"}\n{"id": "c", "site": "x"}\n')).stdout == (
        "0 added, 1 changed, 1 unchanged\n"
    )
    assert execute(
        "SELECT id, host(ip_address), site, enabled, extract(epoch FROM maintenance_until)::bigint, settings"
        " FROM devices ORDER BY id"
    ) == [
        ("a", "10.0.0.1", "y", True, None, {}),
        ("b", "2001:db8::1", "x", False, 1795449600, {"snmp": {"port": 1161}}),
        ("c", "10.0.0.3", "x", True, None, {}),
    ]


def test_an_inventory_with_one_fault_is_not_imported_at_all(run: Run, execute: Execute, file: Write) -> None:
    result = run(
        "import", file("id,ip_address,parent_id\na,10.0.0.1,\nb,8.8.8.8,a\nc,10.0.0.3,z\n,1,\n"), code=1
    )
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["line 3", "line 4", "line 5"]
    assert "3 faults; nothing was imported" in result.stderr
    assert execute("SELECT * FROM devices") == []


def test_a_database_that_refuses_one_row_takes_none(run: Run, execute: Execute, file: Write) -> None:
    execute("ALTER TABLE devices ADD CHECK (site <> 'forbidden')")
    with pytest.raises(AssertionError, match="violates check constraint"):
        run("import", file("id,ip_address,site\na,10.0.0.1,x\nb,10.0.0.2,forbidden\n"))
    assert execute("SELECT * FROM devices") == []


def test_a_dry_run_writes_nothing(run: Run, execute: Execute, file: Write) -> None:
    result = run("import", file("id,ip_address\na,10.0.0.1\n"), "--dry-run")
    assert result.stdout == "would be 1 added, 0 changed, 0 unchanged\n"
    assert execute("SELECT * FROM devices") == []


def test_devices_that_the_file_does_not_name_are_disabled_only_when_asked(
    run: Run, execute: Execute, file: Write
) -> None:
    run("import", file("id,ip_address\na,10.0.0.1\nb,10.0.0.2\n"))
    path = file("id,ip_address\na,10.0.0.1\n")
    assert run("import", path).stdout == "0 added, 0 changed, 1 unchanged\n"
    assert run("import", path, "--disable-missing").stdout == "0 added, 0 changed, 1 unchanged, 1 disabled\n"
    assert execute("SELECT id, enabled FROM devices ORDER BY id") == [("a", True), ("b", False)]


def fleet(count: int, **columns: str) -> str:
    """A file of so many devices, with columns beside id and address that are the same in each."""
    rows = [f"sw-{n},10.0.{n // 250}.{n % 250 + 1}" for n in range(count)]
    values = "".join(f",{value}" for value in columns.values())
    return "\n".join([",".join(("id", "ip_address", *columns)), *(row + values for row in rows)]) + "\n"


ENABLED = "SELECT count(*) FROM devices WHERE enabled"


@pytest.mark.parametrize("text", ["id,ip_address\n", ""], ids=["no row", "nothing"])
def test_a_file_that_names_no_device_disables_none(
    run: Run, execute: Execute, file: Write, text: str
) -> None:
    run("import", file(fleet(3)))
    result = run("import", file(text), "--disable-missing", code=1)
    assert "nothing was imported" in result.stderr
    assert execute(ENABLED) == [(3,)]


def test_more_than_a_share_of_the_fleet_is_disabled_only_when_told(
    run: Run, execute: Execute, file: Write
) -> None:
    run("import", file(fleet(40)))
    half = file(fleet(20))
    result = run("import", half, "--disable-missing", code=1)
    assert "would disable 20 of 40 devices, more than 10 %; nothing was imported" in result.stderr
    assert execute(ENABLED) == [(40,)]
    assert "would disable 20 of 40" in run("import", half, "--disable-missing", "--dry-run").stderr
    run("import", half, "--disable-missing", "--disable-at-most", "50%")
    assert execute(ENABLED) == [(20,)]


def test_a_file_that_says_of_many_that_they_are_disabled_is_asked_about_as_well(
    run: Run, execute: Execute, file: Write
) -> None:
    run("import", file(fleet(40)))
    assert "would disable 40 of 40" in run("import", file(fleet(40, enabled="no")), code=1).stderr
    assert execute(ENABLED) == [(40,)]


def test_more_than_a_share_of_the_fleet_is_changed_only_when_told(
    run: Run, execute: Execute, file: Write
) -> None:
    run("import", file(fleet(40)))
    moved = file(fleet(40, site="x"))
    assert "--change-at-most 100%" in run("import", moved, code=1).stderr
    assert execute("SELECT DISTINCT site FROM devices") == [(None,)]
    assert run("import", moved, "--change-at-most", "100%").stdout == "0 added, 40 changed, 0 unchanged\n"


def test_what_an_import_disabled_comes_back_when_it_is_named_again(
    run: Run, execute: Execute, file: Write
) -> None:
    run("import", file(fleet(40)))
    run("import", file(fleet(1)), "--disable-missing", "--disable-at-most", "100%")
    execute("UPDATE devices SET enabled = false WHERE id = 'sw-0'")  # by hand, so for good
    result = run("import", file(fleet(40)))
    assert result.stdout == "0 added, 0 changed, 1 unchanged, 39 enabled again\n"
    assert execute("SELECT id FROM devices WHERE NOT enabled") == [("sw-0",)]
    assert run("import", file(fleet(40))).stdout == "0 added, 0 changed, 40 unchanged\n"


def test_a_device_that_a_person_enabled_and_disabled_since_stays_disabled(
    run: Run, execute: Execute, file: Write
) -> None:
    run("import", file(fleet(3)))
    run("import", file(fleet(2)), "--disable-missing")
    execute("UPDATE devices SET enabled = true WHERE id = 'sw-2'")
    run("import", file(fleet(2)))
    execute("UPDATE devices SET enabled = false WHERE id = 'sw-2'")
    run("import", file(fleet(3)))
    assert execute("SELECT id FROM devices WHERE NOT enabled") == [("sw-2",)]


def test_an_import_says_of_each_device_what_changes(run: Run, file: Write) -> None:
    settings = '"{""snmp"": {""port"": 1161}}"'
    run("import", file("id,ip_address,site\na,10.0.0.1,x\nb,10.0.0.2,\n"))
    text = f"id,ip_address,site,settings\na,10.0.0.9,,{settings}\nb,10.0.0.2,,\nc,10.0.0.3,y,\n"
    assert run("import", file(text), "--dry-run").stderr.splitlines() == [
        "~ a: ip_address '10.0.0.1' → '10.0.0.9', site 'x' → nothing, settings",
        "+ c: 10.0.0.3, network, site y",
    ]
    result = run("import", file(fleet(50)), "--dry-run")
    assert result.stderr.splitlines()[-1] == "… and 30 more (--verbose shows them)"
    assert len(run("import", file(fleet(50)), "--dry-run", "--verbose").stderr.splitlines()) == 50


def test_columns_of_any_file_are_mapped(run: Run, execute: Execute, file: Write) -> None:
    text = "Asset;IP Address;id;Where\na;10.0.0.1;77;zurich\n"
    maps = ("--map", "asset=id", "--map", "IP Address=ip_address", "--map", "Where=site")
    assert "the file's id" in run("import", file(text), *maps).stderr
    run("import", file('{"Asset": "b", "IP Address": "10.0.0.2"}\n'), *maps)
    assert execute("SELECT id, host(ip_address), site FROM devices ORDER BY id") == [
        ("a", "10.0.0.1", "zurich"),
        ("b", "10.0.0.2", None),
    ]
    assert "with one of id, hostname" in run("import", file(text), "--map", "Asset=name", code=2).stderr


def test_columns_that_the_file_does_not_have_keep_their_values_and_count_in_the_checks(
    run: Run, execute: Execute, file: Write
) -> None:
    run("import", file("id,ip_address,site,device_type\na,10.0.0.1,x,linux\n"))
    run("import", file('{"id": "a", "settings": {"ssh": {"port": 2222}}}\n'))
    assert execute("SELECT host(ip_address), site, device_type, settings FROM devices") == [
        ("10.0.0.1", "x", "linux", {"ssh": {"port": 2222}})
    ]


def test_a_row_that_can_not_be_read_is_mended_by_an_import(run: Run, execute: Execute, file: Write) -> None:
    execute("INSERT INTO devices (id, site) VALUES ('a', E'x\\ny')")
    assert "site" in run("check", code=1).output
    assert (
        run("import", file("id,ip_address,site\na,10.0.0.1,x\n")).stdout
        == "0 added, 1 changed, 0 unchanged\n"
    )
    assert run("check").output == "1 device, nothing wrong\n"


def test_an_owner_s_table_takes_an_import_and_keeps_its_own_columns(
    empty_database_url: str, file: Write
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "CREATE TABLE devices"
            " (id bigint PRIMARY KEY, ip_address text, rack text DEFAULT '7', maintenance_until timestamp)"
        )
        connection.execute("INSERT INTO devices (id, rack) VALUES (1, 'mine')")
    env = {"DATABASE_URL": empty_database_url}
    runner = CliRunner()
    assert runner.invoke(inventory, ["init"], env=env).exit_code == 0
    path = str(file("id,ip_address,maintenance_until\n1,10.0.0.1,2026-11-23T16:00:00Z\n2,10.0.0.2,\n"))
    assert runner.invoke(inventory, ["import", path], env=env).stdout == "1 added, 1 changed, 0 unchanged\n"
    assert runner.invoke(inventory, ["import", path], env=env).stdout == "0 added, 0 changed, 2 unchanged\n"
    with psycopg.connect(empty_database_url) as connection:
        racks = connection.execute("SELECT id, rack FROM devices ORDER BY id").fetchall()
    assert racks == [(1, "mine"), (2, "7")]
    missing = runner.invoke(inventory, ["import", str(file("id,ip_address,site\n1,10.0.0.1,x\n"))], env=env)
    assert "has no column site" in str(missing.exception)


def test_a_value_too_long_for_an_owner_s_column_is_refused_rather_than_cut(
    empty_database_url: str, file: Write
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "CREATE TABLE devices (id char(8) PRIMARY KEY, ip_address inet, hostname varchar(8))"
        )
    env = {"DATABASE_URL": empty_database_url}
    runner = CliRunner()
    assert runner.invoke(inventory, ["init"], env=env).exit_code == 0
    fitting = file("id,ip_address,hostname\na,10.0.0.1,switch-1\n")
    added = runner.invoke(inventory, ["import", str(fitting)], env=env)
    assert added.stdout == "1 added, 0 changed, 0 unchanged\n"
    too_long = file("id,ip_address,hostname\na,10.0.0.1,switch-10\n")
    refused = runner.invoke(inventory, ["import", str(too_long)], env=env)
    assert "value too long" in str(refused.exception)
    assert "widen the column, or shorten the value" in str(refused.exception)


@pytest.mark.parametrize("name", ["hex", "rot13", "base64", "zip", "undefined", "klingon", "a\0b"])
def test_what_names_no_encoding_of_texts_is_refused(run: Run, file: Write, name: str) -> None:
    refused = run("import", file("id\na\n"), "--encoding", name, code=2)
    assert "there is no encoding" in refused.stderr


def test_all_faults_of_a_row_are_told_at_once(run: Run, file: Write) -> None:
    path = file("id,enabled,ip_address,device_type\na,maybe,300.1.1.1,toaster\n")
    lines = run("import", path, code=1).stdout.splitlines()
    assert [line.split()[2].strip(":") for line in lines] == ["enabled", "ip_address", "device_type"]
