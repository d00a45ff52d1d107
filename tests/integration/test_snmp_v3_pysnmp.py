"""SNMPv3 towards pysnmp's engine, for what snmpd does not offer; and pysnmp's engine as our own carrier."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import product
from typing import Any, get_args

import pytest

from local.devices.snmp_host import AgentHost
from local.devices.snmp_tables import values_of
from local.devices.snmp_v3_agent import V3Agent
from local.devices.snmp_v3_responder import HOST, ROWS, TABLE, Responder
from netvitals.collectors.snmp.protocol import SNMP, AuthProtocol, PrivProtocol, SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.wire.engines import EngineCache
from netvitals.collectors.snmp.wire.faults import AuthFault, NoAnswer, SnmpFault
from netvitals.collectors.snmp.wire.pysnmp_session import PysnmpSession
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.sessions import open_session
from netvitals.collectors.snmp.wire.transport import close_endpoints
from netvitals.collectors.snmp.wire.v3 import UserSecurity
from netvitals.domain.polling.job import Job
from netvitals.domain.ports import target_of
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

COLUMNS = [f"{TABLE}.1", f"{TABLE}.2"]
AUTH: tuple[AuthProtocol, ...] = get_args(AuthProtocol)
PRIV: tuple[PrivProtocol, ...] = get_args(PrivProtocol)


def credential(
    auth: AuthProtocol | None = None, priv: PrivProtocol | None = None, **more: Any
) -> SnmpCredential:
    given = {
        "user": "-".join(filter(None, (auth, priv))) or "plain",
        "auth_key": Secret("authentic-canary") if auth else None,
        "priv_key": Secret("private-canary") if priv else None,
    }
    return SnmpCredential(version="3", auth=auth, priv=priv, **(given | more))


USERS = [
    credential(),
    *(credential(auth) for auth in AUTH),
    *(credential(*both) for both in product(AUTH, PRIV)),
]


@pytest.fixture
async def serve() -> AsyncIterator[Any]:
    """Start a responder and return its port."""
    responders: list[Responder] = []

    def start(*args: Any) -> int:
        responders.append(Responder(*args))
        return responders[-1].port

    yield start
    for responder in responders:
        responder.close()
    close_endpoints()


def fast(port: int, user: SnmpCredential, **settings: Any) -> SnmpSession:
    security = UserSecurity(user, HOST, port, cache=EngineCache())
    return SnmpSession(HOST, security, SnmpSettings(port=port, **settings), time.monotonic() + 30)


def through_pysnmp(port: int, user: SnmpCredential, **settings: Any) -> PysnmpSession:
    return PysnmpSession(HOST, user, SnmpSettings(port=port, **settings), time.monotonic() + 30)


async def test_every_combination_of_the_credential_map_is_read(serve: Any) -> None:
    """One responder for all; a credential that changed meets what the one before had left in memory."""
    port = serve(USERS)
    memory: dict[str, Any] = {}
    for user in USERS:
        target = target_of(
            SNMP,
            Job(
                kind="metrics",
                device_id="d",
                address=HOST,
                due_at=0,
                expires_at=1,
                settings=PollSettings(snmp=SnmpSettings(port=port)),
                memory=memory,
            ),
            address=HOST,
            credential=user,
            deadline=time.monotonic() + 30,
        )
        opened = open_session(target)
        session = opened.session
        assert isinstance(session, PysnmpSession) == (user.priv == "3DES")
        walk = await session.walk(COLUMNS)
        assert (user.user, walk.error) == (user.user, None)
        assert walk.tables.column(COLUMNS[0]) == {str(row): row for row in range(1, ROWS + 1)}
        memory = {key: value for key, value in opened.memory().items() if value is not None} or memory


@pytest.mark.parametrize("open_", [fast, through_pysnmp])
async def test_a_context_gives_its_own_objects(serve: Any, open_: Any) -> None:
    port = serve([credential("SHA256", "AES256C")], ["", "red", "blue"])
    for name in ("red", "blue", ""):
        session = open_(port, credential("SHA256", "AES256C", context=name))
        walk = await session.walk(COLUMNS)
        assert walk.error is None
        assert set(walk.tables.column(COLUMNS[1]).values()) == {(name or "default").encode()}


@pytest.mark.parametrize("open_", [fast, through_pysnmp])
@pytest.mark.parametrize(
    ("user", "words"),
    [
        (credential("SHA1", user="nobody"), "unknown user"),
        (credential("SHA1", "AES128", auth_key=Secret("wrong-canary")), "wrong digest"),
    ],
)
async def test_both_sessions_name_the_same_faults(
    serve: Any, open_: Any, user: SnmpCredential, words: str
) -> None:
    port = serve([credential("SHA1", "AES128"), credential("SHA1")])
    with pytest.raises(AuthFault, match=words) as refusal:
        await open_(port, user, timeout_seconds=5.0).get([f"{COLUMNS[0]}.1"])
    assert refusal.value.alive
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("open_", [fast, through_pysnmp])
async def test_both_sessions_name_an_unknown_context(open_: Any) -> None:
    """Of a simulated device: pysnmp as an agent never reports one."""
    agent = V3Agent({f"{COLUMNS[0]}.1": 1}, credential("SHA256", "AES128"))
    async with AgentHost({HOST: agent}) as host:
        session = open_(host.port, credential("SHA256", "AES128", context="nowhere"))
        with pytest.raises(AuthFault, match="no context 'nowhere'"):
            await session.get([f"{COLUMNS[0]}.1"])


async def test_both_sessions_give_the_same_results(serve: Any) -> None:
    user = credential("SHA512", "AES192C")
    port = serve([user])
    oids = [f"{COLUMNS[0]}.1", f"{COLUMNS[1]}.2", f"{COLUMNS[0]}.999"]
    one, other = fast(port, user), through_pysnmp(port, user)
    assert values_of((await one.walk(COLUMNS)).tables) == values_of((await other.walk(COLUMNS)).tables)
    assert values_of((await one.get(oids)).tables) == values_of((await other.get(oids)).tables)


async def test_pysnmp_ends_with_the_deadline_when_nobody_answers(unused_udp_port: int) -> None:
    session = through_pysnmp(unused_udp_port, credential("SHA1", "3DES"), timeout_seconds=0.2, retries=1)
    with pytest.raises(NoAnswer) as silence:
        await session.get([f"{COLUMNS[0]}.1"])
    assert not silence.value.alive
    walk = await session.walk(COLUMNS)
    assert isinstance(walk.error, NoAnswer)


async def test_users_of_one_name_do_not_answer_for_each_other_in_pysnmp_either(serve: Any) -> None:
    users = [credential("SHA1", "3DES", user="same", auth_key=Secret(f"secret-number-{n}")) for n in range(3)]
    ports = [serve([user]) for user in users]

    async def attempt(port: int, user: SnmpCredential) -> bool:
        try:
            await through_pysnmp(port, user, timeout_seconds=5.0).get([f"{COLUMNS[0]}.1"])
        except SnmpFault as fault:
            return "wrong digest" not in str(fault)
        return True

    pairs = list(product(range(3), range(3)))
    for _ in range(2):
        taken = await asyncio.gather(*(attempt(ports[p], users[u]) for p, u in pairs))
        assert [pair for pair, yes in zip(pairs, taken, strict=True) if yes] == [(n, n) for n in range(3)]


def test_pysnmp_carries_on_in_a_second_event_loop() -> None:
    user = credential("SHA1", "3DES")

    async def poll() -> int:
        responder = Responder([user])
        try:
            return len((await through_pysnmp(responder.port, user).walk(COLUMNS)).tables.column(COLUMNS[0]))
        finally:
            responder.close()

    assert [asyncio.run(poll()), asyncio.run(poll())] == [ROWS, ROWS]
