"""Share the event loop: long work for one device lets the others have their turn every few milliseconds."""

import asyncio
from collections.abc import Iterable
from time import thread_time

from netvitals.domain.polling.budget import SLICE_SECONDS, Budget, Steps


async def in_turns[Result](steps: Steps[Result], budget: Budget | None = None) -> Result:
    """Run the steps, and give the loop back whenever they have used a slice of processor time.

    Raises:
        BudgetSpent: they have used up the budget's processor time.
    """
    began = thread_time()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        used = thread_time() - began
        if used >= SLICE_SECONDS:
            if budget is not None:
                budget.spend_processor(used)
            await asyncio.sleep(0)
            began = thread_time()


def at_once[Result](steps: Steps[Result]) -> Result:
    """Run the steps to their end: for one device alone, such as on the command line."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def gathered[Item](items: Iterable[Item], into: list[Item]) -> Steps[None]:
    """Add the items to a list; each is a step."""
    for item in items:
        into.append(item)
        yield None
