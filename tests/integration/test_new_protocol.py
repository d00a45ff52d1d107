"""A new protocol is a folder in `collectors/` and a line in the table of protocols, and nothing else.

A copy of the package gets both. Everything else is as it is deployed: the handlers run in a process of their
own, over PostgreSQL, and moto's queues.
"""

import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from difflib import ndiff
from pathlib import Path

import psycopg
import pytest

import netvitals

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PACKAGE = Path(netvitals.__file__).parent
LINE = '    "netvitals.collectors.toy.protocol:TOY",\n'


class Toy(socketserver.ThreadingTCPServer):
    """Answers each question that begins with the word with a load that grows."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.questions: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Answer(socketserver.StreamRequestHandler):
    server: Toy

    def handle(self) -> None:
        question = ""
        with suppress(ConnectionError):  # the host probe connects, and says nothing
            question = self.rfile.readline().decode()
        if question:
            self.server.questions.append(question.removeprefix("mellon ").strip())
            load = 40 + len(self.server.questions)
            self.wfile.write(f"load {load}\n".encode() if question.startswith("mellon ") else b"no\n")


@pytest.fixture
def toy() -> Iterator[Toy]:
    with Toy() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of netvitals with a folder and a line more."""
    copy = tmp_path / "netvitals"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.yaml"))
    shutil.copytree(ROOT / "tests/fixtures/toy", copy / "collectors/toy")
    table = copy / "domain/protocols.py"
    before = table.read_text()
    table.write_text(before.replace("_DESCRIPTIONS = (\n", f"_DESCRIPTIONS = (\n{LINE}"))
    changed = ndiff(before.splitlines(keepends=True), table.read_text().splitlines(keepends=True))
    assert [line for line in changed if not line.startswith(" ")] == [f"+ {LINE}"]
    return copy


def run(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a process whose netvitals is that package."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NETVITALS_")},
        "PYTHONPATH": os.pathsep.join(map(str, (package.parent, ROOT, ROOT / "tests"))),
    }
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        env=environ,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_a_folder_and_a_line_are_polled_by_the_deployed_functions(
    package: Path, toy: Toy, database_url: str
) -> None:
    done = run(package, "fixtures.toy_polls", database_url, str(toy.port))
    stored = json.loads(done.stderr.splitlines()[-1])
    assert stored == [["toy-1", 41], ["toy-1", 42], ["toy-1", 43]]
    # It is told what it remembers, of which one key is written once.
    assert toy.questions == [
        "metrics []",
        "metrics ['toy_first_seen', 'toy_polls']",
        "status ['toy_first_seen', 'toy_polls']",
    ]
    with closing(psycopg.connect(database_url)) as connection:
        state = connection.execute("SELECT method, reason, memory FROM device_state").fetchall()
    assert state == [("toy", "ok", {"toy_polls": 3, "toy_first_seen": "41"})]


def test_the_command_line_has_its_options(package: Path, toy: Toy, tmp_path: Path) -> None:
    document = {"device_types": {"toy": {"protocols": ["toy"], "ping": {"enabled": False}}}}
    (tmp_path / "config.json").write_text(json.dumps(document))
    options = ("--type", "toy", "--port", str(toy.port), "--word", "mellon", "--format", "jsonl")
    config = ("--config", str(tmp_path / "config.json"))
    answer = json.loads(run(package, "netvitals", "poll", "127.0.0.1", *options, *config).stdout)
    assert (answer["reachable"], answer["method"], answer["reason"]) == (True, "toy", "ok")
    assert ("cpu_percent", 41.0) in {(each["metric_name"], each["value"]) for each in answer["points"]}


def test_the_reference_of_the_configuration_explains_its_settings(package: Path) -> None:
    defaults = run(package, "netvitals", "config", "show-defaults").stdout
    assert "# For the answer. Takes a number of seconds" in defaults
