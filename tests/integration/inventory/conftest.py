from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fixtures.inventory_command import Run, Write
from fixtures.postgres import Execute
from netvitals.cli.inventory.command import inventory


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str | Path, code: int = 0) -> Result:
        result = CliRunner().invoke(inventory, [*map(str, arguments)], env={"DATABASE_URL": database_url})
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "devices"
        path.write_text(text)
        return path

    return write


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
