"""`netvitals inventory check`, and what else makes and mends an inventory, in a real PostgreSQL."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from fixtures.inventory_command import Run, Write
from fixtures.postgres import Execute
from netvitals.cli.config.command import config
from netvitals.cli.inventory.command import inventory

pytestmark = pytest.mark.integration


def test_init_says_what_it_applied_and_then_that_all_is_there(empty_database_url: str) -> None:
    runs = [
        CliRunner().invoke(inventory, ["init"], env={"DATABASE_URL": empty_database_url}) for _ in range(2)
    ]
    assert "applied 0001_devices_and_state\n" in runs[0].output
    assert runs[1].output == "the tables are up to date\n"


def test_a_missing_database_is_a_usage_error() -> None:
    result = CliRunner().invoke(inventory, ["list"], env={"DATABASE_URL": None})
    assert result.exit_code == 2
    assert "DATABASE_URL" in result.output
    assert CliRunner().invoke(inventory, ["check"], env={"DATABASE_URL": None}).exit_code == 2


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


def test_a_check_tells_of_devices_at_one_address_and_port(run: Run, file: Write) -> None:
    rows = "".join(f"d{n},10.0.0.1\n" for n in range(5)) + "e,10.0.0.2\n"
    result = run("check", file(f"id,ip_address\n{rows}"))
    assert result.stderr == (
        "warning: d0, d1, d2 and 2 more have one address and port (10.0.0.1), so they are polled one after "
        "another: are they one device?\n"
    )
    apart = 'id,ip_address,settings\nf,10.0.0.1,"{""snmp"": {""port"": 1161}}"\ng,10.0.0.1,\n'
    assert run("check", file(apart)).stderr == ""


@pytest.mark.usefixtures("filled")
def test_connecting_counts_the_devices_that_are_there_and_those_that_are_polled(database_url: str) -> None:
    variables = {"DATABASE_URL": database_url, "COLUMNS": "120"}
    result = CliRunner(env=variables).invoke(config, ["check", "--connect"])
    assert "reached: 4 devices, 3 enabled" in result.stdout


@pytest.mark.usefixtures("filled")
def test_a_host_key_that_was_trusted_is_forgotten_and_nothing_else(run: Run, execute: Execute) -> None:
    execute(
        """UPDATE device_state SET memory = '{"ssh_host_keys": ["x"], "ssh": {}}' WHERE device_id = 'a'"""
    )
    result = run("forget-host-key", "a", "b[red]", code=1)
    assert result.stdout == "a: forgotten\nb[red]: no host key is kept of it\n"
    assert execute("SELECT memory FROM device_state WHERE device_id = 'a'") == [({"ssh": {}},)]
