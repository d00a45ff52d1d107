"""Decode answers in the part of BER (ITU-T X.690) that SNMP uses. Every byte that is read may be hostile.

Lengths are definite and at most four octets long; a length that is not minimal is accepted, since agents
send such. Nothing recurses and nothing is allocated from a claimed length, so a false length costs nothing.
"""

# ruff: noqa: PLR2004, _decode_varbinds says why

import struct
from functools import lru_cache

from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.collectors.snmp.wire.pdu import (
    COUNTER64,
    END_OF_MIB_VIEW,
    INTEGER,
    IP_ADDRESS,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    NSAP_ADDRESS,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    REPORT,
    RESPONSE,
    SEQUENCE,
    UNREADABLE,
    UNSIGNED,
    Absent,
    IPv4,
    Oid,
    Pdu,
    WireValue,
)
from netvitals.domain.polling.budget import MAX_VALUE_BYTES

MAX_VARBINDS = 10_000
_ORDINARY_BYTES = 4096
"""Bytes of a variable binding list up to which its bindings are not counted first: they are few."""
_SHORT_INDEX_OCTETS = 16
_LONG_FORM = 0x80
_MAX_LENGTH_OCTETS = 4
_MAX_SUB_IDENTIFIER = 0xFFFFFFFF
_MAX_SUB_IDENTIFIERS = 128
"""Sub-identifiers of an object identifier, at most, each of at most 2**32 - 1 (RFC 3416, 2)."""
_MAX_INTEGER_OCTETS = 9
"""Octets of the longest integer of SNMP: a Counter64 with its leading zero."""
_LONGEST_UNSIGNED = bytes((9 if tag == COUNTER64 else 5) if tag in UNSIGNED else 0 for tag in range(256))
"""Octets of the longest unsigned integer, by tag; 0 for other types."""
_FOUR_OCTETS, _ONE_OCTET = b"\x02\x04", b"\x02\x01"
"""Beginnings of the ids that we give requests, and of versions: they are decoded by a shorter way."""
_NO_ERROR = b"\x02\x01\x00\x02\x01\x00"
"""Encoded error-status and error-index of nearly every answer."""
_OTHERS = {0x80: NO_SUCH_OBJECT, 0x81: NO_SUCH_INSTANCE, 0x82: END_OF_MIB_VIEW}
_OPAQUE_FLOATS = {b"\x9f\x78\x04": ">f", b"\x9f\x79\x08": ">d"}
"""Forms of a float in an Opaque, by its tag of two octets and its length (draft-perkins-opaque-01)."""


def read(data: bytes, position: int) -> tuple[int, int, int]:
    """Return tag, start and end of the content of the element at `position`.

    Raises:
        Malformed: the element does not lie wholly within `data`.
    """
    try:
        tag, size = data[position], data[position + 1]
    except IndexError:
        raise Malformed("an element without tag and length") from None
    start = position + 2
    if size >= _LONG_FORM:
        octets = size - _LONG_FORM
        if not 1 <= octets <= _MAX_LENGTH_OCTETS:
            raise Malformed("a length that is indefinite or absurd")
        size = int.from_bytes(data[start : start + octets])
        start += octets
    end = start + size
    if end > len(data):
        raise Malformed("an element that ends past the datagram")
    return tag, start, end


def read_as(tag: int, data: bytes, position: int) -> tuple[int, int]:
    """Return start and end of the content of the element at `position`, which must have this tag.

    Raises:
        Malformed: it has another tag, or does not lie wholly within `data`.
    """
    found, start, end = read(data, position)
    if found != tag:
        raise Malformed(f"tag {found:#04x} where {tag:#04x} belongs")
    return start, end


def read_integer(data: bytes, position: int) -> tuple[int, int]:
    """Return the INTEGER at `position`, and where the next element begins.

    Raises:
        Malformed: it is no INTEGER, or longer than any of SNMP's.
    """
    head = data[position : position + 2]
    if head == _FOUR_OCTETS and position + 6 <= len(data):
        return int.from_bytes(data[position + 2 : position + 6], signed=True), position + 6
    if head == _ONE_OCTET and position + 3 <= len(data) and data[position + 2] < 0x80:
        return data[position + 2], position + 3
    start, end = read_as(INTEGER, data, position)
    if not 1 <= end - start <= _MAX_INTEGER_OCTETS:
        raise Malformed("an integer that is empty or oversized")
    return int.from_bytes(data[start:end], signed=True), end


def read_octets(data: bytes, position: int) -> tuple[bytes, int]:
    """Return the OCTET STRING at `position`, and where the next element begins.

    Raises:
        Malformed: it is no OCTET STRING.
    """
    start, end = read_as(OCTET_STRING, data, position)
    return data[start:end], end


def decode_index(octets: bytes) -> str:
    """Return the dotted form of whole sub-identifiers, such as the index part behind a column.

    Raises:
        Malformed: the last one is cut off, or one is over 32 bits, or there are too many.
    """
    numbers: list[int] = []
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
        if value > _MAX_SUB_IDENTIFIER or (octet == 0x80 and not value):  # X.690, 8.19.2: no padding
            raise Malformed("a sub-identifier that is padded or over 32 bits")
        if octet < 0x80:  # the last octet of a sub-identifier has bit 8 clear
            numbers.append(value)
            value = 0
    if (octets and octets[-1] >= 0x80) or len(numbers) > _MAX_SUB_IDENTIFIERS:
        raise Malformed("an object identifier that is cut off or overlong")
    return ".".join(map(str, numbers))


class LongIndex(Exception):
    """Raised for an index that is longer than those that are kept."""


