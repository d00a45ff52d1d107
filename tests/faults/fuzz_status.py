"""Random histories of small fleets, judged by what docs/status.md promises (tests/fixtures/status_model.py).

Run as `make fuzz ARGS=status`. A promise that is broken is printed with the number of its history, which
`PYTHONPATH=.:tests python tests/faults/fuzz_status.py 0 NUMBER` plays again.
"""

import random
import sys

from faults.fuzzing import play

from fixtures.status_model import history


def one_history(chance: random.Random) -> int:
    """Returns how many decisions were judged."""
    judge = history(chance.getrandbits(48))
    assert not judge.broken, judge.broken
    return judge.decisions


if __name__ == "__main__":
    sys.exit(play({"histories of fleets, by decisions": one_history}))
