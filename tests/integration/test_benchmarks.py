"""Every program in benchmarks/ starts as docs/measured.md says, so small that it measures nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.lambda_build import ROOT, built
from local.chromium import installed_chromium
from local.event import HOST
from local.servers.snmpd import SNMPD
from local.servers.sshd import SSHD

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

FOLDER = ROOT / "benchmarks"
PROGRAMS = [path.name for path in sorted(FOLDER.glob("*.py")) if "__main__" in path.read_text()]
STARTED_BY_OTHERS = ("agents.py", "sqs_server.py")
ELSEWHERE = ("cold_start.py", "corpus.py")
NEEDS = {
    "page.py": ("chromium", installed_chromium()),
    "snmp_v3.py": ("snmpd", SNMPD),
    "ssh_collector.py": ("openssh-server", SSHD),
}
SCORE = """
import json
for name, hits in json.load(open({floors!r})).items():
    print(f"{{name}}  {{hits}}/{{hits}}  100.0 %")
print("…; 0 of the expected ones not reachable")
"""


def run(program: str, *arguments: str) -> str:
    """What it prints, started in a clone that has nothing but what `make test` installs."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, f"benchmarks/{program}", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("program", sorted({*PROGRAMS} - {*STARTED_BY_OTHERS, *ELSEWHERE}))
def test_a_benchmark_runs(program: str) -> None:
    package, needed = NEEDS.get(program, ("", sys.executable))
    if needed is None:
        pytest.skip(f"needs {package}: apt-get install {package}")
    assert run(program, "--quick")


def test_the_cold_start_is_measured_of_what_was_built(build_folder: Path) -> None:
    printed = run("cold_start.py", "--quick", "--build-dir", str(built(HOST, build_folder)))
    assert "StatusCollectorFunction, SNMP job" in printed


def test_the_corpus_is_compared_with_what_was_reached_before(tmp_path: Path) -> None:
    floors = tmp_path / "floors.json"
    shutil.copy(FOLDER / "corpus.json", floors)
    (tmp_path / "score.py").write_text(SCORE.format(floors=str(floors)))
    assert run("corpus.py", str(tmp_path)).count("100.0 %") == len(json.loads(floors.read_text()))
    floors.write_text(json.dumps(dict.fromkeys(json.loads(floors.read_text()), 0)))
    with pytest.raises(AssertionError, match="0 right"):
        run("corpus.py", str(tmp_path))


def test_no_benchmark_needs_the_tests() -> None:
    assert [path.name for path in FOLDER.glob("*.py") if "fixtures" in path.read_text()] == []
