"""SNMPv3 towards Debian's snmpd: every combination it offers, its reboots, and its refusals."""

import asyncio
import time
import traceback
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from fixtures.snmpd import StartSnmpd
from local.devices.snmp_tables import values_of
from local.servers.snmpd import HOST, Snmpd
from netvitals.collectors.snmp.collector import SnmpCollector
from netvitals.collectors.snmp.protocol import (
    ENGINE_MEMORY,
    SNMP,
    AuthProtocol,
    PrivProtocol,
    SnmpCredential,
    SnmpSettings,
)
from netvitals.collectors.snmp.wire.engines import EngineCache
from netvitals.collectors.snmp.wire.faults import AuthFault, NoAnswer
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.transport import close_endpoints
from netvitals.collectors.snmp.wire.v3 import UserSecurity
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import target_of
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

pytestmark = pytest.mark.integration

SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
IF_TYPE = "1.3.6.1.2.1.2.2.1.3"
AUTH: dict[AuthProtocol, str] = {
    "MD5": "MD5",
    "SHA1": "SHA",
    "SHA224": "SHA-224",
    "SHA256": "SHA-256",
    "SHA384": "SHA-384",
    "SHA512": "SHA-512",
}
PRIV: dict[PrivProtocol, str] = {"DES": "DES", "AES128": "AES", "AES192": "AES-192", "AES256": "AES-256"}
AUTH_KEY, PRIV_KEY = "authentic-canary", "private-canary"


def configuration() -> str:
    lines = ["createUser plain", "rouser plain noauth"]
    for auth, theirs in AUTH.items():
        lines += [f"createUser {auth} {theirs} {AUTH_KEY}", f"rouser {auth} auth"]
    for (auth, hashes), (priv, ciphers) in product(AUTH.items(), PRIV.items()):
        user = f"{auth}-{priv}"
        lines += [f"createUser {user} {hashes} {AUTH_KEY} {ciphers} {PRIV_KEY}", f"rouser {user} priv"]
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def snmpd(start_snmpd: StartSnmpd) -> Snmpd:
    return start_snmpd(configuration())


@pytest.fixture(autouse=True)
async def _endpoints() -> Any:
    yield
    close_endpoints()


def credential(
    auth: AuthProtocol | None = None,
    priv: PrivProtocol | None = None,
    *,
    auth_key: str = AUTH_KEY,
    priv_key: str = PRIV_KEY,
    **more: Any,
) -> SnmpCredential:
    return SnmpCredential(
        version="3",
        user=more.pop("user", "-".join(filter(None, (auth, priv))) or "plain"),
        auth=auth,
        auth_key=Secret(auth_key) if auth else None,
        priv=priv,
        priv_key=Secret(priv_key) if priv else None,
        **more,
    )


def security_for(agent: Snmpd, user: SnmpCredential, memory: Any = None) -> UserSecurity:
    return UserSecurity(user, HOST, agent.port, memory, cache=EngineCache())


def session_with(agent: Snmpd, security: UserSecurity, **settings: Any) -> SnmpSession:
    wanted = SnmpSettings(port=agent.port, **({"timeout_seconds": 1.0} | settings))
    return SnmpSession(HOST, security, wanted, time.monotonic() + 30)


async def ask(agent: Snmpd, security: UserSecurity, **settings: Any) -> None:
    response = await session_with(agent, security, **settings).get([SYS_OBJECT_ID])
    assert values_of(response.tables) == {SYS_OBJECT_ID: "1.3.6.1.4.1.8072.3.2.10"}


@pytest.mark.parametrize("priv", [None, *PRIV])
@pytest.mark.parametrize("auth", AUTH)
async def test_every_combination_that_snmpd_offers_is_read(
    snmpd: Snmpd, auth: AuthProtocol, priv: PrivProtocol | None
) -> None:
    session = session_with(snmpd, security_for(snmpd, credential(auth, priv)))
    walk = await session.walk([IF_TYPE])
    assert walk.error is None
    assert 24 in walk.tables.column(IF_TYPE).values()  # softwareLoopback


