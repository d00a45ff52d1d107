"""Encode requests in the part of BER (ITU-T X.690) that SNMP uses."""

from collections.abc import Sequence
from functools import lru_cache

from netvitals.collectors.snmp.wire.pdu import GET_BULK, INTEGER, OBJECT_IDENTIFIER, SEQUENCE

_ID_OCTETS = 4
_KEPT_OCTETS = 2000
"""Octets of an encoded request that is kept: many devices are asked the same, but a walk's names may be
long."""
_LONG_FORM = 0x80
_MAX_SUB_IDENTIFIER = 0xFFFFFFFF


def length(count: int) -> bytes:
    """Return the shortest length octets for a content of `count` octets."""
    if count < _LONG_FORM:
        return bytes((count,))
    octets = count.to_bytes((count.bit_length() + 7) // 8)
    return bytes((_LONG_FORM | len(octets),)) + octets


def tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length(len(content)) + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Encode an INTEGER, or another integer type by its tag, in the fewest octets."""
    return tlv(tag, value.to_bytes(((value if value >= 0 else ~value).bit_length() // 8) + 1, signed=True))


def _sub_identifier(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(value & 0x7F | 0x80)
    return bytes(reversed(octets))


@lru_cache(maxsize=8192)
def encode_oid(oid: str) -> bytes:
    """Return the content octets of a dotted object identifier without a leading dot.

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


def _null_varbind(name: bytes) -> bytes:
    return tlv(SEQUENCE, tlv(OBJECT_IDENTIFIER, name) + b"\x05\x00")


class LongNames(Exception):
    """Raised for names that are longer than those that are kept."""


@lru_cache(maxsize=512)
def _kept_frame(tag: int, names: tuple[bytes, ...], repetitions: int) -> tuple[bytes, bytes]:
    before, after = _frame(tag, names, repetitions)
    if len(after) > _KEPT_OCTETS:
        raise LongNames
    return before, after


def _frame(tag: int, names: tuple[bytes, ...], repetitions: int) -> tuple[bytes, bytes]:
    """Return the octets before and behind the four octets of a request's id."""
    bulk = integer(repetitions) if tag == GET_BULK else b"\x02\x01\x00"
    varbinds = tlv(SEQUENCE, b"".join(map(_null_varbind, names)))
    after = b"\x02\x01\x00" + bulk + varbinds
    identifier = bytes((INTEGER, _ID_OCTETS))
    size = len(identifier) + _ID_OCTETS + len(after)
    return bytes((tag,)) + length(size) + identifier, after


def encode_request(tag: int, request_id: int, names: Sequence[bytes], repetitions: int = 0) -> bytes:
    """Encode a GET, GETNEXT or GETBULK of these names (content octets); repetitions are GETBULK's only.

    The id takes four octets, however small it is: many devices are asked the same, under other ids.
    """
    try:
        before, after = _kept_frame(tag, tuple(names), repetitions)
    except LongNames:
        before, after = _frame(tag, tuple(names), repetitions)
    return before + request_id.to_bytes(_ID_OCTETS) + after
