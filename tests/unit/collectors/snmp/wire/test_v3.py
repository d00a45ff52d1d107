"""Version 3 messages: what is learnt from an engine, what is believed of what it says, and what never is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.clock import Clock
from local.devices.snmp_v3_agent import V3Agent
from netvitals.collectors.snmp.protocol import ENGINE_MEMORY, SnmpCredential
from netvitals.collectors.snmp.wire import message, pdu
from netvitals.collectors.snmp.wire.decode import decode_pdu
from netvitals.collectors.snmp.wire.encode import encode_oid, encode_request
from netvitals.collectors.snmp.wire.engines import MAX_BOOTS, EngineCache
from netvitals.collectors.snmp.wire.faults import (
    AuthFault,
    Malformed,
    ProtocolFault,
    Resend,
    SnmpFault,
    Unproven,
)
from netvitals.collectors.snmp.wire.reports import NOT_IN_TIME_WINDOW, REPORTS, UNKNOWN_ENGINE
from netvitals.collectors.snmp.wire.v3 import UserSecurity
from netvitals.domain.settings.secret import Secret

OID = "1.3.6.1.2.1.1.5.0"
OBJECTS: dict[str, Any] = {OID: b"canned"}
REQUEST = encode_request(pdu.GET, 77, [encode_oid(OID)])


def credential(level: str = "authPriv", **more: Any) -> SnmpCredential:
    given: dict[str, Any] = {"user": "bert"}
    if level != "noAuthNoPriv":
        given |= {"auth": "SHA256", "auth_key": Secret("authentic-canary")}
    if level == "authPriv":
        given |= {"priv": "AES128", "priv_key": Secret("private-canary")}
    return SnmpCredential(version="3", **(given | more))


class Pair:
    """A device and our security towards it, without a network between."""

    def __init__(self, level: str = "authPriv", user: SnmpCredential | None = None, **agent: Any) -> None:
        self.clock = Clock()
        self.cache = EngineCache()
        self.user = credential(level)
        self.agent = V3Agent(OBJECTS, self.user, clock=self.clock, **agent)
        self.security = self.another(user or self.user)

    def another(self, user: SnmpCredential | None = None, memory: Any = None) -> UserSecurity:
        return UserSecurity(user or self.user, "127.0.0.1", 161, memory, cache=self.cache, clock=self.clock)

    def answer(self, number: int = 77) -> bytes:
        """What the device sends to our next message."""
        (datagram,) = self.agent.receive(self.security.wrap(REQUEST, number))
        return datagram

    def exchange(self, number: int = 77, resends: int = 4) -> bytes:
        """The answer's PDU, after as many resends as the session would allow."""
        for _ in range(resends + 1):
            try:
                return self.security.unwrap(self.answer(number), number)
            except Resend:
                continue
        raise AssertionError("resent for ever")

    def synchronised(self) -> "Pair":
        self.exchange(1)
        return self


def reported(pair: Pair, datagram: bytes) -> SnmpFault:
    """The fault of a report: at once where nothing is signed, else to be counted where no answer comes."""
    is_signed = pair.user.auth is not None
    with pytest.raises(Unproven if is_signed else SnmpFault) as raised:
        pair.security.unwrap(datagram, 77)
    fault = raised.value.fault if isinstance(raised.value, Unproven) else raised.value
    assert isinstance(fault, SnmpFault)
    return fault


