"""The codec against its own inverse, against pysnmp, and against what no encoder would write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from netvitals.collectors.snmp.wire.decode import (
    decode_oid,
    decode_short_index,
    read,
    read_integer,
    read_octets,
)
from netvitals.collectors.snmp.wire.encode import encode_oid, integer, tlv
from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.collectors.snmp.wire.pdu import OBJECT_IDENTIFIER, OCTET_STRING
from netvitals.collectors.snmp.wire.walk import MAX_KNOWN_ROWS, place

sub_identifier = st.integers(0, 2**32 - 1)
oids = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39), st.lists(sub_identifier, max_size=126)),
    st.tuples(st.just(2), st.integers(0, 2**32 - 81), st.lists(sub_identifier, max_size=126)),
).map(lambda parts: ".".join(map(str, (parts[0], parts[1], *parts[2]))))


@given(oids)
def test_an_object_identifier_survives_encoding_and_decoding(oid: str) -> None:
    assert decode_oid(encode_oid(oid)) == oid


@given(oids)
def test_object_identifiers_are_encoded_as_pyasn1_does(oid: str) -> None:
    expected = encoder.encode(univ.ObjectIdentifier(oid))
    assert tlv(OBJECT_IDENTIFIER, encode_oid(oid)) == expected


@given(st.integers(-(2**63), 2**64 - 1))
def test_integers_are_the_same_to_us_as_to_pyasn1(value: int) -> None:
    encoded, theirs = integer(value), encoder.encode(univ.Integer(value))
    assert decoder.decode(encoded) == (value, b"")
    assert read_integer(encoded, 0) == (value, len(encoded))
    assert read_integer(theirs, 0) == (value, len(theirs))


@given(st.binary(max_size=300))
def test_octets_come_back(octets: bytes) -> None:
    encoded = tlv(OCTET_STRING, octets)
    assert encoded == encoder.encode(univ.OctetString(octets))
    assert read_octets(encoded + b"\x00", 0) == (octets, len(encoded))


@given(st.binary(max_size=64), st.integers(0, 70))
def test_any_octets_are_an_element_within_them_or_malformed(octets: bytes, position: int) -> None:
    try:
        _, start, end = read(octets, position)
    except Malformed:
        return
    assert position < start <= end <= len(octets)


@pytest.mark.parametrize("wrong", ["", "1", "a.b", ".1.3", "1..3", "3.1", "1.40", "1.3.-1", f"1.3.{2**32}"])
def test_a_text_that_is_no_object_identifier_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(ValueError, match="object identifier"):
        encode_oid(wrong)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\x2b\x86", id="cut off"),
        pytest.param(b"\x2b\x80\x01", id="padded"),
        pytest.param(b"\x2b\x90\x80\x80\x80\x00", id="over 32 bits"),
        pytest.param(b"\x2b" * 129, id="129 sub-identifiers"),
    ],
)
def test_an_object_identifier_that_is_none_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        decode_oid(octets)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02", id="no length"),
        pytest.param(b"\x02\x80\x00\x00", id="indefinite"),
        pytest.param(b"\x02\x85\x00\x00\x00\x00\x01\x00", id="five octets of length"),
        pytest.param(b"\x02\x82\x01", id="a length that is cut off"),
        pytest.param(b"\x02\x84\xff\xff\xff\xff\x00", id="4 GiB"),
        pytest.param(b"\x02\x00", id="an empty integer"),
        pytest.param(b"\x02\x0a" + b"\x01" * 10, id="an integer of ten octets"),
        pytest.param(b"\x04\x01\x01", id="another tag"),
    ],
)
def test_an_element_that_is_none_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read_integer(octets, 0)


def test_a_length_in_more_octets_than_it_needs_is_accepted() -> None:
    assert read_integer(b"\x02\x82\x00\x01\x05", 0) == (5, 5)


def test_what_is_kept_of_decoded_names_is_bounded() -> None:
    assert decode_short_index.cache_info().maxsize
    assert encode_oid.cache_info().maxsize
    assert place.cache_info().maxsize
    for number in range(3 * MAX_KNOWN_ROWS):
        assert place("1.3.6.1.9").index_of(encode_oid(f"1.3.6.1.9.{number}")) == str(number)
    assert len(place("1.3.6.1.9").indexes) <= MAX_KNOWN_ROWS
