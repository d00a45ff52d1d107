import pytest

pytest_plugins = [
    "integration.influxdb",
    "integration.postgres",
    "integration.snmpd",
    "integration.pipeline",
    "integration.sshd",
    "simulators.lambda_build",
]


@pytest.fixture(autouse=True)
def _no_terminals_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the terminal that the tests were started on, which pytest-xdist hands down to its processes."""
    monkeypatch.delenv("COLUMNS", raising=False)
