"""Each misbehaviour of an agent has its guard: the walk ends, keeps its rows, and says what was wrong."""

import asyncio
import socket
import time
from collections.abc import Sequence
from typing import Self

import pytest

from local.devices.snmp_agent import V1, V2C, Agent, Query
from local.devices.snmp_devices import interfaces, system
from local.devices.snmp_host import AgentHost
from local.devices.snmp_misbehaviour import Endless, FailsOn, Faulty, Uninvited
from local.devices.snmp_tables import values_of
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.wire import transport
from netvitals.collectors.snmp.wire.faults import NoAnswer, ProtocolFault, Unreachable
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.session import Read, SnmpSession
from netvitals.collectors.snmp.wire.transport import close_endpoints, endpoint_to
from netvitals.domain.settings.secret import Secret

ADDRESS = "127.0.9.1"
UPTIME, NAME = "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0"
DESCR, TYPE, IN, OUT = (f"1.3.6.1.2.1.2.2.1.{column}" for column in (2, 3, 10, 16))
COLUMNS = (DESCR, TYPE, IN, OUT)
PORTS = 30
OBJECTS = {**system("device"), **interfaces(PORTS)}
EVERY_ROW = [str(port) for port in range(1, PORTS + 1)]


class EchoesFrom:
    """Sends each request back from another socket, so that its id is right."""

    def __init__(self, address: str, copies: int = 1) -> None:
        self._copies = copies
        self._asked, self._other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self._asked.bind((ADDRESS, 0))
        self._other.bind((address, 0))
        self.port: int = self._asked.getsockname()[1]

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._asked, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._asked)
        self._asked.close()
        self._other.close()

    def _read(self) -> None:
        datagram, source = self._asked.recvfrom(65_535)
        for _ in range(self._copies):
            self._other.sendto(datagram, source)


def session(
    host: AgentHost | EchoesFrom, version: str = "2c", community: str = "public", **settings: float
) -> SnmpSession:
    chosen = {"timeout_seconds": 0.4, "retries": 2, **settings}
    security = CommunitySecurity("1" if version == "1" else "2c", Secret(community))
    return SnmpSession(
        ADDRESS,
        security,
        SnmpSettings(port=host.port, **chosen),  # type: ignore[arg-type]  # the keys are those of SnmpSettings
        time.monotonic() + 20,
    )


def rows(walk: Read) -> list[list[str]]:
    return [list(walk.tables.column(column)) for column in COLUMNS]


def assert_whole(walk: Read, columns: Sequence[str] = COLUMNS) -> None:
    assert walk.error is None
    assert not walk.faults
    for column in columns:
        assert sorted(walk.tables.column(column), key=int) == EVERY_ROW


@pytest.mark.parametrize(
    "fault",
    [
        "says genErr to GETBULK",
        "says tooBig where it should send what fits",
        "sends seven objects at most",
        "sends no object in a GETBULK",
        "holds even rows before odd ones",
        "answers after two wrong datagrams",
        "answers after a thousand datagrams of others, a hundred times over",
    ],
)
async def test_a_walk_is_whole_though_the_agent(fault: str) -> None:
    async with AgentHost({ADDRESS: Faulty(fault, OBJECTS)}) as host:
        assert_whole(await session(host).walk(COLUMNS))


async def test_a_walk_of_an_agent_without_fault_is_whole() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS)}) as host:
        assert_whole(await session(host).walk(COLUMNS))


