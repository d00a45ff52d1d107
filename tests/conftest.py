import pytest

pytest_plugins = [
    "fixtures.bare",
    "fixtures.influxdb",
    "fixtures.postgres",
    "fixtures.snmpd",
    "fixtures.pipeline",
    "fixtures.sshd",
    "fixtures.firewall",
    "fixtures.lambda_build",
]


@pytest.fixture(autouse=True)
def _no_terminals_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the terminal that the tests were started on, which pytest-xdist hands down to its processes."""
    monkeypatch.delenv("COLUMNS", raising=False)
