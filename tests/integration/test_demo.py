"""`make demo`, as a person starts it who has only what local/requirements.txt installs."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from fixtures.influxdb import TOKEN, Influx
from netvitals.domain.polling.schedule import phase

ROOT = Path(__file__).parents[2]
FOREIGN = ("AWS_", "DATABASE_URL", "INFLUXDB_", "NETVITALS_", "PG", "PYTEST")
BLOCKER = """
import sys
from importlib.metadata import packages_distributions
from pathlib import Path


def normal(name):
    return name.lower().replace("_", "-").replace(".", "-")


requirements = Path({requirements!r}).read_text().splitlines()
installed = {{normal(line.split("==")[0]) for line in requirements if "==" in line}} | {{"netvitals"}}
foreign = {{
    module for module, owners in packages_distributions().items()
    if not any(normal(owner) in installed for owner in owners)
}} - sys.stdlib_module_names | {{"tests", "fixtures"}}


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in foreign and not name.startswith("_"):
            raise ModuleNotFoundError(f"{{name}} is not in local/requirements.txt", name=name)


sys.meta_path.insert(0, Blocker())
"""

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which only the packages of local/requirements.txt can be imported, and a folder of
    its own for temporary files."""
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    source = BLOCKER.format(requirements=str(ROOT / "local" / "requirements.txt"))
    (blocker / "sitecustomize.py").write_text(source)
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:  # short: a Unix socket's path has 107 bytes
        Path(folder).chmod(0o755)
        yield {**own, "PYTHONPATH": str(blocker), "TMPDIR": folder}


def start(environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.demo", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(demo: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Its exit status and its lines; everything it started has gone with it."""
    output, errors = demo.communicate(timeout=280)
    assert errors == ""
    return demo.returncode, output.splitlines()


def left_behind(environment: Mapping[str, str]) -> list[str]:
    """Files in its temporary folder, and processes that were started with it."""
    files = [str(path) for path in Path(environment["TMPDIR"]).iterdir()]
    mark = f"TMPDIR={environment['TMPDIR']}\0".encode()
    processes = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                processes.append((path.parent / "cmdline").read_text())
        except OSError:
            continue
    return files + processes


def test_without_a_terminal_it_ends_by_itself_with_every_device_and_point_as_it_must_be(
    bare: dict[str, str],
) -> None:
    code, lines = ended(start(bare))
    output = "\n".join(lines)
    assert code == 0, output
    assert re.fullmatch(r"demo: 13 devices, [1-9]\d{3,} points, 2 offline, ok", lines[-1])
    assert "\x1b" not in output
    for scene in (
        "InfluxDB is away",
        "what InfluxDB does not take goes to the spool",
        "the spool is empty: what it held has been replayed",
        "lobby-sw: online → offline: ",
        "kiosk-sw: unknown → offline: ",
        "kiosk-sw: offline → online",
    ):
        assert scene in output
    (core,) = [line for line in lines if line.strip().startswith("core-sw")]
    assert re.search(r"cisco +online +snmp +\d+ % +\d+ % +\d+ °C +- +[\d.]+ Gb/s +[\d.]+ [GM]b/s", core)
    assert left_behind(bare) == []


def test_it_uses_the_influxdb_and_the_database_that_the_environment_names_and_cleans_up(
    bare: dict[str, str], influx: Influx, empty_database_url: str
) -> None:
    access = influx.access
    given = {
        "INFLUXDB_URL": access.url,
        "INFLUXDB_TOKEN": TOKEN,
        "INFLUXDB_ORG": access.org,
        "INFLUXDB_BUCKET": access.bucket,
        "DATABASE_URL": empty_database_url,
    }
    code, lines = ended(start({**bare, **given}))
    output = "\n".join(lines)
    assert code == 0, output
    found = re.fullmatch(r"demo: 13 devices, (\d+) points, 2 offline, ok", lines[-1])
    assert found
    stored = influx.query("SELECT count(value) FROM device_metrics")
    assert stored[0]["count"] == int(found[1])
    assert TOKEN not in output
    assert empty_database_url not in output
    with psycopg.connect(empty_database_url) as connection:
        schemas = connection.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'netvitals%'"
        ).fetchone()
    assert schemas == (0,)
    assert left_behind(bare) == []


def test_a_watched_demo_goes_on_until_it_is_interrupted_and_then_leaves_nothing(bare: dict[str, str]) -> None:
    demo = start(bare, "--watch")
    assert demo.stdout
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if "unknown → online" in line:
            break
    demo.send_signal(signal.SIGINT)
    code, lines = ended(demo)
    assert code == 0, "".join(seen) + "\n".join(lines)
    assert re.fullmatch(r"demo: 13 devices, [1-9]\d* points, \d offline, ok", lines[-1])
    assert left_behind(bare) == []


def test_an_influxdb_that_cannot_be_read_is_explained(bare: dict[str, str], memory_influx: Influx) -> None:
    access = memory_influx.access
    wrong = {"INFLUXDB_URL": access.url, "INFLUXDB_ORG": access.org, "INFLUXDB_TOKEN": "wrong-canary"}
    code, lines = ended(start({**bare, **wrong}))
    assert code == 1
    assert lines[-1].startswith("demo: 0 devices, 0 points, 0 offline, FAILED: ")
    assert "401" in lines[-1]
    assert "the token must be allowed to read the bucket" in lines[-1]
    assert "canary" not in lines[-1]
    code, lines = ended(start({**bare, "INFLUXDB_URL": access.url}))
    assert code == 1
    assert lines[-1].endswith("INFLUXDB_URL is set, so INFLUXDB_TOKEN, INFLUXDB_ORG must be as well")


def test_a_device_behind_another_is_polled_long_enough_after_it_for_the_cause_to_be_known() -> None:
    """Both are cut off at once; the one behind must not seem to be offline before the other is found out."""
    apart = (phase("demo-lobby-ap", "status", 10) - phase("demo-lobby-sw", "status", 10)) % 10
    assert 3 <= apart <= 7
