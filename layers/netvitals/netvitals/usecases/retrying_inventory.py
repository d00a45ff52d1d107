"""Read the inventory again where it could not be read: a pooler that restarts is back within the tick."""

from collections.abc import Callable, Iterator, Sequence

from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import BadRow
from netvitals.domain.ports import Inventory

PAUSES_SECONDS = (0.5, 1.5, 4.0)
PATIENCE_SECONDS = 8.0
"""No other try after this: the tick's jobs still have to be sent, from a snapshot if need be."""


class RetryingInventory:
    """Implements `ports.Inventory`: begins to read anew where reading could not even begin."""

    def __init__(
        self, inventory: Inventory, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        """`clock` must not jump, as `time.monotonic` does not."""
        self._inventory = inventory
        self._clock = clock
        self._sleep = sleep

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:
        """The inventory's devices; see `ports.Inventory`."""
        until = self._clock() + PATIENCE_SECONDS
        for pause in PAUSES_SECONDS:
            begun = False
            try:
                for chunk in self._inventory.devices(report):
                    begun = True
                    yield chunk
            except Unavailable:
                if begun or self._clock() + pause > until:
                    raise
                self._sleep(pause)
            else:
                return
        yield from self._inventory.devices(report)
