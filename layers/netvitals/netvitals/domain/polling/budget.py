"""Bound what one poll of a device may cost, over any protocol: bytes, values, rows, points, instances, time.

A chassis of 2,000 interfaces with all its sensors needs about an eighth of each limit; a device that goes
beyond is reported, and what it has answered by then is kept. With all limits used up, a device's poll holds
some 25 MB of the process.
"""

from collections.abc import Generator

from netvitals.domain.errors import NetvitalsError

type Steps[Result] = Generator[object, None, Result]
"""Work in small steps: a generator that yields after each step (any value) and returns the result."""

MAX_ANSWER_BYTES = 8 * 2**20
"""Bytes of all answers to one poll, as they arrive."""
MAX_VALUE_BYTES = 4096
"""Bytes of one value; a longer one is cut."""
MAX_TABLE_ROWS = 8192
"""Rows of one column or table; the rest is not read."""
MAX_POINTS = 40_000
MAX_INSTANCES = 4096
"""Instances of one metric, such as interfaces."""
MAX_PROCESSOR_SECONDS = 2.0
"""Processor seconds for making points of answers."""
SLICE_SECONDS = 0.005
"""Seconds that one device's work takes before others have their turn."""
ITEMS_PER_STEP = 32
"""Items between two looks at the clock: each takes some microseconds, as a look at the clock does."""


class BudgetSpent(NetvitalsError):
    """Raised where a poll of a device has used up a limit; the text says which."""


class Budget:
    """Counts the bytes, values and processor time that are left to one poll of a device."""

    __slots__ = ("_bytes", "_max_values", "_processor_seconds", "_values")

    def __init__(self, *, max_values: int) -> None:
        self._bytes = MAX_ANSWER_BYTES
        self._values = self._max_values = max_values
        self._processor_seconds = MAX_PROCESSOR_SECONDS

    def spend_bytes(self, count: int) -> None:
        """Count bytes that have arrived.

        Raises:
            BudgetSpent: they are too many.
        """
        self._bytes -= count
        if self._bytes < 0:
            raise BudgetSpent(f"its answers have more than {MAX_ANSWER_BYTES // 2**20} MB")

    def spend_values(self, count: int) -> None:
        """Count values that were read; raises as `spend_bytes` does."""
        self._values -= count
        if self._values <= 0:
            raise BudgetSpent(f"it has answered more than {self._max_values} values")

    def spend_processor(self, seconds: float) -> None:
        """Count processor time; raises as `spend_bytes` does."""
        self._processor_seconds -= seconds
        if self._processor_seconds < 0:
            raise BudgetSpent(f"its answers take more than {MAX_PROCESSOR_SECONDS:g} s of processor time")
