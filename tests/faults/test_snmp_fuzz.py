"""A short run of the fuzzer of profiles with every test run; `make fuzz` runs it for longer."""

import subprocess
import sys
from pathlib import Path

FUZZER = Path(__file__).with_name("fuzz_profiles.py")


def test_hostile_answers_to_every_profile_make_points_or_none() -> None:
    command = [sys.executable, str(FUZZER), "0.08"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert " points; seeds from " in run.stdout
