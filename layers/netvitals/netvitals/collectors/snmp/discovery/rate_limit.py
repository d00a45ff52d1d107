"""Keep the requests of a discovery to a rate."""

import asyncio
import time

from netvitals.domain.polling.budget import Budget

_LONGEST_BURST_SECONDS = 0.02
"""Seconds that a late turn of the loop makes up for at once; the rest of the lost time stays lost."""
_SHORTEST_SLEEP_SECONDS = 0.002


class RateLimit:
    """Lets so many requests a second through, whoever sends them."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = time.monotonic()
        self.sent = 0

    async def turn(self) -> None:
        """Wait until the next request may be sent."""
        now = time.monotonic()
        self._next = max(self._next, now - _LONGEST_BURST_SECONDS) + self._interval
        self.sent += 1
        ahead = self._next - self._interval - now
        if ahead > _SHORTEST_SLEEP_SECONDS:
            await asyncio.sleep(ahead)

    def spent(self) -> None:
        """Count a request that was sent without waiting: the next ones wait for it."""
        self._next += self._interval
        self.sent += 1


class RateLimitedBudget(Budget):
    """Counts a device's answers against its budget, and as requests against the rate."""

    __slots__ = ("_rate_limit",)

    def __init__(self, rate_limit: RateLimit, *, max_values: int) -> None:
        super().__init__(max_values=max_values)
        self._rate_limit = rate_limit

    def spend_bytes(self, count: int) -> None:
        """Count an answer; see `Budget.spend_bytes`."""
        self._rate_limit.spent()
        super().spend_bytes(count)
