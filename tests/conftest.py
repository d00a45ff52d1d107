import pytest
from hypothesis import settings

# A busy machine makes examples slow; how long one takes is no property of the code.
settings.register_profile("netvitals", deadline=None)
settings.load_profile("netvitals")

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