@lru_cache(maxsize=16_384)
def decode_short_index(octets: bytes) -> str:
    """Return what `decode_index` returns, and keep it: tables share indexes.

    Raises:
        LongIndex: it has more than 16 octets; if such were kept, a device could fill the memory.
    """
    if len(octets) > _SHORT_INDEX_OCTETS:
        raise LongIndex
    return decode_index(octets)


def decode_oid(octets: bytes) -> str:
    """Return the dotted form of the content octets of an object identifier.

    Raises:
        Malformed: they are none.
    """
    try:
        dotted = decode_short_index(octets)
    except LongIndex:
        dotted = decode_index(octets)
    head, _, tail = dotted.partition(".")
    if not head:
        return ""
    first = min(int(head) // 40, 2)
    start = f"{first}.{int(head) - 40 * first}"
    return f"{start}.{tail}" if tail else start


def decode_value(tag: int, content: bytes) -> WireValue | Absent:  # noqa: PLR0911, one way out per type
    """Return the value of this type; what is wrong with it costs only itself, so nothing is raised.

    A Counter32 that an agent encodes without its leading zero octet is read as the unsigned number it is.
    """
    if tag in UNSIGNED or tag == INTEGER:
        size = len(content)
        if not 1 <= size <= (9 if tag == COUNTER64 else 5):
            return UNREADABLE
        return int.from_bytes(content, signed=tag == INTEGER)
    if tag in (OCTET_STRING, NSAP_ADDRESS):
        return content
    if tag == OBJECT_IDENTIFIER:
        return _decode_oid_value(content)
    if tag == IP_ADDRESS:
        return IPv4(".".join(map(str, content))) if len(content) == 4 else UNREADABLE
    if tag == NULL:
        return None
    if tag == OPAQUE:
        return _decode_opaque(content)
    return _OTHERS.get(tag, UNREADABLE)


def _decode_opaque(content: bytes) -> float | bytes:
    form = _OPAQUE_FLOATS.get(content[:3])
    if form is None or len(content) != 3 + struct.calcsize(form):
        return content
    (number,) = struct.unpack_from(form, content, 3)
    return float(number)


def _decode_oid_value(content: bytes) -> Oid | Absent:
    try:
        return Oid(decode_oid(content))
    except Malformed:
        return UNREADABLE


def decode_pdu(data: bytes, position: int = 0, most: int = MAX_VARBINDS) -> Pdu:
    """Return the response or report at `position`, which must be the last element of `data`.

    No more than `most` variable bindings are read: whoever answers more than was asked costs no more time.

    Raises:
        Malformed: it is none.
    """
    tag, start, end = read(data, position)
    if tag not in (RESPONSE, REPORT):
        raise Malformed(f"tag {tag:#04x} is no response")
    request_id, start = read_integer(data, start)
    status = index = 0
    if data.startswith(_NO_ERROR, start):
        start += len(_NO_ERROR)
    else:
        status, start = read_integer(data, start)
        index, start = read_integer(data, start)
    first, last = read_as(SEQUENCE, data, start)
    if last != end:
        raise Malformed("a variable binding list that does not end with its PDU")
    if last - first > _ORDINARY_BYTES:
        last = _end_of(data, first, last, most)
    try:
        names, values = _decode_varbinds(data, first, last)
    except IndexError:
        raise Malformed("a variable binding that is cut off") from None
    return Pdu(tag, request_id, status, index, names, values)


def _end_of(data: bytes, position: int, end: int, most: int) -> int:
    """Return where the last of `most` variable bindings ends, or the list."""
    for _ in range(most):
        if position >= end:
            break
        _, _, position = read(data, position)
    return min(position, end)


def _decode_varbinds(data: bytes, position: int, end: int) -> tuple[list[bytes], list[WireValue | Absent]]:
    """Decode a variable binding list: in line what `_decode_varbind` and `decode_value` do as a rule.

    This is the hot loop: the names of SNMP's tags are spelt as numbers, and lengths below 0x80 are the
    short form. Names and values come as two lists, since a tuple for each binding would cost a tenth more.
    """
    names: list[bytes] = []
    values: list[WireValue | Absent] = []
    add_name, add_value, from_bytes, longest = names.append, values.append, int.from_bytes, _LONGEST_UNSIGNED
    while position < end:
        # 0x30, its length, 0x06, its length, the name, a tag, its length, the value
        size, start = data[position + 1], position + 4
        stop, middle = start + size - 2, start + data[position + 3]
        if (
            data[position] == 0x30
            and size < 0x80
            and data[position + 2] == 0x06
            and middle < stop <= end
            and data[middle + 1] == stop - middle - 2
        ):
            name, tag, content = data[start:middle], data[middle], data[middle + 2 : stop]
        else:
            name, tag, content, stop = _decode_varbind(data, position, end)
        add_name(name)
        if tag == 0x04:
            add_value(content)
        elif 0 < len(content) <= longest[tag] or (tag == 0x02 and 0 < len(content) < 6 and content[0] < 0x80):
            add_value(from_bytes(content))
        else:
            add_value(decode_value(tag, content))
        position = stop
    return names, values


def _decode_varbind(data: bytes, position: int, end: int) -> tuple[bytes, int, bytes, int]:
    """Return name, tag and content of the variable binding at `position`, and where the next one begins."""
    start, stop = read_as(SEQUENCE, data, position)
    if stop > end:
        raise Malformed("a variable binding that ends past its list")
    start, middle = read_as(OBJECT_IDENTIFIER, data, start)
    tag, first, last = read(data, middle)
    if last != stop:
        raise Malformed("a variable binding whose lengths disagree")
    return data[start:middle], tag, data[first : min(last, first + MAX_VALUE_BYTES)], stop