@pytest.fixture(params=["noAuthNoPriv", "authNoPriv", "authPriv"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(request.param)


@pytest.fixture(params=["authNoPriv", "authPriv"])
def authenticated(request: pytest.FixtureRequest) -> Pair:
    return Pair(request.param).synchronised()


def test_the_first_answer_takes_one_discovery(pair: Pair) -> None:
    with pytest.raises(Resend):
        pair.security.unwrap(pair.answer(), 77)
    decoded = decode_pdu(pair.security.unwrap(pair.answer(), 77))
    assert decoded.values == [b"canned"]


def test_a_device_that_this_process_knows_needs_no_discovery(pair: Pair) -> None:
    pair.synchronised()
    pair.security = pair.another()
    pair.exchange(resends=0)


def test_a_device_that_its_memory_describes_needs_no_discovery(pair: Pair) -> None:
    remembered = pair.synchronised().security.remember()[ENGINE_MEMORY]
    pair.clock.now += 100_000
    pair.cache = EngineCache()
    pair.security = pair.another(memory=remembered)
    pair.exchange(resends=0)
    assert pair.security.remember() == {}


def test_requests_that_are_sent_together_all_get_through_the_discovery(pair: Pair) -> None:
    first = {number: pair.agent.receive(pair.security.wrap(REQUEST, number))[0] for number in range(4)}
    for number, report in first.items():
        with pytest.raises(Resend):
            pair.security.unwrap(report, number)
    for number in first:
        pair.security.unwrap(pair.answer(number), number)


@pytest.mark.parametrize(
    "user",
    [
        credential("authNoPriv", auth="MD5"),
        credential("authNoPriv", auth="SHA384"),
        credential(auth="SHA1", priv="DES"),
        credential(auth="SHA256", priv="AES128"),
        credential(auth="SHA512", priv="AES256C"),
    ],
)
def test_no_altered_octet_of_an_answer_is_accepted(user: SnmpCredential) -> None:
    pair = Pair()
    pair.user = pair.agent.user = user
    pair.security = pair.another()
    pair.synchronised()
    answer = pair.answer()
    for position in range(len(answer)):
        for bit in (0x01, 0x80):
            altered = bytearray(answer)
            altered[position] ^= bit
            with pytest.raises(Malformed):
                pair.security.unwrap(bytes(altered), 77)
    pair.security.unwrap(answer, 77)


def test_no_part_of_an_answer_is_accepted(authenticated: Pair) -> None:
    answer = authenticated.answer()
    for size in range(len(answer)):
        with pytest.raises(Malformed):
            authenticated.security.unwrap(answer[:size], 77)
    with pytest.raises(Malformed):
        authenticated.security.unwrap(answer + b"\0", 77)


@pytest.mark.parametrize("flags", [0, 1, 2])
def test_less_security_than_was_asked_for_is_refused(flags: int) -> None:
    pair = Pair().synchronised()
    query = message.decode(pair.security.wrap(REQUEST, 77))
    contained = b"\xa2" + REQUEST[1:]
    with pytest.raises(Malformed):
        pair.security.unwrap(pair.agent.secured(query, b"", contained, flags), 77)


def test_more_security_than_was_asked_for_is_not_understood() -> None:
    pair = Pair("noAuthNoPriv").synchronised()
    pair.agent.user = credential("authNoPriv")
    query = message.decode(pair.security.wrap(REQUEST, 77))
    with pytest.raises(Malformed):
        pair.security.unwrap(pair.agent.secured(query, b"", b"\xa2" + REQUEST[1:]), 77)


def test_an_answer_to_another_message_is_refused(pair: Pair) -> None:
    answer = pair.synchronised().answer(77)
    with pytest.raises(Malformed, match="another message"):
        pair.security.unwrap(answer, 78)


def test_an_answer_to_another_user_engine_or_context_is_refused(pair: Pair) -> None:
    query = message.decode(pair.synchronised().security.wrap(REQUEST, 77))
    contained = b"\xa2" + REQUEST[1:]
    pair.security.unwrap(pair.agent.secured(query, b"", contained), 77)
    with pytest.raises(Malformed):
        pair.security.unwrap(pair.agent.secured(query._replace(user=b"ernie"), b"", contained), 77)
    with pytest.raises(Malformed):
        pair.security.unwrap(pair.agent.secured(query, b"elsewhere", contained), 77)
    pair.agent.engine_id = b"another engine"
    with pytest.raises(Malformed):
        pair.security.unwrap(pair.agent.secured(query, b"", contained), 77)


def test_an_old_answer_is_refused(authenticated: Pair) -> None:
    answer = authenticated.answer()
    authenticated.clock.now += 200
    with pytest.raises(Malformed, match="time window"):
        authenticated.security.unwrap(answer, 77)


def test_an_answer_of_before_the_reboot_is_refused(authenticated: Pair) -> None:
    answer = authenticated.answer()
    authenticated.agent.boots += 1
    authenticated.agent.booted_at = authenticated.clock()
    authenticated.exchange(78)
    with pytest.raises(Malformed, match="time window"):
        authenticated.security.unwrap(answer, 77)


def test_an_engine_whose_boots_are_worn_out_is_not_believed() -> None:
    pair = Pair(boots=MAX_BOOTS)
    with pytest.raises(Malformed, match="time window"):
        pair.exchange()


@pytest.mark.parametrize("boots", [1, 3, 8])
def test_a_reboot_costs_one_synchronisation_even_where_boots_are_forgotten(boots: int) -> None:
    pair = Pair(boots=3, uptime=10_000_000).synchronised()
    pair.agent.boots, pair.agent.booted_at = boots, pair.clock() - 5
    pair.exchange(resends=1)
    assert pair.security.remember()[ENGINE_MEMORY]["boots"] == boots


def test_a_clock_of_ours_that_was_set_costs_one_synchronisation(authenticated: Pair) -> None:
    for jump in (5000, -100_000):
        authenticated.clock.now += jump
        authenticated.agent.booted_at += jump
        authenticated.exchange(resends=1)


def test_a_device_that_stays_out_of_the_time_window_is_named(authenticated: Pair) -> None:
    def report() -> bytes:
        query = message.decode(authenticated.security.wrap(REQUEST, 77))
        return authenticated.agent.report(query, NOT_IN_TIME_WINDOW)

    for _ in range(2):
        with pytest.raises(Resend):
            authenticated.security.unwrap(report(), 77)
    with pytest.raises(ProtocolFault, match="not in time window"):
        authenticated.security.unwrap(report(), 77)


def test_an_unauthenticated_time_window_report_changes_nothing(authenticated: Pair) -> None:
    query = message.decode(authenticated.security.wrap(REQUEST, 77))
    contained = pdu_of(authenticated.agent.report(query, NOT_IN_TIME_WINDOW))
    authenticated.agent.boots += 5
    forged = authenticated.agent.secured(query, b"", contained, 0)
    with pytest.raises(Malformed, match="not authenticated"):
        authenticated.security.unwrap(forged, 77)
    assert message.decode(authenticated.security.wrap(REQUEST, 77)).boots == 1


def pdu_of(datagram: bytes) -> bytes:
    return message.unscope(message.decode(datagram).data)[1]


def test_replaced_hardware_is_found_by_its_report_where_no_genuine_answer_comes(authenticated: Pair) -> None:
    authenticated.agent.engine_id = b"new hardware"
    authenticated.security = authenticated.another()
    with pytest.raises(Unproven) as report:
        authenticated.security.unwrap(authenticated.answer(), 77)
    assert report.value.fault is None
    authenticated.exchange(resends=1)
    assert authenticated.security.remember()[ENGINE_MEMORY]["id"] == b"new hardware".hex()


def test_replaced_hardware_of_a_user_without_keys_is_found_at_once() -> None:
    pair = Pair("noAuthNoPriv").synchronised()
    pair.agent.engine_id = b"new hardware"
    pair.exchange(resends=2)
    assert pair.security.remember()[ENGINE_MEMORY]["id"] == b"new hardware".hex()


def test_replaced_hardware_that_does_not_report_is_found_by_the_second_try(pair: Pair) -> None:
    pair.synchronised().agent.engine_id = b"new hardware"
    pair.security = pair.another()
    pair.security.wrap(REQUEST, 77)  # lost
    pair.exchange(resends=1)


def test_a_forged_engine_id_does_not_outlast_the_poll(authenticated: Pair) -> None:
    genuine = authenticated.agent.engine_id
    query = message.decode(authenticated.security.wrap(REQUEST, 77))
    authenticated.agent.engine_id = b"forged"
    forged = authenticated.agent.report(query, UNKNOWN_ENGINE)
    with pytest.raises(Unproven):
        authenticated.security.unwrap(forged, 77)
    assert authenticated.security.remember()[ENGINE_MEMORY]["id"] == genuine.hex()
    authenticated.agent.engine_id = genuine
    authenticated.security = authenticated.another()
    authenticated.exchange(resends=0)


def test_a_discovery_that_is_answered_twice_is_taken_once(pair: Pair) -> None:
    report = pair.answer()
    with pytest.raises(Resend):
        pair.security.unwrap(report, 77)
    pair.security.wrap(REQUEST, 77)
    with pytest.raises(Malformed):
        pair.security.unwrap(report, 77)


@pytest.mark.parametrize("oid", [oid for oid in REPORTS if oid not in (NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE)])
def test_each_report_becomes_its_fault(pair: Pair, oid: str) -> None:
    query = message.decode(pair.synchronised().security.wrap(REQUEST, 77))
    refusal = reported(pair, pair.agent.report(query, oid))
    assert type(refusal) is REPORTS[oid].fault
    assert REPORTS[oid].name in str(refusal)
    assert refusal.alive
    assert "canary" not in str(refusal)


def test_a_report_that_nobody_knows_is_named_by_its_object(pair: Pair) -> None:
    query = message.decode(pair.synchronised().security.wrap(REQUEST, 77))
    refusal = reported(pair, pair.agent.report(query, "1.3.6.1.4.1.9.77"))
    assert isinstance(refusal, ProtocolFault)
    assert "report of 1.3.6.1.4.1.9.77" in str(refusal)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (credential(user="ernie"), "unknown user"),
        (credential(auth_key=Secret("other-canary")), "wrong digest"),
        (credential(priv_key=Secret("other-canary")), "decryption error"),
        (credential("authNoPriv"), "unsupported level: the agent does not take authNoPriv"),
        (credential(context="nowhere"), "unknown context: the agent has no context 'nowhere'"),
    ],
)
def test_a_wrong_credential_is_told_apart(user: SnmpCredential, words: str) -> None:
    with pytest.raises(Unproven, match=words) as report:
        Pair(user=user).exchange()
    assert isinstance(report.value.fault, AuthFault)


