"""A short run of the fuzzer with every test run; by hand it runs as long as one likes."""

import subprocess
import sys
from pathlib import Path

FUZZER = Path(__file__).with_name("fuzz_snmp_decoder.py")


def test_fifty_thousand_hostile_datagrams_find_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(FUZZER), "1.5", "-runs=50000", "-seed=1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "Done 50000 runs" in run.stderr


def test_hostile_answers_to_every_profile_make_points_or_none() -> None:
    program = FUZZER.with_name("fuzz_profiles.py")
    command = [sys.executable, str(program), "0.08"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert " points; seeds from " in run.stdout
