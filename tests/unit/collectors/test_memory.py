"""What earlier polls left, whatever else stands there."""

from typing import Any

import msgspec
import pytest

from netvitals.collectors.memory import recall


class Memory(msgspec.Struct):
    polls: int = 0


def test_what_was_left_is_recalled() -> None:
    assert recall({"toy": {"polls": 3}}, "toy", Memory) == Memory(3)


@pytest.mark.parametrize("memory", [{}, {"toy": None}, {"toy": {"polls": "x"}}, {"toy": [1]}, {"other": {}}])
def test_what_can_not_be_read_is_nothing(memory: dict[str, Any]) -> None:
    assert recall(memory, "toy", Memory) is None
