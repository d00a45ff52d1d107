"""When everything is asked for anew: the rule, and polls that follow it."""

from collections.abc import Mapping

import msgspec
import pytest

from fixtures.snmp_poll import poll, values
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import switch_objects, system
from local.devices.snmp_mib import Object, TimeTicks
from netvitals.collectors.snmp.memory import SnmpMemory
from netvitals.collectors.snmp.protocol import MEMORY

MET = 1_700_000_000
CPU = "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1"
UPTIME = "1.3.6.1.2.1.1.3.0"
HOST_UPTIME = "1.3.6.1.2.1.25.1.1.0"


def asked(times: int, uptime: float | None = 1000.0) -> SnmpMemory:
    memory = SnmpMemory()
    for _ in range(times):
        memory = memory.asked_everything(uptime, MET)
    return memory


@pytest.mark.parametrize(
    ("times", "fresh", "stale"), [(1, 230, 300), (2, 3500, 3700), (3, 86_300, 86_500), (9, 86_300, 86_500)]
)
def test_everything_is_asked_for_again_after_minutes_an_hour_and_then_each_day(
    times: int, fresh: int, stale: int
) -> None:
    memory = asked(times)
    assert not memory.is_stale(MET + fresh)
    assert memory.is_stale(MET + stale)


def test_a_device_never_met_or_that_lost_something_is_asked_for_everything_now() -> None:
    assert SnmpMemory().is_stale(MET)
    lost = asked(3).to_be_asked()
    assert lost.is_stale(MET)
    assert lost.asked_everything(1000, MET).is_stale(MET + 300), "it is looked at again after minutes"


@pytest.mark.parametrize(
    ("uptime", "elapsed", "started"),
    [
        (1300, 300, False),
        (10, 300, True),  # less than it was
        (2000, 86_400, True),  # more, but not by a day
        (86_400 * 0.99 + 1000, 86_400, False),  # a slow clock
        (1000, 86_400, False),  # stands still
        (None, 300, False),
    ],
)
def test_an_agent_that_started_anew_is_known_by_its_uptime(
    uptime: float | None,
    elapsed: int,
    started: bool,  # noqa: FBT001, a parameter of the test
) -> None:
    assert asked(1).is_of_earlier_start(uptime, MET + elapsed) is started
    assert not asked(1, uptime=None).is_of_earlier_start(uptime, MET + elapsed)


def switch(uptime_seconds: float, *, cpu: bool) -> Agent:
    objects: dict[str, Object] = switch_objects(2)
    objects[UPTIME] = TimeTicks(int(uptime_seconds * 100))
    if not cpu:
        del objects[CPU]
    return Agent(objects)


def later(memory: dict[str, object], seconds: int) -> dict[str, object]:
    """The memory as it will be: of a poll so many seconds ago."""
    kept = msgspec.convert(memory[MEMORY], SnmpMemory)
    earlier = msgspec.structs.replace(kept, asked_all_at=kept.asked_all_at - seconds)
    return {MEMORY: msgspec.to_builtins(earlier)}


async def test_a_device_met_in_its_agents_first_minute_has_its_cpu_at_the_next_poll() -> None:
    first = await poll(switch(20, cpu=False))
    assert not values(first, "cpu_percent")
    again = await poll(switch(320, cpu=True), memory=later(first.memory, 300))
    assert values(again, "cpu_percent") == {"": 17}


async def test_a_device_that_has_started_anew_is_asked_for_everything_at_once() -> None:
    memory = (await poll(switch(90_000, cpu=False))).memory
    for seconds in (300, 4000):
        met = later(memory, seconds)
        memory |= (await poll(switch(90_000 + seconds, cpu=False), memory=met)).memory
    steady = await poll(switch(99_000, cpu=True), memory=later(memory, 5000))
    assert not values(steady, "cpu_percent"), "it is not yet time"
    started = await poll(switch(30, cpu=True), memory=later(memory, 5000))
    assert values(started, "cpu_percent") == {"": 17}


async def uptimes(objects: Mapping[str, Object], **given: object) -> dict[str, float]:
    reading = await poll(Agent({**system("srv"), **objects}), **given)  # type: ignore[arg-type]  # as poll has them
    return {p.metric_name: p.value for p in reading.points if p.metric_name.endswith("uptime_seconds")}


@pytest.mark.parametrize("kind", ["status", "metrics"])
async def test_uptime_is_the_hosts_and_the_agents_is_told_where_it_started_later(kind: str) -> None:
    host = TimeTicks(90 * 86_400 * 100)
    assert await uptimes({UPTIME: TimeTicks(6000), HOST_UPTIME: host}, kind=kind) == {
        "uptime_seconds": 90 * 86_400,
        "agent_uptime_seconds": 60,
    }
    assert await uptimes({UPTIME: TimeTicks(900_000), HOST_UPTIME: TimeTicks(903_000)}, kind=kind) == {
        "uptime_seconds": 9030
    }


async def test_a_host_younger_than_its_agent_counts_something_else() -> None:
    assert await uptimes({UPTIME: TimeTicks(900_000), HOST_UPTIME: TimeTicks(9000)}) == {
        "uptime_seconds": 9000
    }


async def test_a_device_without_an_uptime_of_its_host_is_not_asked_for_it_again() -> None:
    first = await poll(Agent(switch_objects(1)))
    assert "host_uptime" not in first.memory[MEMORY]
    offered = {HOST_UPTIME: TimeTicks(2**31)}
    later_on = await uptimes(offered, kind="status", memory=first.memory)
    assert later_on["uptime_seconds"] < 100_000
