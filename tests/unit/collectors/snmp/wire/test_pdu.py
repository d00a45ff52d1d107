"""Whole messages: what pysnmp says of the same octets, and what may be wrong with them."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.proto import api, rfc1902, rfc1905

from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.decode import decode_oid, decode_pdu
from netvitals.collectors.snmp.wire.encode import encode_oid, encode_request, integer, tlv
from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.transport import message_id
from netvitals.domain.settings.secret import Secret

v2c: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
NAME = "1.3.6.1.2.1.2.2.1.10.5"
SECURITY = CommunitySecurity("2c", Secret("public"))

names = st.lists(st.integers(0, 2**32 - 1), max_size=40).map(
    lambda tail: ".".join(map(str, (1, 3, 6, 1, *tail)))
)
samples = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(rfc1902.Integer32),
    st.integers(0, 2**32 - 1).map(rfc1902.Counter32),
    st.integers(0, 2**32 - 1).map(rfc1902.Gauge32),
    st.integers(0, 2**32 - 1).map(rfc1902.TimeTicks),
    st.integers(0, 2**64 - 1).map(rfc1902.Counter64),
    st.binary(max_size=300).map(rfc1902.OctetString),
    st.binary(max_size=20).map(rfc1902.Opaque),
    st.binary(min_size=4, max_size=4).map(rfc1902.IpAddress),
    names.map(rfc1902.ObjectIdentifier),
    st.sampled_from([rfc1902.Null(""), rfc1905.noSuchObject, rfc1905.noSuchInstance, rfc1905.endOfMibView]),
)
varbinds = st.lists(st.tuples(names, samples), max_size=12)


def pysnmp_response(bindings: list[tuple[str, Any]], request_id: int = 1 << 30) -> bytes:
    response = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(response)
    v2c.apiPDU.set_request_id(response, request_id)
    v2c.apiPDU.set_varbinds(response, [(v2c.ObjectIdentifier(name), value) for name, value in bindings])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, "public")
    v2c.apiMessage.set_pdu(message, response)
    return bytes(encoder.encode(message))


def as_ours(value: Any) -> object:
    """What pysnmp's value is in our terms."""
    for kind, sentinel in (
        (rfc1905.NoSuchObject, pdu.NO_SUCH_OBJECT),
        (rfc1905.NoSuchInstance, pdu.NO_SUCH_INSTANCE),
        (rfc1905.EndOfMibView, pdu.END_OF_MIB_VIEW),
    ):
        if isinstance(value, kind):
            return sentinel
    if isinstance(value, rfc1902.IpAddress):
        return value.prettyPrint()
    if isinstance(value, univ.ObjectIdentifier):
        return str(value)
    if isinstance(value, univ.Null):
        return None
    return bytes(value) if isinstance(value, univ.OctetString) else int(value)


def ours(datagram: bytes) -> list[tuple[str, object]]:
    answer = decode_pdu(SECURITY.unwrap(datagram, 1))
    return list(zip(map(decode_oid, answer.names), answer.values, strict=True))


@settings(max_examples=40, deadline=None)
@given(varbinds)
def test_a_response_means_the_same_to_us_as_to_pysnmp(bindings: list[tuple[str, Any]]) -> None:
    datagram = pysnmp_response(bindings)
    assert ours(datagram) == [(name, as_ours(value)) for name, value in bindings]
    assert message_id(datagram) == 1 << 30


@settings(max_examples=40, deadline=None)
@given(varbinds, st.data())
def test_a_damaged_response_means_the_same_where_both_accept_it(
    bindings: list[tuple[str, Any]], data: Any
) -> None:
    damaged = bytearray(pysnmp_response(bindings))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        mine = ours(bytes(damaged))
        theirs = pysnmp_reading(bytes(damaged))
        if theirs is not None and len(theirs) == len(mine):
            readable = [item for item in zip(mine, theirs, strict=True) if item[0][1] is not pdu.UNREADABLE]
            assert all(one == other for one, other in readable)


