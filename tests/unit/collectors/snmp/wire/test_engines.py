"""What is known of the engines of version 3: for how long, by whom, and what of it is remembered."""

from typing import Any

import pytest

from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.snmp.wire.engines import Engine, EngineCache, engine_of


def test_the_cache_forgets_the_least_recently_used() -> None:
    cache = EngineCache(size=2)
    engines = [Engine(bytes([n]), 1, 1, 0.0) for n in range(3)]
    user = SnmpCredential(version="3", user="bert")
    users = [(user, f"127.0.0.{n}", 161) for n in range(3)]
    cache.put(users[0], engines[0])
    cache.put(users[1], engines[1])
    cache.get(users[0])
    cache.put(users[2], engines[2])
    assert [cache.get(user) for user in users] == [engines[0], None, engines[2]]


@pytest.mark.parametrize(
    ("boots", "time", "fresh"),
    [
        (5, 1000, True),
        (5, 850, True),
        (5, 849, False),
        (4, 9999, False),
        (6, 0, True),
        (5, 5000, True),
        (2**31 - 1, 1, False),
    ],
)
def test_the_time_window_is_that_of_rfc_3414(boots: int, time: int, fresh: bool) -> None:  # noqa: FBT001, a case
    engine = Engine(b"engine", 5, 1000, 10_000.0)
    assert engine.accepts(boots, time, 10_000.0) is fresh


@pytest.mark.parametrize(
    "change", [{}, {"id": ""}, {"boots": -1}, {"booted_at": "now"}, {"id": "8" * 66}, {"more": 1}]
)
def test_only_a_whole_memory_is_recalled(change: dict[str, Any]) -> None:
    memory = {"id": "8000", "boots": 3, "booted_at": 1000} | change
    engine = engine_of(memory, 5000.0)
    assert (engine is not None) == (change == {})
    if engine:
        assert (engine.id, engine.boots, engine.time(5000.0)) == (b"\x80\0", 3, 4000)
