"""Protocol data units of SNMP (RFC 1157, RFC 3416): requests out, responses in."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from netvitals.collectors.snmp import ber
from netvitals.collectors.snmp.faults import Malformed
from netvitals.collectors.snmp.values import Absent, Value, decode_value

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
    """The hot loop: in line what `ber.read` does, since half of a walk's time is spent here."""
    varbinds: list[VarBind] = []
    append = varbinds.append
    while position < end:
        if data[position] != 0x30:  # noqa: PLR2004, SEQUENCE
            raise Malformed("a variable binding that is no SEQUENCE")
        size = data[position + 1]
        if size < 0x80:  # noqa: PLR2004, the short form of a length
            position += 2
            stop = position + size
        else:
            _, position, stop = ber.read(data, position)
        size = data[position + 1]
        if data[position] != 0x06 or size >= 0x80:  # noqa: PLR2004, OBJECT IDENTIFIER in the short form
            start, next_ = ber.read_as(ber.OBJECT_IDENTIFIER, data, position)
        else:
            start = position + 2
            next_ = start + size
        name = data[start:next_]
        tag = data[next_]
        size = data[next_ + 1]
        if size < 0x80:  # noqa: PLR2004, as above
            start = next_ + 2
            position = start + size
        else:
            _, start, position = ber.read(data, next_)
        if position != stop or stop > end:
            raise Malformed("a variable binding whose lengths disagree")
        append((name, decode_value(tag, data[start:position])))
    return varbinds