async def test_getnext_serves_where_getbulk_meets_silence_and_getbulk_is_not_tried_again() -> None:
    agent = Faulty("is silent on GETBULK", OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        one = session(host, timeout_seconds=0.3, retries=1)
        assert_whole(await one.walk(COLUMNS))
        before = agent.requests
        assert_whole(await one.walk([IN]), [IN])
    assert agent.requests == before + PORTS + 1


async def test_fewer_repetitions_are_asked_of_an_agent_that_can_not_do_many_and_remembered() -> None:
    agent = Faulty("is silent on more than 8 repetitions", OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        one = session(host, timeout_seconds=0.1)
        assert_whole(await one.walk(COLUMNS))
    assert one.repetitions <= 9


async def test_repetitions_grow_again_with_success() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS)}) as host:
        one = SnmpSession(
            ADDRESS,
            CommunitySecurity("2c", Secret("public")),
            SnmpSettings(port=host.port),
            time.monotonic() + 20,
            repetitions=2,
        )
        assert one.repetitions == 2
        assert_whole(await one.walk(COLUMNS))
    assert 2 < one.repetitions <= 25


@pytest.mark.parametrize(
    "fault",
    ["begins anew after the fifth row", "stays at the third row", "walks downwards and begins anew"],
)
async def test_names_that_come_again_end_the_column_and_keep_its_rows(fault: str) -> None:
    agent = Faulty(fault, OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host).walk(COLUMNS)
    assert isinstance(walk.error, ProtocolFault)
    assert set(walk.faults) == set(COLUMNS)
    assert all(walk.tables.column(column) for column in COLUMNS)
    assert agent.requests < 20


async def test_an_endless_table_ends_at_the_cap_with_its_rows() -> None:
    agent = Endless({})
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host, max_varbinds=500).walk([IN])
    assert 500 <= len(walk.tables.column(IN)) <= 550
    assert "more than 500" in str(walk.error)
    assert walk.faults[IN] is walk.error


async def test_an_agent_that_only_says_too_big_has_failed_and_nothing_runs_on() -> None:
    agent = Faulty("says tooBig to anything", OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host).walk(COLUMNS)
        assert "tooBig" in str(walk.error)
        response = await session(host).get([UPTIME, NAME])
    assert values_of(response.tables) == {}
    assert "tooBig" in str(response.error)
    assert agent.requests < 60


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_genErr_on_one_column_costs_that_column_only(version: str) -> None:  # noqa: N802, SNMP's spelling
    agent = FailsOn(IN, OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host, version).walk(COLUMNS)
    assert "genErr" in str(walk.faults[IN])
    assert set(walk.faults) == {IN}
    assert [len(column) for column in rows(walk)] == [PORTS, PORTS, 0, PORTS]


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_a_table_that_fails_half_way_keeps_its_rows(version: str) -> None:
    agent = FailsOn(f"{IN}.20", OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host, version).walk(COLUMNS)
    assert [len(column) for column in rows(walk)] == [PORTS, PORTS, 19, PORTS]
    assert set(walk.faults) == {IN}


@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize("version", ["1", "2c"])
async def test_silence_on_one_column_costs_that_column_only(version: str, window: int) -> None:
    agent = FailsOn(IN, OBJECTS, silent=True)
    async with AgentHost({ADDRESS: agent}) as host:
        one = session(host, version, timeout_seconds=0.1, retries=1, requests_in_flight=window)
        walk = await one.walk(COLUMNS)
    assert isinstance(walk.faults[IN], NoAnswer)
    assert set(walk.faults) == {IN}
    assert [len(column) for column in rows(walk)] == [PORTS, PORTS, 0, PORTS]


async def test_a_device_that_dies_in_mid_walk_keeps_what_it_said_and_is_given_up() -> None:
    agent = Faulty("is silent after the first request", OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        one = session(host, timeout_seconds=0.1, requests_in_flight=1)
        walk = await one.walk([*COLUMNS, "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"])
    assert isinstance(walk.error, NoAnswer)
    assert len(walk.tables.column(DESCR)) == 25
    assert agent.requests < 10


async def test_one_object_at_a_time_ends_with_the_time_of_the_walk_and_the_rows_so_far() -> None:
    agent = Faulty("sends one object at a time", OBJECTS, delay=0.05)
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host).walk([IN], seconds=0.5)
    assert isinstance(walk.error, NoAnswer)
    assert 2 <= len(walk.tables.column(IN)) < PORTS


