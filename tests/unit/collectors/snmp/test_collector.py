"""The SNMP collector against simulated agents: what a job ends as, and what is remembered."""

import time
from typing import Any

import pytest

from fixtures.snmp_poll import poll, values
from local.devices.snmp_agent import GET, Agent, Query
from local.devices.snmp_devices import interfaces, switch_objects, system
from local.devices.snmp_mib import Counter64, Gauge32, Object, TimeTicks
from local.devices.snmp_misbehaviour import FailsOn
from netvitals.collectors.snmp.collector import SYS_UPTIME, uptime_seconds
from netvitals.collectors.snmp.wire.decode import decode_oid
from netvitals.domain.polling.observation import Reading, Reason

IFX = "1.3.6.1.2.1.31.1.1.1"
HASTY = {"timeout_seconds": 0.8, "retries": 0}
"""Settings for agents that are silent on something: of what they answer a busy machine loses nothing."""


async def test_a_switch_gives_its_vital_signs_by_its_profile() -> None:
    reading = await poll(Agent(switch_objects(4)))
    assert (reading.reason, reading.detail, reading.alive) == (Reason.OK, "", True)
    assert values(reading, "cpu_percent") == {"": 17}
    assert values(reading, "memory_percent") == {"": 30}
    assert values(reading, "temperature_celsius") == {"SW#1, Sensor#1 (envmon)": 38}
    assert values(reading, "net_bytes_in")["Gi1/0/2"] == (4_000_000_000 + 2 * 1_234_567) * 1000 + 6
    assert values(reading, "net_speed_bps")["Gi1/0/2"] == 1e9
    assert values(reading, "net_oper_status") == {f"Gi1/0/{n}": 1 for n in (1, 2, 3, 4)}
    assert {p.if_index for p in reading.points if p.metric_name == "net_errors_out"} == {1, 2, 3, 4}


async def test_every_point_is_stamped_while_the_poll_ran() -> None:
    before = time.time_ns()
    reading = await poll(Agent(switch_objects(4)))
    assert all(before <= point.time_ns <= time.time_ns() for point in reading.points)


async def test_a_status_job_asks_one_question() -> None:
    agent = Agent(switch_objects(4))
    reading = await poll(agent, kind="status")
    assert reading.reason is Reason.OK
    assert {p.metric_name for p in reading.points} == {"uptime_seconds"}
    assert agent.requests == 1


async def test_the_second_poll_asks_only_for_what_the_first_one_found() -> None:
    first, second = Agent(switch_objects(24)), Agent(switch_objects(24))
    reading = await poll(first)
    remembered = reading.memory["snmp"]
    assert remembered["profile"] == "cisco"
    assert remembered["all_64_bit"]
    again = await poll(second, memory=reading.memory)
    assert {p.metric_name for p in again.points} == {p.metric_name for p in reading.points}
    assert second.requests < first.requests
    assert "snmp" not in again.memory, "nothing has changed"


async def test_the_second_poll_asks_small_tables_for_no_more_rows_than_they_have() -> None:
    agent = Agent(switch_objects(24))
    memory = (await poll(agent)).memory
    assert set(memory["snmp"]["rows"].values()) == {0, 1, 24}
    before = agent.requests
    await poll(agent, memory=memory)
    assert agent.requests - before == 9, "GET, 7 of 2 columns of 24 rows, 1 for all the tables of one row"


@pytest.mark.parametrize("ports", [2, 3, 5, 60])
async def test_a_table_is_read_whole_however_many_rows_it_had_before(ports: int) -> None:
    memory = (await poll(Agent(switch_objects(3)))).memory
    again = await poll(Agent(switch_objects(ports)), memory=memory)
    assert again.reason is Reason.OK
    assert len(values(again, "net_bytes_in")) == len(values(again, "net_errors_out")) == ports


async def test_a_replaced_device_is_looked_at_anew() -> None:
    reading = await poll(Agent(switch_objects(4)))
    other = Agent({**system("srv"), "1.3.6.1.4.1.2021.11.11.0": 60})
    again = await poll(other, memory=reading.memory)
    assert values(again, "cpu_percent") == {"": 40}
    assert again.memory["snmp"]["profile"] == "linux"


async def test_a_source_that_has_gone_silent_is_looked_for_anew_next_time() -> None:
    reading = await poll(Agent(switch_objects(4)))
    silent = {oid: v for oid, v in switch_objects(4).items() if not oid.startswith("1.3.6.1.4.1.9.9.109")}
    again = await poll(Agent(silent), memory=reading.memory)
    assert values(again, "cpu_percent") == {}
    assert "asked_all_at" not in again.memory["snmp"]