def pysnmp_reading(datagram: bytes) -> list[tuple[str, object]] | None:
    with contextlib.suppress(PyAsn1Error, IndexError, ValueError, TypeError, OverflowError):
        message, _ = decoder.decode(datagram, asn1Spec=v2c.Message())
        response = v2c.apiMessage.get_pdu(message)
        return [(str(name), as_ours(value)) for name, value in v2c.apiPDU.get_varbinds(response)]
    return None


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([pdu.GET, pdu.GET_NEXT]),
    st.integers(1 << 30, 2**31 - 1),
    st.lists(names, min_size=1, max_size=50),
)
def test_a_request_means_to_pysnmp_what_we_ask(tag: int, number: int, asked: list[str]) -> None:
    request = encode_request(tag, number, list(map(encode_oid, asked)))
    message, rest = decoder.decode(SECURITY.wrap(request, number), asn1Spec=v2c.Message())
    assert not rest
    found = v2c.apiMessage.get_pdu(message)
    assert isinstance(found, v2c.GetRequestPDU if tag == pdu.GET else v2c.GetNextRequestPDU)
    assert int(v2c.apiPDU.get_request_id(found)) == number
    assert [str(name) for name, _ in v2c.apiPDU.get_varbinds(found)] == asked


def test_a_getbulk_carries_its_repetitions() -> None:
    request = encode_request(pdu.GET_BULK, 1 << 30, [encode_oid(NAME)], 200)
    message, _ = decoder.decode(SECURITY.wrap(request, 1 << 30), asn1Spec=v2c.Message())
    found = v2c.apiMessage.get_pdu(message)
    assert int(v2c.apiBulkPDU.get_non_repeaters(found)) == 0
    assert int(v2c.apiBulkPDU.get_max_repetitions(found)) == 200


@given(st.binary(max_size=200))
def test_any_octets_are_a_response_or_malformed(octets: bytes) -> None:
    for decode in (decode_pdu, message_id, lambda data: SECURITY.unwrap(data, 1)):
        with contextlib.suppress(Malformed):
            decode(octets)


def response(value: bytes) -> bytes:
    varbind = tlv(0x30, tlv(0x06, encode_oid(NAME)) + value)
    return tlv(pdu.RESPONSE, integer(1 << 30) + integer(0) + integer(0) + tlv(0x30, varbind))


def decoded(value: bytes) -> object:
    (found,) = decode_pdu(response(value)).values
    return found


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        pytest.param(b"\x41\x04\xff\xff\xff\xff", 2**32 - 1, id="a Counter32 without its leading zero"),
        pytest.param(b"\x46\x08" + b"\xff" * 8, 2**64 - 1, id="a Counter64 without its leading zero"),
        pytest.param(b"\x02\x01\xff", -1, id="a negative INTEGER"),
        pytest.param(b"\x02\x81\x01\x05", 5, id="a length in the long form"),
        pytest.param(b"\x44\x07\x9f\x78\x04\x42\x28\x00\x00", 42.0, id="an Opaque float"),
        pytest.param(b"\x44\x0b\x9f\x79\x08\x40\x45\x00\x00\x00\x00\x00\x00", 42.0, id="an Opaque double"),
        pytest.param(b"\x44\x03\x9f\x78\x04", b"\x9f\x78\x04", id="an Opaque that only looks like a float"),
        pytest.param(b"\x40\x04\xc0\x00\x02\x01", "192.0.2.1", id="an IpAddress"),
        pytest.param(b"\x06\x00", "", id="an empty OBJECT IDENTIFIER"),
        pytest.param(b"\x47\x01\x05", 5, id="a UInteger32"),
        pytest.param(b"\x45\x02ab", b"ab", id="a NsapAddress"),
    ],
)
def test_a_value_is_read(encoded: bytes, expected: object) -> None:
    assert decoded(encoded) == expected


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"\x41\x00", id="an empty Counter32"),
        pytest.param(b"\x41\x06" + b"\x01" * 6, id="a Counter32 of six octets"),
        pytest.param(b"\x46\x0a" + b"\x01" * 10, id="a Counter64 of ten octets"),
        pytest.param(b"\x02\x82\x01\x00" + b"\x7f" * 256, id="an INTEGER of 256 octets"),
        pytest.param(b"\x40\x03\x01\x02\x03", id="an IpAddress of three octets"),
        pytest.param(b"\x06\x02\x2b\x86", id="an OBJECT IDENTIFIER that is cut off"),
        pytest.param(b"\x1f\x01\x00", id="an unknown type"),
    ],
)
def test_a_value_that_is_none_costs_itself_only(encoded: bytes) -> None:
    assert decoded(encoded) is pdu.UNREADABLE