async def test_columns_that_time_did_not_suffice_for_say_so_beside_one_with_a_fault_of_its_own() -> None:
    agent = FailsOn(DESCR, OBJECTS, delay=0.05)
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host, max_repetitions=1, requests_in_flight=1).walk(COLUMNS, seconds=0.6)
    assert "genErr" in str(walk.faults[DESCR])
    assert isinstance(walk.faults[OUT], NoAnswer)


async def test_a_get_that_time_did_not_suffice_for_says_so_beside_its_values() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS, delay=0.1)}) as host:
        one = session(host, requests_in_flight=1)
        one.deadline = time.monotonic() + 0.15
        response = await one.get(
            [f"{IN}.{port}" for port in range(1, PORTS + 1)]
            + [f"{OUT}.{port}" for port in range(1, PORTS + 1)]
        )
    assert len(values_of(response.tables)) == 40
    assert isinstance(response.error, NoAnswer)


async def test_an_agent_that_only_sends_garbage_is_given_up_as_a_silent_one_is() -> None:
    agent = Faulty("sends every wrong datagram and no answer", OBJECTS)
    async with AgentHost({ADDRESS: agent}) as host:
        walk = await session(host, timeout_seconds=0.1).walk(COLUMNS)
    assert isinstance(walk.error, ProtocolFault)
    assert agent.requests < 20


async def test_the_deadline_of_the_session_ends_every_wait() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS, delay=5)}) as host:
        one = session(host, timeout_seconds=10)
        one.deadline = time.monotonic() + 0.2
        with pytest.raises(NoAnswer):
            await one.get([UPTIME])
        with pytest.raises(NoAnswer, match="time was up"):
            await one.get([UPTIME])
        walk = await one.walk(COLUMNS)
    assert set(walk.faults) == set(COLUMNS)


@pytest.mark.parametrize(
    "fault",
    [
        "answers the request before",
        "answers under another community",
        "answers v2c in v1",
        "answers with the PDU that it was asked with",
        "sends every wrong datagram and no answer",
    ],
)
async def test_an_answer_that_is_none_is_not_believed(fault: str) -> None:
    async with AgentHost({ADDRESS: Faulty(fault, OBJECTS)}) as host:
        with pytest.raises((NoAnswer, ProtocolFault)):
            await session(host, timeout_seconds=0.1, retries=1).get([UPTIME])


async def test_an_answer_from_another_address_is_not_believed_and_counted() -> None:
    agent = Agent(OBJECTS)
    agent.answers_from = "127.0.9.2"
    async with AgentHost({ADDRESS: agent}) as host:
        endpoint = endpoint_to(ADDRESS)
        strays = endpoint.strays
        with pytest.raises(
            NoAnswer, match=r"127\.0\.9\.1: answers to SNMP come from 127\.0\.9\.2 instead"
        ) as told:
            await session(host, timeout_seconds=0.1, retries=1).get([UPTIME])
        assert not told.value.alive
        assert endpoint.strays == strays + 2


async def test_a_device_with_many_addresses_that_answers_from_one_of_them_floods_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "_apart", {})  # without those that other tests have set apart
    agent = Agent(OBJECTS)
    agent.answers_from = "127.0.9.2"
    async with AgentHost({ADDRESS: agent}) as host:
        endpoint = endpoint_to(ADDRESS)
        strays = endpoint.strays
        asked = (session(host, timeout_seconds=0.1, retries=1).get([UPTIME]) for _ in range(50))
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(each) for each in told} == {NoAnswer}
        assert endpoint.strays == strays + 100
        assert not endpoint.closed


async def test_whoever_learnt_an_id_and_floods_from_another_address_is_set_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "_apart", {})
    with EchoesFrom("127.0.9.3", copies=200) as host:
        endpoint = endpoint_to(ADDRESS)
        with pytest.raises(NoAnswer, match=r"come from 127\.0\.9\.3 instead"):
            await session(host, timeout_seconds=0.1, retries=0).get([UPTIME])
        assert endpoint.closed
        assert list(transport._apart) == ["127.0.9.3"]
    close_endpoints()