@pytest.mark.parametrize("junk", ["x", 7, {"profile": 3}, {"sources": {"cpu": ["a"]}}, {"unknown": 1}, []])
async def test_memory_that_cannot_be_read_is_as_good_as_none(junk: object) -> None:
    assert (await poll(Agent(switch_objects(2)), memory={"snmp": junk})).reason is Reason.OK


async def test_a_community_that_is_wrong_is_silence_and_says_so() -> None:
    reading = await poll(Agent(switch_objects(2), community="other"), snmp={"timeout_seconds": 0.5})
    assert (reading.alive, reading.reason) == (False, Reason.TIMEOUT)
    assert "public" not in reading.detail


async def test_a_forced_profile_is_used_and_an_unknown_one_is_told() -> None:
    reading = await poll(Agent(switch_objects(2)), snmp={"profile": "nonsense"})
    assert reading.reason is Reason.PARTIAL
    assert "there is no profile 'nonsense'" in reading.detail
    assert len(values(reading, "net_bytes_in")) == 2


async def test_a_device_that_answers_nothing_of_system_is_alive() -> None:
    reading = await poll(Agent({"1.3.6.1.4.1.99999.1.0": 1}), kind="status")
    assert (reading.alive, reading.reason, reading.points) == (True, Reason.OK, [])


async def test_what_was_read_before_time_ran_out_is_kept() -> None:
    reading = await poll(Agent(switch_objects(200), delay=0.2), snmp={"requests_in_flight": 1}, seconds=3.0)
    assert reading.alive
    assert reading.reason is Reason.PARTIAL
    assert values(reading, "uptime_seconds")


async def test_a_v1_device_is_read_without_getbulk() -> None:
    reading = await poll(Agent(switch_objects(3), versions=[0]), snmp={"version": "1"})
    assert reading.reason is Reason.OK
    assert values(reading, "cpu_percent") == {"": 17}


def port(index: int, **cells: Object) -> dict[str, Object]:
    """An interface with these columns: `c` and its number for ifTable, `x` and its number for ifXTable."""
    tables = {"c": "1.3.6.1.2.1.2.2.1", "x": IFX}
    return {f"{tables[key[0]]}.{key[1:]}.{index}": cell for key, cell in cells.items()}


async def test_each_interface_has_the_widest_counter_that_counts() -> None:
    narrow = interfaces(3)
    for column in (6, 10):
        del narrow[f"{IFX}.{column}.2"]
        narrow[f"{IFX}.{column}.3"] = Counter64(0)
    reading = await poll(Agent({**system("r"), **narrow}))
    octets = values(reading, "net_bytes_in")
    assert octets["Gi1/0/1"] == (4_000_000_000 + 1_234_567) * 1000 + 6
    assert octets["Gi1/0/2"] == (4_000_000_000 + 2 * 1_234_567 + 10) % 2**32
    assert octets["Gi1/0/3"] == (4_000_000_000 + 3 * 1_234_567 + 10) % 2**32
    assert not reading.memory["snmp"].get("all_64_bit")


async def poll_silent_on(
    column: str, *, silent: bool = True, memory: dict[str, Any] | None = None
) -> Reading:
    """Poll a switch of four ports that fails on a column of ifXTable."""
    agent = FailsOn(f"{IFX}.{column}", switch_objects(4), silent=silent)
    return await poll(agent, memory=memory, snmp=HASTY)


PORTS = {f"Gi1/0/{n}" for n in (1, 2, 3, 4)}
HIGH_IN, IF_NAME = "6", "1"


async def test_no_32_bit_counter_is_taken_for_a_64_bit_one_whose_answer_was_lost() -> None:
    for memory in (None, (await poll(Agent(switch_objects(4)))).memory):
        reading = await poll_silent_on(HIGH_IN, memory=memory)
        assert reading.reason is Reason.PARTIAL
        assert values(reading, "net_bytes_in") == {}
        assert values(reading, "net_bytes_out").keys() == PORTS
        assert memory is None or reading.memory["snmp"]["all_64_bit"]


async def test_no_interface_has_another_name_for_a_poll_whose_answer_was_lost() -> None:
    memory = (await poll(Agent(switch_objects(4)))).memory
    reading = await poll_silent_on(IF_NAME, memory=memory)
    assert reading.reason is Reason.PARTIAL
    assert not [point for point in reading.points if point.metric_name.startswith("net_")]
    again = await poll(Agent(switch_objects(4)), memory=reading.memory)
    assert values(again, "net_bytes_in").keys() == PORTS


