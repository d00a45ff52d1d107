"""Read the inventory again where it could not be read: a connection pooler restarts within seconds."""

from collections.abc import Callable, Iterator, Sequence

from netvitals.domain.backoff import pauses
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import BadRow
from netvitals.domain.ports import Inventory

TRIES = 8
PATIENCE_SECONDS = 8.0
"""Seconds after which there is no other try: the tick's jobs still have to be sent, from a snapshot if need
be."""
_BACKOFF_INITIAL_SECONDS = 0.5
_BACKOFF_MAXIMUM_SECONDS = 4.0


class RetryingInventory:
    """Implements `ports.Inventory`: starts reading again where not one chunk could be read."""

    def __init__(
        self, inventory: Inventory, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        """Take a `clock` that does not jump, such as `time.monotonic`."""
        self._inventory = inventory
        self._clock = clock
        self._sleep = sleep

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:
        """Yield the inventory's devices; see `ports.Inventory`."""
        until = self._clock() + PATIENCE_SECONDS
        for pause in (*pauses(TRIES, _BACKOFF_INITIAL_SECONDS, _BACKOFF_MAXIMUM_SECONDS), None):
            begun = False
            try:
                for chunk in self._inventory.devices(report):
                    begun = True
                    yield chunk
            except Unavailable:
                if begun or pause is None or self._clock() + pause > until:
                    raise
                self._sleep(pause)
            else:
                return
