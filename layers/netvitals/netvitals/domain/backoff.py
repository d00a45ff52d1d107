"""Pause before something that failed is tried again: exponential back-off with full jitter.

Each pause is uniform between nothing and a step that doubles, so that processes which failed together do not
come back together, and a service in trouble is asked less the longer it lasts (AWS Architecture Blog,
"Exponential Backoff And Jitter").
"""

import random
from collections.abc import Iterator


def pauses(tries: int, initial: float, cap: float) -> Iterator[float]:
    """Yield the seconds to wait before each try but the first: `tries - 1` of them.

    The first is at most `initial`, each at most twice the one before it could be, and none longer than `cap`.
    """
    for repeat in range(tries - 1):
        yield random.uniform(0, min(initial * 2.0**repeat, cap))  # noqa: S311, spreads load, hides nothing