def test_an_answer_that_decrypts_to_noise_tells_of_the_key() -> None:
    pair = Pair().synchronised()
    query = message.decode(pair.security.wrap(REQUEST, 77))
    pair.agent.user = credential(priv_key=Secret("other-canary"))
    with pytest.raises(AuthFault, match="decryption error"):
        pair.security.unwrap(pair.agent.secured(query, b"", b"\xa2" + REQUEST[1:]), 77)


def test_silence_after_the_discovery_is_a_fault_of_its_own() -> None:
    pair = Pair()
    assert pair.security.silence() is None
    with pytest.raises(Resend):
        pair.security.unwrap(pair.answer(), 77)
    fault = pair.security.silence()
    assert isinstance(fault, AuthFault)
    assert "another priv_key" in str(fault)
    pair.exchange()
    assert pair.security.silence() is None


def test_silence_of_a_known_device_forgets_its_engine(pair: Pair) -> None:
    remembered = pair.synchronised().security.remember()[ENGINE_MEMORY]
    pair.security = pair.another(memory=remembered)
    pair.security.wrap(REQUEST, 77)
    assert pair.security.silence() is None
    assert pair.security.remember() == {ENGINE_MEMORY: None}
    assert pair.cache.get((pair.user, "127.0.0.1", 161)) is None