async def test_what_an_agent_never_answers_is_taken_from_elsewhere_from_its_second_poll_on() -> None:
    memory = (await poll_silent_on(HIGH_IN)).memory
    reading = await poll_silent_on(HIGH_IN, memory=memory)
    assert values(reading, "net_bytes_in")["Gi1/0/2"] == (4_000_000_000 + 2 * 1_234_567 + 10) % 2**32
    assert reading.memory["snmp"]["silent"] == memory["snmp"]["silent"]
    memory = (await poll_silent_on(IF_NAME)).memory
    reading = await poll_silent_on(IF_NAME, memory=memory)
    assert values(reading, "net_bytes_in").keys() == {f"GigabitEthernet1/0/{n}" for n in (1, 2, 3, 4)}


async def test_no_row_is_read_without_what_its_value_means_because_an_answer_was_lost() -> None:
    sensor, precision = "1.3.6.1.2.1.99.1.1.1", "3"
    objects = system("chassis") | {
        f"{sensor}.{column}.{row}": value
        for column, value in (("1", 8), ("2", 9), (precision, 1), ("4", 95), ("5", 1))
        for row in range(1, 5)
    }
    agent = FailsOn(f"{sensor}.{precision}.3", objects, silent=True)
    reading = await poll(agent, snmp=HASTY)
    assert reading.reason is Reason.PARTIAL
    assert set(values(reading, "temperature_celsius").values()) == {9.5}


async def test_a_vital_sign_is_not_read_from_another_mib_for_a_poll_whose_answer_was_lost() -> None:
    cisco, cores = "1.3.6.1.4.1.9.9.109", {f"1.3.6.1.2.1.25.3.3.1.2.{n}": Gauge32(88) for n in (1, 2)}
    objects = switch_objects(4) | cores | {"1.3.6.1.4.1.9.9.100.0": 1}
    memory = (await poll(Agent(objects))).memory
    lost = await poll(FailsOn(cisco, objects, silent=True), memory=memory, snmp=HASTY)
    assert (lost.reason, values(lost, "cpu_percent")) == (Reason.PARTIAL, {})
    again = await poll(Agent(objects), memory=lost.memory)
    assert values(again, "cpu_percent") == {"": 17}


class LosesSecond(Agent):
    """Answers a first request, but not the rest of the GET with which a poll begins."""

    def reply(self, query: Query) -> list[bytes]:
        is_lost = self.requests > 1 and query.tag == GET and decode_oid(query.names[0]) == SYS_UPTIME
        return [] if is_lost else super().reply(query)


async def test_a_known_device_stays_the_same_for_a_poll_that_lost_what_identifies_it() -> None:
    first = await poll(Agent(switch_objects(4), versions=[0]), snmp={"version": "1"})
    lost = await poll(
        LosesSecond(switch_objects(4), versions=[0]), memory=first.memory, snmp={"version": "1", **HASTY}
    )
    assert (lost.reason, lost.alive) == (Reason.PARTIAL, True)
    assert (values(lost, "cpu_percent"), values(lost, "uptime_seconds")) == ({"": 17}, {})
    assert lost.memory["snmp"]["profile"] == "cisco"
    assert "asked_all_at" not in lost.memory["snmp"], "the next poll looks whether it is another device"


async def test_a_device_that_was_never_known_is_identified_at_the_next_poll() -> None:
    agent = LosesSecond(switch_objects(4), versions=[0])
    lost = await poll(agent, snmp={"version": "1", **HASTY})
    assert (lost.reason, lost.memory["snmp"].get("sysobjectid", "")) == (Reason.PARTIAL, "")
    again = await poll(Agent(switch_objects(4)), memory=lost.memory)
    assert again.memory["snmp"]["profile"] == "cisco"


@pytest.mark.parametrize("is_known", [True, False])
async def test_lost_probes_change_no_profile_for_longer_than_a_poll(is_known: bool) -> None:  # noqa: FBT001, a parameter
    probe = "1.3.6.1.4.1.4515.1.3.6.1.1.1.2.0"
    objects = {**system("wdm"), probe: "PL-1000"}
    known = (await poll(Agent(objects))).memory
    memory = {"snmp": {**known["snmp"], "asked_all_at": 1}} if is_known else None
    lost = await poll(FailsOn(probe, objects, silent=True), memory=memory, snmp=HASTY)
    assert lost.reason is Reason.PARTIAL
    assert lost.memory["snmp"]["profile"] == ("packetlight" if is_known else "linux")
    again = await poll(Agent(objects), memory=lost.memory)
    assert (again.reason, again.memory["snmp"]["profile"]) == (Reason.OK, "packetlight")


