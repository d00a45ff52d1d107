"""Random histories of small fleets, judged by what docs/status.md promises (tests/fixtures/status_model.py).

Run as `make fuzz ARGS=status`. A promise that is broken is printed with the number of its history, which
`PYTHONPATH=.:tests python tests/faults/fuzz_status.py 0 NUMBER` plays again.
"""

import random
import sys
import time

from fixtures.status_model import history

BROKEN_AT_MOST = 20


def main(minutes: float, seed: int | None = None) -> int:
    first = random.randrange(1 << 48) if seed is None else seed
    end = time.monotonic() + 60 * minutes
    played = decisions = broken = 0
    while played == 0 or (time.monotonic() < end and broken < BROKEN_AT_MOST):
        judge = history(first + played)
        decisions += judge.decisions
        broken += bool(judge.broken)
        for fault in judge.broken:
            print(f"history {first + played}: {fault}")
        played += 1
    print(f"{played} histories of fleets from seed {first}, {decisions} decisions, {broken} broke a promise")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *map(int, sys.argv[2:])))