async def test_an_answer_from_another_port_is_not_believed_and_told() -> None:
    text = r"come from port \d+ instead of \d+, .* address translation"
    with EchoesFrom(ADDRESS) as host, pytest.raises(NoAnswer, match=text):
        await session(host, timeout_seconds=0.1, retries=0).get([UPTIME])


async def test_objects_that_were_not_asked_for_are_not_taken() -> None:
    async with AgentHost({ADDRESS: Uninvited(OBJECTS)}) as host:
        response = await session(host).get([NAME])
    assert values_of(response.tables) == {NAME: b"device"}


async def test_a_wrong_community_meets_silence_and_the_error_says_so_without_naming_it() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS)}) as host:
        with pytest.raises(NoAnswer, match="community") as caught:
            await session(host, community="hunter2", timeout_seconds=0.1).get([UPTIME])
    assert "hunter2" not in str(caught.value)
    assert not caught.value.alive


async def test_every_request_is_repeated_so_losses_cost_time_and_no_rows() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS, loss=0.2)}) as host:
        one = session(host, timeout_seconds=0.1, retries=6)
        for _ in range(5):
            assert_whole(await one.walk(COLUMNS))
            assert values_of((await one.get([NAME])).tables) == {NAME: b"device"}


class Losing(Agent):
    """Does not get the first two requests."""

    def reply(self, query: Query) -> list[bytes]:
        return super().reply(query) if self.requests > 2 else []


async def test_a_table_known_to_be_small_is_asked_for_as_often_as_any_other() -> None:
    async with AgentHost({ADDRESS: Losing(OBJECTS)}) as host:
        one = session(host, timeout_seconds=0.3, retries=2)
        one.expect({IN.rpartition(".")[0]: 0})
        assert_whole(await one.walk([IN]), [IN])


async def test_v1_walks_by_getnext_and_ends_where_the_mib_ends() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS, versions=[V1])}) as host:
        last = "1.3.6.1.2.1.31.1.1.1.19"
        assert_whole(await session(host, "1").walk([IN, last]), [IN, last])


async def test_v1_drops_what_is_not_there_and_gets_the_rest() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS, versions=[V1])}) as host:
        response = await session(host, "1").get(["1.3.6.1.9.9.0", NAME, "1.3.6.1.9.8.0"])
    assert values_of(response.tables) == {NAME: b"device"}
    assert response.error is None


async def test_an_agent_of_v1_only_does_not_answer_v2c() -> None:
    async with AgentHost({ADDRESS: Agent(OBJECTS, versions=[V1])}) as host:
        with pytest.raises(NoAnswer):
            await session(host, timeout_seconds=0.1, retries=0).get([UPTIME])


async def test_no_such_object_is_an_answer() -> None:
    async with AgentHost({ADDRESS: Agent({NAME: "device"}, versions=[V2C])}) as host:
        response = await session(host).get([UPTIME])
    assert values_of(response.tables) == {}
    assert response.rtt_ms > 0
    assert response.error is None


async def test_a_small_agent_gets_a_get_of_many_objects_in_parts() -> None:
    agent = Agent(OBJECTS, max_bytes=484)
    wanted = [f"{DESCR}.{port}" for port in range(1, PORTS + 1)] + [
        f"{IN}.{port}" for port in range(1, PORTS + 1)
    ]
    async with AgentHost({ADDRESS: agent}) as host:
        response = await session(host).get(wanted)
        assert_whole(await session(host).walk(COLUMNS))
    assert set(values_of(response.tables)) == set(wanted)


async def test_an_address_without_a_route_is_unreachable_at_once() -> None:
    security = CommunitySecurity("2c", Secret("public"))
    with pytest.raises(Unreachable, match=r"255\.255\.255\.255"):
        await SnmpSession("255.255.255.255", security, SnmpSettings(), time.monotonic() + 20).get([UPTIME])