def test_long_names_are_read() -> None:
    name = ".".join(["1.3", *["4294967295"] * 100])
    varbind = tlv(0x30, tlv(0x06, encode_oid(name)) + b"\x02\x01\x07")
    octets = tlv(pdu.RESPONSE, integer(1) + integer(0) + integer(0) + tlv(0x30, varbind))
    answer = decode_pdu(octets)
    assert (answer.names, answer.values) == ([encode_oid(name)], [7])


def test_a_request_is_no_response() -> None:
    with pytest.raises(Malformed):
        decode_pdu(encode_request(pdu.GET, 1, [encode_oid(NAME)]))


def test_another_version_or_community_is_malformed() -> None:
    datagram = pysnmp_response([])
    for other in (CommunitySecurity("1", Secret("public")), CommunitySecurity("2c", Secret("publi"))):
        with pytest.raises(Malformed):
            other.unwrap(datagram, 1)


@pytest.mark.parametrize(
    "varbind",
    [
        pytest.param(b"\x30\x09\x06\x81\x04\x2b\x06\x01\x02\x05\x00", id="a name's length in two octets"),
        pytest.param(b"\x30\x81\x08\x06\x04\x2b\x06\x01\x02\x05\x00", id="a binding's length in two octets"),
        pytest.param(b"\x30\x09\x06\x04\x2b\x06\x01\x02\x05\x81\x00", id="a value's length in two octets"),
    ],
)
def test_lengths_that_are_longer_than_need_be_are_read_wherever_they_stand(varbind: bytes) -> None:
    octets = tlv(pdu.RESPONSE, integer(1) + integer(0) + integer(0) + tlv(0x30, varbind))
    assert decode_pdu(octets).values == [None]
    assert decode_pdu(octets).names == [b"\x2b\x06\x01\x02"]


@pytest.mark.parametrize(
    "varbind",
    [
        pytest.param(
            b"\x30\x08\x06\x05\x2b\x06\x01\x02\x05\x00", id="a name that leaves no room for a value"
        ),
        pytest.param(b"\x30\x08\x06\x04\x2b\x06\x01\x02\x05\x01", id="a value that ends past its binding"),
        pytest.param(b"\x30\x07\x06\x04\x2b\x06\x01\x02\x05\x00", id="a binding that ends before its value"),
        pytest.param(b"\x30\x7f\x06\x04\x2b\x06\x01\x02\x05\x00", id="a binding that ends past its list"),
        pytest.param(b"\x31\x08\x06\x04\x2b\x06\x01\x02\x05\x00", id="a binding of another tag"),
        pytest.param(b"\x30\x08\x04\x04\x2b\x06\x01\x02\x05\x00", id="a name of another tag"),
        pytest.param(b"\x30\x08\x06", id="a binding that is cut off"),
    ],
)
def test_a_binding_whose_lengths_or_tags_disagree_is_malformed(varbind: bytes) -> None:
    octets = tlv(pdu.RESPONSE, integer(1) + integer(0) + integer(0) + tlv(0x30, varbind))
    with pytest.raises(Malformed):
        decode_pdu(octets)