async def test_a_user_without_authentication_is_read(snmpd: Snmpd) -> None:
    await ask(snmpd, security_for(snmpd, credential()))


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (credential(user="nobody"), "unknown user"),
        (credential("SHA1", user="nobody"), "unknown user"),
        (credential("SHA1", auth_key="wrong-canary"), "wrong digest"),
        (credential("SHA256", user="SHA1"), "wrong digest"),
        (credential("SHA1", "AES128", user="SHA1"), "unsupported level"),
        (credential("SHA1", user="plain"), "unsupported level"),
        (credential("SHA1", "AES128", user="SHA1-DES"), "decryption error"),
        (credential("SHA1", "AES128", priv_key="wrong-canary"), "another priv_key"),
        (credential("SHA512", "AES256", priv_key="wrong-canary"), "another priv_key"),
        (credential("MD5", "DES", priv_key="wrong-canary"), "another priv_key"),
        (credential("SHA1", context="nowhere"), "a context that it does not have"),
        (credential("SHA1", user="SHA1-DES"), "access control"),
    ],
)
async def test_each_refusal_names_its_fault_and_proves_the_device_alive(
    snmpd: Snmpd, user: SnmpCredential, words: str
) -> None:
    with pytest.raises(AuthFault, match=words) as refusal:
        await ask(snmpd, security_for(snmpd, user), timeout_seconds=0.3, retries=1)
    assert refusal.value.alive
    assert refusal.value.reason is Reason.AUTH
    frames = traceback.TracebackException.from_exception(refusal.value, capture_locals=True).stack
    shown = [str(frame.locals) for frame in frames if "/netvitals/collectors/" in frame.filename]
    assert shown
    assert "canary" not in str(refusal.value) + "".join(shown)


@pytest.mark.parametrize("right", [True, False])
async def test_a_poll_with_a_wrong_key_is_alive_and_says_why(snmpd: Snmpd, *, right: bool) -> None:
    user = credential("SHA256", "AES256", auth_key=AUTH_KEY if right else "wrong-canary")
    settings = PollSettings(snmp=SnmpSettings(port=snmpd.port))
    job = Job(kind="status", device_id="d", address=HOST, due_at=0, expires_at=1, settings=settings)
    reading = Reading()
    await SnmpCollector().collect(
        target_of(SNMP, job, address=HOST, credential=user, deadline=time.monotonic() + 20),
        reading,
    )
    assert reading.alive
    assert reading.reason is (Reason.OK if right else Reason.AUTH)
    assert ("wrong digest" in reading.detail) is not right
    assert (ENGINE_MEMORY in reading.memory) is right


async def test_a_walk_with_a_wrong_key_ends_with_its_fault(snmpd: Snmpd) -> None:
    security = security_for(snmpd, credential("SHA1", auth_key="wrong-canary"))
    walk = await session_with(snmpd, security).walk([IF_TYPE])
    assert isinstance(walk.error, AuthFault)
    assert not walk.tables.column(IF_TYPE)


@pytest.fixture
def moody(start_snmpd: StartSnmpd) -> Iterator[Snmpd]:
    """One whose engine may change without harm to other tests."""
    agent = start_snmpd(configuration())
    yield agent
    agent.stop()


async def test_nothing_listening_is_no_answer(moody: Snmpd) -> None:
    security = security_for(moody, credential("SHA1"))
    await ask(moody, security)
    remembered = security.remember()[ENGINE_MEMORY]
    moody.stop()
    security = security_for(moody, credential("SHA1"), remembered)
    with pytest.raises(NoAnswer) as silence:
        await ask(moody, security, timeout_seconds=0.2, retries=1)
    assert not silence.value.alive
    assert security.remember() == {ENGINE_MEMORY: None}


@pytest.mark.parametrize(
    "user", [credential("SHA1", "AES128"), credential("MD5", "DES"), credential("SHA256")]
)
async def test_a_device_that_reboots_between_polls_costs_one_synchronisation(
    moody: Snmpd, user: SnmpCredential
) -> None:
    security = security_for(moody, user)
    await ask(moody, security)
    before = security.remember()[ENGINE_MEMORY]
    moody.reboot()
    security = security_for(moody, user, before)
    await ask(moody, security, retries=0)
    after = security.remember()[ENGINE_MEMORY]
    assert (after["id"], after["boots"]) == (before["id"], before["boots"] + 1)


