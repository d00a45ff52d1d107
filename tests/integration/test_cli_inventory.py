"""`netvitals inventory` against a real PostgreSQL."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from fixtures.postgres import Execute
from netvitals.cli.config.command import config
from netvitals.cli.inventory.command import inventory

pytestmark = pytest.mark.integration

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str | Path, code: int = 0) -> Result:
        result = CliRunner().invoke(inventory, [*map(str, arguments)], env={"DATABASE_URL": database_url})
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "devices"
        path.write_text(text)
        return path

    return write


Write = Callable[[str], Path]


def test_init_says_what_it_applied_and_then_that_all_is_there(empty_database_url: str) -> None:
    runs = [
        CliRunner().invoke(inventory, ["init"], env={"DATABASE_URL": empty_database_url}) for _ in range(2)
    ]
    assert "applied 0001_devices_and_state\n" in runs[0].output
    assert runs[1].output == "the tables are up to date\n"


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


def test_credentials_are_checked_against_the_map(run: Run, file: Write, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    credentials.write_text('{"core": {"snmp": {"community": "s3cret"}}}')
    path = file("id,ip_address,credential\na,10.0.0.1,cor\n")
    result = run("check", path, "--credentials", credentials, code=1)
    assert "did you mean 'core'?" in result.output
    assert "s3cret" not in result.output


def test_a_device_type_of_the_configuration_is_known(run: Run, file: Write, tmp_path: Path) -> None:
    config = tmp_path / "netvitals.yaml"
    config.write_text("device_types: {ups: {extends: network}}\nallowed_networks: [198.51.100.0/24]\n")
    path = file("id,ip_address,device_type\na,198.51.100.1,ups\n")
    assert run("check", path, "--config", config).output == "1 device, nothing wrong\n"
    assert run("check", path, code=1).output.count("line 2") == 2


def test_many_faults_are_counted_and_the_first_hundred_shown(run: Run, file: Write) -> None:
    result = run("check", file("id\n" + "\n".join(map(str, range(250)))), code=1)
    assert len(result.stdout.splitlines()) == 101
    assert "and 150 more" in result.stdout


@pytest.fixture
def filled(execute: Execute) -> None:
    execute(
        "INSERT INTO devices (id, ip_address, site, device_type, settings, enabled) VALUES"
        " ('a', '10.0.0.1', 'x', 'network', '{\"snmp\": {\"port\": 1}}', true),"
        " ('b[red]', '10.0.0.2', 'y', 'linux', '{}', true), ('c', NULL, 'y', 'linux', '{}', false),"
        " (E'bad\\n', NULL, 'y', 'linux', '{}', true)"
    )
    execute(
        "INSERT INTO device_state (device_id, status, last_seen_at, reason, detail, method) VALUES"
        " ('a', 'online', now() - interval '125 seconds', 'ok', '', 'snmp'),"
        " ('b[red]', 'offline', NULL, 'timeout', E'no \\x1b[31manswer\\n', 'ssh')"
    )


@pytest.mark.usefixtures("filled")
def test_list_shows_a_table_for_people(run: Run) -> None:
    result = run("list")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["device", "address", "type", "site", "status", "last", "seen", "why"]
    assert "2 min ago" in lines[1]
    assert lines[2].split()[:5] == ["b[red]", "10.0.0.2", "linux", "y", "offline"]
    assert "disabled" in lines[3]
    assert "3 devices" in lines[4]
    assert "\x1b" not in result.stdout
    assert "1 row can't be read" in result.stderr


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([], ["a", "b[red]", "c"]),
        (["--site", "y"], ["b[red]", "c"]),
        (["--type", "network"], ["a"]),
        (["--status", "offline"], ["b[red]"]),
        (["--status", "unknown", "--site", "y"], ["c"]),
    ],
)
def test_list_filters_and_writes_json_lines(run: Run, filters: list[str], ids: list[str]) -> None:
    rows = [json.loads(line) for line in run("list", "--format", "jsonl", *filters).stdout.splitlines()]
    assert [row["id"] for row in rows] == ids


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_what_list_writes_can_be_imported_again(
    run: Run, file: Write, format_: str, execute: Execute
) -> None:
    execute(
        "UPDATE devices SET ip_address = '10.0.0.3', maintenance_until = '2026-11-23 16:00Z' WHERE id = 'c'"
    )
    path = file(run("list", "--format", format_).stdout)
    result = run("import", path)
    assert result.stdout == "0 added, 0 changed, 3 unchanged\n"
    assert "'status'" in result.stderr


@pytest.mark.usefixtures("filled")
def test_a_filter_that_no_device_can_meet_is_told_with_what_was_meant(run: Run) -> None:
    assert "no device has the site 'Y'; did you mean 'y'?" in run("list", "--site", "Y", code=2).stderr
    refused = run("list", "--type", "Network", code=2)
    assert "the type 'Network'; did you mean 'network'" in refused.stderr
    assert refused.stdout == ""
    assert "'ofline' is not one of" in run("list", "--status", "ofline", code=2).stderr
    rows = run("list", "--status", "disabled", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(row)["id"] for row in rows] == ["c"]
    assert run("list", "--site", "x", "--status", "offline", "--format", "jsonl").stdout == ""


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal_leaves_columns_out_and_verbose_says_why_in_full(
    run: Run, execute: Execute, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    why = "no answer to SNMP on UDP port 161 within 3 s, 3 times; check that its agent runs and lets us in"
    execute(f"UPDATE device_state SET detail = '{why}' WHERE device_id = 'a'")  # noqa: S608, our own text
    execute("UPDATE devices SET hostname = 'a.example.net' WHERE id = 'a'")
    header, first, *_, last = run("list").stdout.splitlines()
    assert max(len(header), len(first)) <= width
    assert ("10.0.0.1" in first, "a.example.net" in first) == (True, width > 100)
    assert "online" in first
    assert first.rstrip().endswith("…")
    assert last == "3 devices"
    assert f"a: {why}\n" in run("list", "--verbose").stdout


@pytest.mark.usefixtures("filled")
def test_connecting_counts_the_devices_that_are_there_and_those_that_are_polled(database_url: str) -> None:
    variables = {"DATABASE_URL": database_url, "COLUMNS": "120"}
    result = CliRunner(env=variables).invoke(config, ["check", "--connect"])
    assert "reached: 4 devices, 3 enabled" in result.stdout


def test_a_check_tells_of_devices_at_one_address_and_port(run: Run, file: Write) -> None:
    rows = "".join(f"d{n},10.0.0.1\n" for n in range(5)) + "e,10.0.0.2\n"
    result = run("check", file(f"id,ip_address\n{rows}"))
    assert result.stderr == (
        "warning: d0, d1, d2 and 2 more have one address and port (10.0.0.1), so they are polled one after "
        "another: are they one device?\n"
    )
    apart = 'id,ip_address,settings\nf,10.0.0.1,"{""snmp"": {""port"": 1161}}"\ng,10.0.0.1,\n'
    assert run("check", file(apart)).stderr == ""


def test_all_faults_of_a_row_are_told_at_once(run: Run, file: Write) -> None:
    path = file("id,enabled,ip_address,device_type\na,maybe,300.1.1.1,toaster\n")
    lines = run("import", path, code=1).stdout.splitlines()
    assert [line.split()[2].strip(":") for line in lines] == ["enabled", "ip_address", "device_type"]


@pytest.mark.usefixtures("filled")
def test_a_host_key_that_was_trusted_is_forgotten_and_nothing_else(run: Run, execute: Execute) -> None:
    execute(
        """UPDATE device_state SET memory = '{"ssh_host_keys": ["x"], "ssh": {}}' WHERE device_id = 'a'"""
    )
    result = run("forget-host-key", "a", "b[red]", code=1)
    assert result.stdout == "a: forgotten\nb[red]: no host key is kept of it\n"
    assert execute("SELECT memory FROM device_state WHERE device_id = 'a'") == [({"ssh": {}},)]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_a_reader_that_has_had_enough_is_no_fault(database_url: str, format_: str) -> None:
    command = f"{sys.executable} -m netvitals.cli.main inventory list --format {format_}"
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
        env=os.environ | {"DATABASE_URL": database_url}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "141\n"
    assert "Traceback" not in done.stderr


def test_a_missing_database_is_a_usage_error() -> None:
    result = CliRunner().invoke(inventory, ["list"], env={"DATABASE_URL": None})
    assert result.exit_code == 2
    assert "DATABASE_URL" in result.output
    assert CliRunner().invoke(inventory, ["check"], env={"DATABASE_URL": None}).exit_code == 2


def test_what_is_listed_as_csv_runs_in_no_spreadsheet_and_can_be_imported_again(
    run: Run, execute: Execute, tmp_path: Path
) -> None:
    names = ["=cmd|'/c calc'!A0", "@SUM(1)", "+1", "-2", "plain"]
    values = ", ".join(f"('d{n}', '10.0.0.{n}', $${name}$$)" for n, name in enumerate(names, 1))
    execute(f"INSERT INTO devices (id, ip_address, site) VALUES {values}")  # noqa: S608, our own values
    listed = tmp_path / "listed.csv"
    listed.write_text(run("list", "--format", "csv").stdout)
    assert [row["site"][0] for row in csv.DictReader(listed.open())] == ["'", "'", "'", "'", "p"]
    run("import", listed)
    assert execute("SELECT site FROM devices ORDER BY id") == [(name,) for name in names]