async def test_what_an_agent_answers_with_an_error_is_taken_from_elsewhere_at_once() -> None:
    reading = await poll_silent_on(HIGH_IN, silent=False)
    assert values(reading, "net_bytes_in")["Gi1/0/2"] == (4_000_000_000 + 2 * 1_234_567 + 10) % 2**32


async def test_an_interface_that_loses_its_64_bit_counters_is_asked_for_the_others() -> None:
    first = await poll(Agent({**system("r"), **interfaces(3)}))
    narrow = interfaces(3)
    for column in (6, 10):
        del narrow[f"{IFX}.{column}.2"]
    again = await poll(Agent({**system("r"), **narrow}), memory=first.memory)
    assert len(values(again, "net_bytes_in")) == 3
    assert not again.memory["snmp"].get("all_64_bit")


async def test_names_that_collide_all_carry_their_index_and_missing_ones_fall_back() -> None:
    objects: dict[str, Object] = {}
    named: dict[int, dict[str, Object]] = {
        5: {"x1": "eth"},
        6: {"x1": "eth"},
        7: {"x1": "", "c2": "Ethernet Port"},
        8: {},
    }
    for index, cells in named.items():
        objects |= port(index, c8=1, x6=Counter64(index), **cells)
    reading = await poll(Agent({**system("r"), **objects}))
    assert values(reading, "net_bytes_in") == {"eth [5]": 5, "eth [6]": 6, "Ethernet Port": 7, "8": 8}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"include_names": r"/[12]$"}, {"Gi1/0/1", "Gi1/0/2"}),
        ({"exclude_names": r"/1"}, {f"Gi1/0/{n}" for n in range(2, 10)} | {"Gi1/0/20"}),
        ({"only_oper_up": True}, {f"Gi1/0/{n}" for n in range(1, 20) if n != 10}),
        ({"exclude_types": [6]}, set()),
        ({"only_admin_up": True}, {f"Gi1/0/{n}" for n in range(1, 21)}),
    ],
)
async def test_interfaces_are_chosen_before_their_counters_are_read(
    wanted: dict[str, Any], names: set[str]
) -> None:
    agent = Agent({**system("r"), **interfaces(20)})
    reading = await poll(agent, snmp={"interfaces": wanted})
    assert set(values(reading, "net_bytes_in")) == names


async def test_interfaces_that_come_and_go_are_left_out_unless_asked_for() -> None:
    objects: dict[str, Object] = {}
    for index, name in enumerate(("eth0", "veth1a2b3c4", "br-0123456789ab", "Vi3", "wg0"), 1):
        objects |= port(index, x1=name, c8=1, x6=Counter64(index))
    agent = Agent({**system("r"), **objects})
    assert set(values(await poll(agent), "net_bytes_in")) == {"eth0", "wg0"}
    everything = await poll(agent, snmp={"interfaces": {"exclude_names": None}})
    assert len(values(everything, "net_bytes_in")) == 5


async def test_an_alias_is_a_tag_where_it_is_wanted() -> None:
    reading = await poll(Agent({**system("r"), **interfaces(2)}), snmp={"interfaces": {"alias_tag": True}})
    assert {p.alias for p in reading.points if p.metric_name == "net_bytes_in"} == {"uplink 1", "uplink 2"}


async def test_a_counter_that_was_reset_says_when() -> None:
    objects = {**system("r"), **interfaces(2), f"{IFX}.19.2": TimeTicks(12_345)}
    assert values(await poll(Agent(objects)), "net_discontinuity_seconds") == {"Gi1/0/2": 123.45}


async def test_speeds_beyond_32_bits_come_from_the_wider_column() -> None:
    objects = {**system("r"), **interfaces(1)}
    objects["1.3.6.1.2.1.2.2.1.5.1"], objects[f"{IFX}.15.1"] = Gauge32(2**32 - 1), Gauge32(100_000)
    assert values(await poll(Agent(objects)), "net_speed_bps") == {"Gi1/0/1": 1e11}


def test_uptime_outlives_the_wrap_of_its_ticks() -> None:
    year = 365 * 86_400
    assert uptime_seconds(1234) == 12.34
    assert uptime_seconds(1234, 2 * year) == 2 * year
    assert uptime_seconds(360_000, 60) == 3600
    assert uptime_seconds(None, 60) == 60
    assert uptime_seconds(b"soon") is None
