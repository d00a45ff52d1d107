"""Protocol data units of SNMP (RFC 1157, RFC 3416): requests out, responses in."""

# ruff: noqa: PLR2004, _decode_varbinds says why

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from netvitals.collectors.snmp.wire import ber
from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.collectors.snmp.wire.values import UNSIGNED, Absent, Value, decode_value

GET = 0xA0
GET_NEXT = 0xA1
RESPONSE = 0xA2
GET_BULK = 0xA5
REPORT = 0xA8

TOO_BIG = 1
NO_SUCH_NAME = 2
GEN_ERR = 5
NO_ACCESS = 6
AUTHORIZATION_ERROR = 16
ERROR_NAMES = dict(
    enumerate(
        (
            *("noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType"),
            *("wrongLength", "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue"),
            *("resourceUnavailable", "commitFailed", "undoFailed", "authorizationError", "notWritable"),
            "inconsistentName",
        )
    )
)
"""RFC 3416, 3: the error-status of a response."""

type VarBind = tuple[bytes, Value | Absent]
"""The content octets of a name, and its value."""


class Pdu(NamedTuple):
    tag: int
    request_id: int
    error_status: int
    error_index: int
    varbinds: list[VarBind]


@lru_cache(maxsize=1024)
def _null_varbind(name: bytes) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, name) + b"\x05\x00")


@lru_cache(maxsize=256)
def _null_varbinds(names: tuple[bytes, ...]) -> bytes:
    return ber.tlv(ber.SEQUENCE, b"".join(map(_null_varbind, names)))


def encode_request(tag: int, request_id: int, names: Sequence[bytes], repetitions: int = 0) -> bytes:
    """A GET, GETNEXT or GETBULK of these names (content octets); repetitions are GETBULK's only."""
    bulk = ber.integer(repetitions) if tag == GET_BULK else b"\x02\x01\x00"
    return ber.tlv(tag, ber.integer(request_id) + b"\x02\x01\x00" + bulk + _null_varbinds(tuple(names)))


def decode_pdu(data: bytes, position: int = 0) -> Pdu:
    """The response or report at `position`, which must be the last element of `data`.

    Raises:
        Malformed: it is none.
    """
    tag, start, end = ber.read(data, position)
    if tag not in (RESPONSE, REPORT):
        raise Malformed(f"tag {tag:#04x} is no response")
    request_id, start = ber.read_integer(data, start)
    status, start = ber.read_integer(data, start)
    index, start = ber.read_integer(data, start)
    first, last = ber.read_as(ber.SEQUENCE, data, start)
    if last != end:
        raise Malformed("a variable binding list that does not end with its PDU")
    try:
        return Pdu(tag, request_id, status, index, _decode_varbinds(data, first, last))
    except IndexError:
        raise Malformed("a variable binding that is cut off") from None


def _decode_varbinds(data: bytes, position: int, end: int) -> list[VarBind]:
    """The hot loop: in line what `ber.read` and `decode_value` do in the usual cases.

    The names of SNMP's tags are spelt as numbers, and lengths below 0x80 are the short form.
    """
    varbinds: list[VarBind] = []
    append, from_bytes = varbinds.append, int.from_bytes
    while position < end:
        size = data[position + 1]
        start = position + 2
        if size < 0x80:
            stop = start + size
        else:
            _, start, stop = ber.read(data, position)
        if data[position] != 0x30 or stop > end:
            raise Malformed("a variable binding that is no SEQUENCE within its list")
        size = data[start + 1]
        if data[start] == 0x06 and size < 0x80:
            start += 2
            position = start + size
        else:
            start, position = ber.read_as(ber.OBJECT_IDENTIFIER, data, start)
        name = data[start:position]
        tag, size = data[position], data[position + 1]
        start = position + 2
        if size < 0x80:
            position = start + size
        else:
            _, start, position = ber.read(data, position)
        if position != stop:
            raise Malformed("a variable binding whose lengths disagree")
        content = data[start:position]
        if tag == 0x04:
            append((name, content))
        elif 0 < size < 6 and (tag in UNSIGNED or (tag == 0x02 and content[0] < 0x80)):
            append((name, from_bytes(content)))
        else:
            append((name, decode_value(tag, content)))
    return varbinds
