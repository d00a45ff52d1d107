"""Share the event loop: long work for one device gives way to the others every few milliseconds."""

import asyncio
from collections.abc import Iterable
from itertools import batched
from time import monotonic, thread_time

from netvitals.domain.polling.budget import ITEMS_PER_STEP, SLICE_SECONDS, Budget, Steps


async def in_turns[Result](steps: Steps[Result], budget: Budget | None = None) -> Result:
    """Run the steps, and give the loop back whenever a slice of time has passed.

    Raises:
        BudgetSpent: they have used up the budget's processor time.
    """
    began, used = monotonic(), thread_time() if budget else 0.0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        # The processor's clock is a system call, the wall's is none, and it never runs slower.
        if monotonic() - began >= SLICE_SECONDS:
            if budget is not None:
                budget.spend_processor(thread_time() - used)
            await asyncio.sleep(0)
            began, used = monotonic(), thread_time() if budget else 0.0


def at_once[Result](steps: Steps[Result]) -> Result:
    """Run the steps to their end: for one device alone, such as on the command line."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def gathered[Item](items: Iterable[Item], into: list[Item]) -> Steps[None]:
    """Add the items to a list, some at a step."""
    for some in batched(items, ITEMS_PER_STEP, strict=False):
        into += some
        yield None