def test_what_one_user_learnt_does_not_bear_on_another_of_the_same_name() -> None:
    pair = Pair().synchronised()
    other = pair.another(credential(auth_key=Secret("other-canary")))
    assert message.decode(other.wrap(REQUEST, 77)).engine_id == b""


@given(st.binary(max_size=300))
def test_garbage_is_dropped(datagram: bytes) -> None:
    for security in (Pair().security, _synchronised.security):
        with pytest.raises(Malformed):
            security.unwrap(datagram, 77)


@given(st.data())
def test_spliced_messages_are_dropped_or_refused(data: st.DataObject) -> None:
    """An attacker who knows all but the keys may stop a poll, as he may by other means; no more."""
    answer = bytearray(_answer)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(answer)))
        end = data.draw(st.integers(start, len(answer)))
        answer[start:end] = data.draw(st.binary(max_size=20))
    if bytes(answer) == _answer:
        return
    with pytest.raises((Malformed, SnmpFault, Resend)):
        _synchronised.security.unwrap(bytes(answer), 77)


_synchronised = Pair().synchronised()
_answer = _synchronised.answer()


def test_nothing_prints_a_secret(authenticated: Pair) -> None:
    security = authenticated.security
    shown = repr(security) + repr(vars(security)) + repr(security.remember())
    shown += repr(message.decode(authenticated.answer()))
    for secret in (
        "authentic-canary",
        "private-canary",
        security._keys._key.hex(),
        repr(security._keys._key),
    ):
        assert secret not in shown
