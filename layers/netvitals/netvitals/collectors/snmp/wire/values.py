"""The values of SNMP as Python values."""

import struct
from typing import Final

from netvitals.collectors.snmp.wire import ber
from netvitals.collectors.snmp.wire.faults import Malformed


class Oid(str):
    """A value of type OBJECT IDENTIFIER, dotted, without a leading dot."""

    __slots__ = ()


class IPv4(str):
    """A value of type IpAddress, dotted."""

    __slots__ = ()


class Absent:
    """What stands in a variable binding instead of a value; never handed to callers of a session."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


type Value = int | float | bytes | Oid | IPv4 | None

NO_SUCH_OBJECT: Final = Absent("noSuchObject")
NO_SUCH_INSTANCE: Final = Absent("noSuchInstance")
END_OF_MIB_VIEW: Final = Absent("endOfMibView")
UNREADABLE: Final = Absent("unreadable")
"""A value of an unknown type, or with content that its type does not allow: costs this value only."""

IP_ADDRESS = 0x40
COUNTER32 = 0x41
GAUGE32 = 0x42
TIME_TICKS = 0x43
OPAQUE = 0x44
NSAP_ADDRESS = 0x45
COUNTER64 = 0x46
UINTEGER32 = 0x47

UNSIGNED = frozenset((COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, UINTEGER32))
_OTHERS = {0x80: NO_SUCH_OBJECT, 0x81: NO_SUCH_INSTANCE, 0x82: END_OF_MIB_VIEW}
_OPAQUE_FLOATS = {b"\x9f\x78\x04": ">f", b"\x9f\x79\x08": ">d"}
"""draft-perkins-opaque-01: a tag of two octets and a length, wrapped in an Opaque."""


def _opaque(content: bytes) -> float | bytes:
    form = _OPAQUE_FLOATS.get(content[:3])
    if form is None or len(content) != 3 + struct.calcsize(form):
        return content
    (number,) = struct.unpack_from(form, content, 3)
    return float(number)


def _oid(content: bytes) -> Oid | Absent:
    try:
        return Oid(ber.decode_oid(content))
    except Malformed:
        return UNREADABLE


def decode_value(tag: int, content: bytes) -> Value | Absent:  # noqa: PLR0911, one way out per type
    """The value of this type; what is wrong with it costs only itself, so nothing is raised.

    A Counter32 that an agent encodes without its leading zero octet is read as the unsigned number it is.
    """
    if tag in UNSIGNED or tag == ber.INTEGER:
        size = len(content)
        if not 1 <= size <= (9 if tag == COUNTER64 else 5):
            return UNREADABLE
        return int.from_bytes(content, signed=tag == ber.INTEGER)
    if tag in (ber.OCTET_STRING, NSAP_ADDRESS):
        return content
    if tag == ber.OBJECT_IDENTIFIER:
        return _oid(content)
    if tag == IP_ADDRESS:
        return IPv4(".".join(map(str, content))) if len(content) == 4 else UNREADABLE  # noqa: PLR2004, octets of IPv4
    if tag == ber.NULL:
        return None
    if tag == OPAQUE:
        return _opaque(content)
    return _OTHERS.get(tag, UNREADABLE)
