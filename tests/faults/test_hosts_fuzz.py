"""A short run of the fuzzers of what devices send with every test run; `make fuzz` runs them for longer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "runs"), [("winrm_xml", 1200), ("ssh_output", 8000), ("snmp_decoder", 50_000)]
)
def test_some_thousand_hostile_answers_find_nothing(name: str, runs: int, tmp_path: Path) -> None:
    paths = os.pathsep.join([str(HERE.parents[1]), str(HERE.parent)])
    command = [sys.executable, str(HERE / f"fuzz_{name}.py"), "4", f"-runs={runs}", "-seed=1"]
    run = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, cwd=tmp_path,
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    done = re.search(r"^Done (\d+) runs", run.stderr, re.MULTILINE)
    assert done
    assert int(done[1]) >= runs  # libFuzzer was seen to run one more than it was told
