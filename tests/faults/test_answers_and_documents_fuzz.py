"""A few seconds of some fuzzers with every test run; `make fuzz` runs them as long as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest

ALL = Path(__file__).with_name("fuzz.py")


@pytest.mark.parametrize("name", ["influx_answers", "configuration", "profiles"])
def test_seconds_of_fuzzing_find_nothing(name: str) -> None:
    command = [sys.executable, str(ALL), "0.08", name]
    run = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stdout[-3000:]
    assert f"{name} (" in run.stdout
