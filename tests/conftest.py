import logging
import os
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from fixtures.long_first import file_of, long_first

# A busy machine makes examples slow; how long one takes is no property of the code.
settings.register_profile("netvitals", deadline=None)
settings.load_profile("netvitals")

pytest_plugins = [
    "fixtures.bare",
    "fixtures.certificate",
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


@pytest.fixture(autouse=True)
def _logs_as_no_function_writes_them() -> Iterator[None]:
    """Take away the log handler that a Lambda handler puts on the root logger when a test invokes it."""
    yield
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if type(each).__module__ != "netvitals.observability"]


def pytest_xdist_auto_num_workers() -> int:
    """Return four more than there are processors: many tests wait for servers that hang."""
    return (os.process_cpu_count() or 1) + 4


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each of several processes begin with long tests."""
    processes: int = getattr(config, "workerinput", {}).get("workercount", 1)
    if processes > 1:
        items[:] = long_first(items, lambda item: file_of(item.nodeid), processes)


_INSTALL = re.compile(r"apt-get install ([\w.-]+(?: [\w.-]+)*)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line how to get the servers for want of which tests were skipped, and why others were."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in skipped
        if isinstance(report.longrepr, tuple)  # path, line, reason
    )
    packages: set[str] = set()
    missing = 0
    for reason, count in sorted(reasons.items()):
        if found := _INSTALL.search(reason):
            packages.update(found[1].split())
            missing += count
        else:
            terminalreporter.write_line(f"{count} skipped: {reason}")
    if packages:
        terminalreporter.write_line(
            f"{missing} skipped for want of servers and tools: apt-get install {' '.join(sorted(packages))}"
        )
