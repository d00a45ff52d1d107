"""What the fuzzers in Python do alike: they try numbers, and print the one that shows a fault.

`PYTHONPATH=.:tests python tests/faults/fuzz_NAME.py 0 NUMBER` shows it again, with its traceback.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping


def play(things: Mapping[str, Callable[[random.Random], int | None]]) -> int:
    """Try each thing with one number after another; returns 1 where one of them raises, and 0 otherwise.

    The program's arguments are the minutes to go on, and a number that is tried alone, with the traceback of
    what it raises. What things return is summed: points that were made, 1 for a document that was taken.
    """
    seed = int(sys.argv[2]) if sys.argv[2:] else None
    number = first = random.randrange(1 << 48) if seed is None else seed
    end, tried, counted = time.monotonic() + 60 * float(sys.argv[1]), Counter[str](), Counter[str]()
    while number == first or (seed is None and time.monotonic() < end):
        for name, thing in things.items():
            try:
                counted[name] += thing(random.Random(number)) or 0
            except Exception as error:
                if seed is not None:
                    raise
                print(f"{name}, seed {number}: {type(error).__name__}: {str(error)[:2000]}")
                return 1
            tried[name] += 1
        number += 1
    print(", ".join(f"{count} {name} ({counted[name]} counted)" for name, count in tried.items()))
    return 0
