"""A database that is away for a moment costs a tick that moment."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import BadRow
from netvitals.usecases.retrying_inventory import PATIENCE_SECONDS, TRIES, RetryingInventory


class World:
    """An inventory that fails its first readings, each after some seconds, before or after a chunk."""

    def __init__(self, failures: int, *, after_chunk: bool = False, seconds: float = 0.0) -> None:
        self.failures, self.after_chunk, self.seconds = failures, after_chunk, seconds
        self.now = 0.0
        self.readings = 0

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:  # noqa: ARG002, the port's
        self.readings += 1
        if self.after_chunk:
            yield [Device(id="a")]
        self.now += self.seconds
        if self.readings <= self.failures:
            raise Unavailable("connection refused")
        yield [Device(id="b")]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def read(self) -> list[str]:
        inventory = RetryingInventory(self, clock=lambda: self.now, sleep=self.sleep)
        return [device.id for chunk in inventory.devices(lambda _: None) for device in chunk]


def test_what_can_be_read_is_read_once() -> None:
    world = World(0)
    assert world.read() == ["b"]
    assert (world.readings, world.now) == (1, 0)


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_database_that_comes_back_in_time_is_read(failures: int) -> None:
    world = World(failures)
    assert world.read() == ["b"]
    assert world.readings == failures + 1
    assert 0 < world.now <= PATIENCE_SECONDS


def test_one_that_stays_away_is_given_up_while_there_is_time_for_a_snapshot() -> None:
    world = World(99)
    with pytest.raises(Unavailable, match="connection refused"):
        world.read()
    assert 1 < world.readings <= TRIES
    assert world.now <= PATIENCE_SECONDS


def test_one_that_hangs_is_not_waited_for_again_and_again() -> None:
    world = World(99, seconds=PATIENCE_SECONDS)
    with pytest.raises(Unavailable):
        world.read()
    assert world.readings == 1


def test_what_was_begun_is_not_begun_anew() -> None:
    world = World(99, after_chunk=True)
    with pytest.raises(Unavailable):
        world.read()
    assert world.readings == 1
