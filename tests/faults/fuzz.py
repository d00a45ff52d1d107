"""Runs the fuzzers that lie beside it, each for its share of the time.

Usage: `python tests/faults/fuzz.py MINUTES [NAME ...]`, or `make fuzz MINUTES=10`. Ends with 1 where one of
them found something.

A fuzzer is a program `fuzz_NAME.py` with `main(minutes) -> int`: it returns 0 where it found nothing, prints
what it found with the seed that shows it again, and says in its last line what it tried and how often. Each
has a process of its own, since a fuzzer may end it.
"""

import argparse
import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
GRACE_SECONDS = 120
"""For starting, and for ending what is under way."""


def main(arguments: list[str]) -> int:
    known = {program.stem.removeprefix("fuzz_"): program for program in sorted(HERE.glob("fuzz_*.py"))}
    parser = argparse.ArgumentParser(prog="fuzz.py", description=__doc__.splitlines()[0])
    parser.add_argument("minutes", type=float, help="in all")
    parser.add_argument("names", nargs="*", help=f"all where none is given: {', '.join(known)}")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(known))
    if unknown:
        parser.error(f"there is no fuzzer {', '.join(unknown)}, but {', '.join(known)}")
    if not 0 <= given.minutes < math.inf:
        parser.error("minutes are a number from 0")
    programs = [program for name, program in known.items() if not given.names or name in given.names]
    at_once = min(len(programs), os.process_cpu_count() or 1)
    share = given.minutes * at_once / len(programs)
    print(f"{len(programs)} fuzzers, {share:.2g} minutes each", flush=True)
    with ThreadPoolExecutor(at_once) as pool:
        codes = list(pool.map(lambda program: run(program, share), programs))
    return int(any(codes))


def run(program: Path, minutes: float) -> int:
    """Run one fuzzer, print its last line, or all that it said where it found something; return its code."""
    paths = [str(HERE.parents[1]), str(HERE.parent)]
    command = [sys.executable, str(program), str(minutes)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    began = time.monotonic()
    try:
        ended = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=minutes * 60 + GRACE_SECONDS,
            check=False,
        )
        code, said = ended.returncode, ended.stdout.strip().splitlines()
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""  # bytes, though the process was run with text=True
        said = [*output.decode(errors="replace").splitlines()[-20:], "did not end in time"]
        code = 1
    shown = said[-1:] if code == 0 else ["FAILED", *said[-60:]]
    print(f"{program.stem[5:]} ({time.monotonic() - began:.0f} s): " + "\n  ".join(shown), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
