"""`netvitals ui` where it can't listen."""

import socket

from click.testing import CliRunner

from netvitals.cli.ui import ui

ENVIRONMENT = {"DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"}


def refused(*arguments: str) -> str:
    result = CliRunner(env=ENVIRONMENT).invoke(ui, arguments)
    assert result.exit_code == 2, result.output
    return result.output


def test_an_address_that_is_not_this_machines_and_a_port_that_is_taken_are_told_apart() -> None:
    assert "choose another with --host" in refused("--host", "192.0.2.77", "--port", "0")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "choose another with --port" in refused("--port", str(taken.getsockname()[1]))