async def test_a_device_that_reboots_within_a_session_is_read_on(moody: Snmpd) -> None:
    security = security_for(moody, credential("SHA1", "AES128"))
    session = session_with(moody, security, requests_in_flight=4)
    await session.walk([IF_TYPE])
    moody.reboot()
    walk = await session.walk([IF_TYPE, "1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.2.2.1.16", "1.3.6.1.2.1.25"])
    assert walk.error is None


@pytest.mark.parametrize("user", [credential("SHA1", "AES128"), credential("SHA256"), credential()])
async def test_replaced_hardware_is_found_by_its_new_engine_id(moody: Snmpd, user: SnmpCredential) -> None:
    security = security_for(moody, user)
    await ask(moody, security)
    before = security.remember()[ENGINE_MEMORY]
    moody.replace()
    security = security_for(moody, user, before)
    await ask(moody, security, retries=0)
    assert security.remember()[ENGINE_MEMORY]["id"] != before["id"]


async def test_memory_that_is_true_saves_the_discovery_and_is_not_written_again(snmpd: Snmpd) -> None:
    first = security_for(snmpd, credential("SHA1", "AES128"))
    await ask(snmpd, first)
    second = security_for(snmpd, credential("SHA1", "AES128"), first.remember()[ENGINE_MEMORY])
    discoveries = []
    unwrap = second.unwrap

    def watched(datagram: bytes, message_id: int) -> bytes:
        discoveries.append(b"\x2b\x06\x01\x06\x03\x0f\x01\x01\x04" in datagram)  # usmStatsUnknownEngineIDs
        return unwrap(datagram, message_id)

    second.unwrap = watched  # type: ignore[method-assign] # to look at what passes
    await ask(snmpd, second)
    assert discoveries == [False]
    assert second.remember() == {}


@pytest.mark.parametrize(
    "memory", [{}, 7, "x", {"id": "zz", "boots": 1, "booted_at": 1}, {"id": "80" * 33}, None]
)
async def test_memory_that_makes_no_sense_is_as_good_as_none(snmpd: Snmpd, memory: Any) -> None:
    security = security_for(snmpd, credential("SHA1", "AES128"), memory)
    await ask(snmpd, security)
    assert security.remember()[ENGINE_MEMORY]["boots"] == 1


@pytest.mark.parametrize(
    "wrong",
    [{"boots": 2**31 - 1}, {"boots": 0}, {"booted_at": 0}, {"booted_at": 2**40}, {"id": "8000000001020304"}],
)
async def test_memory_that_is_wrong_is_put_right(snmpd: Snmpd, wrong: dict[str, Any]) -> None:
    first = security_for(snmpd, credential("SHA256", "AES256"))
    await ask(snmpd, first)
    right = first.remember()[ENGINE_MEMORY]
    second = security_for(snmpd, credential("SHA256", "AES256"), right | wrong)
    await ask(snmpd, second, retries=0)
    assert second.remember()[ENGINE_MEMORY] == pytest.approx(right, abs=1)


async def test_agents_whose_users_share_a_name_each_take_their_own_passwords_only(
    start_snmpd: StartSnmpd,
) -> None:
    agents = [
        start_snmpd(f"createUser same SHA secret-number-{n} AES private-number-{n}\nrouser same priv\n")
        for n in range(10)
    ]
    users = [
        credential(
            "SHA1", "AES128", user="same", auth_key=f"secret-number-{n}", priv_key=f"private-number-{n}"
        )
        for n in range(10)
    ]
    cache = EngineCache()

    async def attempt(agent: Snmpd, user: SnmpCredential) -> str:
        security = UserSecurity(user, HOST, agent.port, cache=cache)
        try:
            await ask(agent, security, timeout_seconds=3.0)
        except AuthFault as fault:
            return "wrong digest" if "wrong digest" in str(fault) else str(fault)
        return "taken"

    pairs = list(product(range(10), range(10)))
    for _ in range(2):  # the second time with what the first has cached
        answers = await asyncio.gather(*(attempt(agents[a], users[u]) for a, u in pairs))
        assert answers == ["taken" if a == u else "wrong digest" for a, u in pairs]
