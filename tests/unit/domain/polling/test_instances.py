"""What a device may make up: instances, values, and new names over time."""

from typing import Any

import msgspec
import pytest

from netvitals.domain.polling import instances
from netvitals.domain.polling.budget import MAX_INSTANCES, MAX_POINTS
from netvitals.domain.polling.instances import (
    MEMORY_KEY,
    MIN_ALLOWANCE,
    NEW_PER_DAY,
    Admitted,
    InstanceMemory,
    admitted,
    instances_of,
)
from netvitals.domain.polling.point import Point
from netvitals.usecases.turns import at_once

NOW = 1_763_900_000.0
NOW_NS = int(NOW * 1e9)
DAY = 86_400.0
POLL = 300.0


def ports(names: list[str], alias: str = "") -> list[Point]:
    return [Point("net_bytes_in", 1, NOW_NS, name, alias=alias) for name in names]


def names(count: int, prefix: str = "eth") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


class Store:
    """Keeps what a device's polls are allowed, as the database would."""

    def __init__(self) -> None:
        self.memory: InstanceMemory | None = None
        self.series: set[tuple[str, str]] = set()

    def poll(self, points: list[Point], now: float = NOW) -> Admitted:
        found = at_once(admitted(points, self.memory, now))
        self.memory = found.memory or self.memory
        self.series |= {(point.instance, point.alias) for point in found.points}
        return found


def test_what_a_device_has_at_its_first_poll_is_all_admitted_and_known_from_then_on() -> None:
    store = Store()
    assert len(store.poll(ports(names(2000))).points) == 2000
    again = store.poll(ports(names(2000)), NOW + POLL)
    assert (len(again.points), again.refused, again.memory) == (2000, 0, None)


def test_an_upgrade_that_renames_every_interface_is_admitted() -> None:
    store = Store()
    store.poll(ports(names(2000)))
    renamed = store.poll(ports(names(2000, "Ethernet")), NOW + DAY)
    assert (len(renamed.points), renamed.refused) == (2000, 0)


@pytest.mark.parametrize("count", [50, 4000])
def test_a_device_that_renames_its_interfaces_with_each_poll_can_not_fill_the_store(count: int) -> None:
    store, polls = Store(), 288
    refused = 0
    for number in range(polls):
        found = store.poll(ports(names(count, f"poll{number}-")), NOW + number * POLL)
        refused += found.refused
    assert len(store.series) <= 2 * count + max(MIN_ALLOWANCE, count) + NEW_PER_DAY + 1
    assert refused > polls * count / 2


def test_what_it_renames_costs_the_device_neither_its_known_names_nor_a_few_new_ones_a_day() -> None:
    store = Store()
    store.poll([Point("cpu_percent", 1, NOW_NS), *ports(["uplink", *names(5)])])
    for number in range(2000):
        store.poll(ports(["uplink", f"made-up-{number}"]), NOW + number)
    found = store.poll([Point("cpu_percent", 1, NOW_NS), *ports(["uplink", "made-up"])], NOW + 2001)
    assert {point.instance for point in found.points} == {"", "uplink"}
    assert "left out" in found.detail
    later = store.poll(ports(["uplink", "a new card"]), NOW + 2001 + DAY)
    assert {point.instance for point in later.points} == {"uplink", "a new card"}


def test_an_alias_that_changes_with_each_poll_is_a_new_name_too() -> None:
    store = Store()
    for number in range(3000):
        store.poll(ports(["eth0"], alias=f"alias {number}"), NOW + number)
    assert len(store.series) < 1000


def test_a_name_is_known_by_a_hash_that_the_device_can_not_compute() -> None:
    one, other = Store(), Store()
    one.poll(ports(["eth0"]))
    other.poll(ports(["eth0"]))
    assert one.memory is not None
    assert other.memory is not None
    assert one.memory.names != other.memory.names


@pytest.mark.parametrize(
    "junk", [None, 7, {}, {"salt": 1}, {"salt": "é", "names": "!", "allowance": 5, "at": 0}]
)
def test_memory_that_can_not_be_read_is_as_good_as_none(junk: Any) -> None:
    known = instances_of({MEMORY_KEY: junk})
    assert len(at_once(admitted(ports(names(3)), known, NOW)).points) == 3


def test_what_is_remembered_is_small_and_comes_back_from_json() -> None:
    store = Store()
    store.poll(ports(names(60)))
    assert store.memory is not None
    kept = msgspec.json.decode(msgspec.json.encode({MEMORY_KEY: msgspec.to_builtins(store.memory)}))
    assert len(kept[MEMORY_KEY]["names"]) <= 320
    assert instances_of(kept) == store.memory
    for number in range(40):
        store.poll(ports(names(4000, f"{number}-")), NOW + number * DAY)
    assert len(store.memory.names) < 30_000


def test_one_poll_brings_no_more_instances_of_a_metric_and_no_more_points_than_a_device_may_have() -> None:
    found = at_once(admitted(ports(names(MAX_INSTANCES + 7)), None, NOW))
    assert (len(found.points), found.surplus) == (MAX_INSTANCES, 7)
    metrics = ["net_bytes_in", "net_bytes_out", "net_errors_in", "net_errors_out", "net_discards_in"]
    metrics += ["net_discards_out", "net_speed_bps", "net_oper_status", "disk_percent", "cpu_percent"]
    many = [Point(metric, 1, NOW_NS, name) for metric in metrics for name in names(MAX_INSTANCES)]
    assert len(at_once(admitted(many, None, NOW)).points) == MAX_POINTS


def test_of_many_unfit_points_only_some_are_told_and_all_are_counted() -> None:
    found = at_once(admitted([Point("cpu_percent", 101, NOW_NS)] * 5000, None, NOW))
    assert (found.unfit, len(found.faults)) == (5000, instances.MAX_FAULTS)
