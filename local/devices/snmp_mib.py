"""The objects of a simulated agent by OID, kept as the variable bindings that it sends."""

import struct
from bisect import bisect_right
from collections.abc import Callable, Mapping

from netvitals.collectors.snmp.wire.encode import encode_oid, integer, tlv


class Counter32(int):
    tag = 0x41


class Gauge32(int):
    tag = 0x42


class TimeTicks(int):
    tag = 0x43


class Counter64(int):
    tag = 0x46


class ObjectId(str):
    __slots__ = ()


class IpAddress(str):
    __slots__ = ()


class Raw(bytes):
    """Tag, length and content as they go on the wire: for what no encoder would write."""


type Value = (
    int | float | str | bytes | Counter32 | Gauge32 | TimeTicks | Counter64 | ObjectId | IpAddress | Raw
)
type Object = Value | Callable[[], Value]
"""A callable is asked whenever the object is read, such as for a counter that counts."""


def encode_value(value: Value) -> bytes:  # noqa: PLR0911, one way out per type
    """An int is an INTEGER and a str or bytes an OCTET STRING, unless their class says otherwise."""
    match value:
        case Raw():
            return bytes(value)
        case ObjectId():
            return tlv(0x06, encode_oid(value))
        case IpAddress():
            return tlv(0x40, bytes(map(int, value.split("."))))
        case float():
            return tlv(0x44, b"\x9f\x78\x04" + struct.pack(">f", value))
        case int():
            return integer(value, getattr(value, "tag", 0x02))
        case str():
            return tlv(0x04, value.encode())
        case _:
            return tlv(0x04, value)


def encode_varbind(name: bytes, value: bytes) -> bytes:
    return tlv(0x30, tlv(0x06, name) + value)


def sub_identifiers(name: bytes) -> tuple[int, ...]:
    """The numbers that a name's octets stand for, in the order of which agents walk."""
    numbers, value = [], 0
    for octet in name:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            numbers.append(value)
            value = 0
    return tuple(numbers)


class Mib:
    """Objects in the order of their names."""

    def __init__(self, objects: Mapping[str, Object]) -> None:
        named = {encode_oid(oid): value for oid, value in objects.items()}
        self.names = sorted(named, key=sub_identifiers)
        self._keys = list(map(sub_identifiers, self.names))
        self._position = {name: position for position, name in enumerate(self.names)}
        self._varbinds = [self._prepared(name, named[name]) for name in self.names]

    @staticmethod
    def _prepared(name: bytes, value: Object) -> bytes | Callable[[], Value]:
        return value if callable(value) else encode_varbind(name, encode_value(value))

    def find(self, name: bytes) -> int | None:
        return self._position.get(name)

    def after(self, name: bytes) -> int | None:
        """The position of the first object behind this name; None at the end."""
        known = self._position.get(name)
        position = known + 1 if known is not None else bisect_right(self._keys, sub_identifiers(name))
        return position if position < len(self.names) else None

    def varbind(self, position: int) -> bytes:
        varbind = self._varbinds[position]
        return (
            varbind
            if isinstance(varbind, bytes)
            else encode_varbind(self.names[position], encode_value(varbind()))
        )
