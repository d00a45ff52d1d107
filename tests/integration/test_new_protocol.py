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
from contextlib import closing
from difflib import ndiff
from pathlib import Path
from typing import Any

import psycopg
import pytest

import netvitals
from fixtures.influxdb import TOKEN, Influx
from local.influx.http import InfluxServer
from local.influx.store import MemoryStore

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PACKAGE = Path(netvitals.__file__).parent
LINE = '    "netvitals.collectors.toy.protocol:TOY",\n'
POLLS = """
import json, os, sys
from types import SimpleNamespace
from moto import mock_aws
import netvitals
from fixtures.pipeline import Pipeline

given = json.load(sys.stdin)
assert netvitals.__file__.startswith(given["package"]), netvitals.__file__
influx = SimpleNamespace(secret=given["influx"])
with mock_aws():
    pipeline = Pipeline(given["database"], influx)
    os.environ |= pipeline.environment()
    pipeline.put_secret("credentials", {"lab": {"toy": {"word": "mellon"}}})
    settings = {"protocols": ["toy"], "toy": {"port": given["port"]}, "ping": {"enabled": True}}
    settings |= {"status_interval_seconds": 60, "offline_timeout_seconds": 180}
    pipeline.add_device("toy-1", 1, ip_address="127.0.0.1", settings=settings)
    for kind in ("metrics", "metrics", "status"):
        while not pipeline.tick(kind)["jobs"]:  # a second may have passed within the tick
            pass
        assert pipeline.collect(kind) == {"batchItemFailures": []}
"""


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
        question = self.rfile.readline().decode()
        if question:  # the host probe connects, and says nothing
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


def run(package: Path, *arguments: str, stdin: str = "", **environ: str) -> str:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NETVITALS_")},
        **environ,
        "PYTHONPATH": os.pathsep.join(map(str, (package.parent, ROOT, ROOT / "tests"))),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=environ,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_folder_and_a_line_are_polled_by_the_deployed_functions(
    package: Path, toy: Toy, database_url: str
) -> None:
    with InfluxServer(MemoryStore(), TOKEN) as server:
        influx = Influx(server, "network_metrics")
        given: dict[str, Any] = {
            "package": str(package),
            "influx": influx.secret,
            "database": database_url,
            "port": toy.port,
        }
        aws = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none")
        run(package, "-c", POLLS, stdin=json.dumps(given), AWS_DEFAULT_REGION="eu-west-1", **aws)
        rows = influx.query("SELECT * FROM device_metrics WHERE metric_name = 'cpu_percent'")
    assert [(row["device_id"], row["value"]) for row in rows] == [("toy-1", 41), ("toy-1", 42), ("toy-1", 43)]
    # What it remembers is read with the bundle's other rows, whatever the kind of the poll.
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
    answer = json.loads(run(package, "-m", "netvitals", "poll", "127.0.0.1", *options, *config))
    assert (answer["reachable"], answer["method"], answer["reason"]) == (True, "toy", "ok")
    assert ("cpu_percent", 41.0) in {(each["metric_name"], each["value"]) for each in answer["points"]}


def test_the_reference_of_the_configuration_explains_its_settings(package: Path) -> None:
    assert "# For the answer. Takes a number of seconds" in run(
        package, "-m", "netvitals", "config", "show-defaults"
    )
