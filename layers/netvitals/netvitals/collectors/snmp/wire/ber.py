"""The part of BER (ITU-T X.690) that SNMP uses. Every byte that is read here may be hostile.

Lengths are definite and at most four octets long; a length that is not minimal is accepted, since agents
send such. Nothing recurses and nothing is allocated from a claimed length, so a false length costs nothing.
"""

from functools import lru_cache

from netvitals.collectors.snmp.wire.faults import Malformed

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30

_LONG_FORM = 0x80
_MAX_LENGTH_OCTETS = 4
_MAX_SUB_IDENTIFIER = 0xFFFFFFFF
_MAX_SUB_IDENTIFIERS = 128
"""RFC 3416, 2: an object identifier has at most 128 sub-identifiers of at most 2**32 - 1."""
_MAX_INTEGER_OCTETS = 9
"""Counter64 with its leading zero, the longest integer of SNMP."""
_FOUR_OCTETS = b"\x02\x04"
"""How the ids begin that we give requests: worth a short cut."""


def length(count: int) -> bytes:
    """The shortest length octets for a content of `count` octets."""
    if count < _LONG_FORM:
        return bytes((count,))
    octets = count.to_bytes((count.bit_length() + 7) // 8)
    return bytes((_LONG_FORM | len(octets),)) + octets


def tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length(len(content)) + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """An INTEGER, or another integer type by its tag, in the fewest octets."""
    return tlv(tag, value.to_bytes(((value if value >= 0 else ~value).bit_length() // 8) + 1, signed=True))


def read(data: bytes, position: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the element at `position`.

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
    """Start and end of the content of the element at `position`, which must have this tag.

    Raises:
        Malformed: it has another tag, or does not lie wholly within `data`.
    """
    found, start, end = read(data, position)
    if found != tag:
        raise Malformed(f"tag {found:#04x} where {tag:#04x} belongs")
    return start, end


def read_integer(data: bytes, position: int) -> tuple[int, int]:
    """The INTEGER at `position`, and where the next element begins.

    Raises:
        Malformed: it is no INTEGER, or longer than any of SNMP's.
    """
    if data[position : position + 2] == _FOUR_OCTETS and position + 6 <= len(data):
        return int.from_bytes(data[position + 2 : position + 6], signed=True), position + 6
    start, end = read_as(INTEGER, data, position)
    if not 1 <= end - start <= _MAX_INTEGER_OCTETS:
        raise Malformed("an integer that is empty or oversized")
    return int.from_bytes(data[start:end], signed=True), end


def read_octets(data: bytes, position: int) -> tuple[bytes, int]:
    """The OCTET STRING at `position`, and where the next element begins.

    Raises:
        Malformed: it is no OCTET STRING.
    """
    start, end = read_as(OCTET_STRING, data, position)
    return data[start:end], end


def _sub_identifier(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(value & 0x7F | 0x80)
    return bytes(reversed(octets))


@lru_cache(maxsize=8192)
def encode_oid(oid: str) -> bytes:
    """The content octets of a dotted object identifier without a leading dot.

    Raises:
        ValueError: it is none.
    """
    try:
        first, second, *rest = map(int, oid.split("."))
    except ValueError:
        raise ValueError(f"{oid!r} is no object identifier, such as '1.3.6.1.2.1.1.3.0'") from None
    numbers = [first * 40 + second, *rest]
    if not (0 <= first <= 2 and second >= 0 and (first == 2 or second < 40)) or not all(  # noqa: PLR2004, X.690, 8.19.4
        0 <= number <= _MAX_SUB_IDENTIFIER for number in numbers
    ):
        raise ValueError(f"{oid!r} is no object identifier: a number is out of range")
    return b"".join(map(_sub_identifier, numbers))


@lru_cache(maxsize=32768)
def decode_index(octets: bytes) -> str:
    """The dotted form of whole sub-identifiers, such as the index part behind a column.

    Raises:
        Malformed: the last one is cut off, or one is over 32 bits, or there are too many.
    """
    numbers: list[int] = []
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
        if value > _MAX_SUB_IDENTIFIER or (octet == 0x80 and not value):  # noqa: PLR2004, X.690, 8.19.2: no padding
            raise Malformed("a sub-identifier that is padded or over 32 bits")
        if octet < 0x80:  # noqa: PLR2004, the last octet of a sub-identifier has bit 8 clear
            numbers.append(value)
            value = 0
    if (octets and octets[-1] >= 0x80) or len(numbers) > _MAX_SUB_IDENTIFIERS:  # noqa: PLR2004, as above
        raise Malformed("an object identifier that is cut off or overlong")
    return ".".join(map(str, numbers))


def decode_oid(octets: bytes) -> str:
    """The dotted form of the content octets of an object identifier.

    Raises:
        Malformed: they are none.
    """
    head, _, tail = decode_index(octets).partition(".")
    if not head:
        return ""
    first = min(int(head) // 40, 2)
    start = f"{first}.{int(head) - 40 * first}"
    return f"{start}.{tail}" if tail else start
