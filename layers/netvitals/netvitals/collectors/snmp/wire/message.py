"""Encode and decode messages of version 3 with the user-based security model (RFC 3412, 6; RFC 3414, 2.4)."""

from typing import NamedTuple

from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.decode import read_as, read_integer, read_octets
from netvitals.collectors.snmp.wire.encode import encode_request, integer, tlv
from netvitals.collectors.snmp.wire.engines import MAX_BOOTS
from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.collectors.snmp.wire.usm import PRIV, REPORTABLE

_VERSION = b"\x02\x01\x03"
_USM = 3
_USM_MODEL = integer(_USM)
_MAX_MESSAGE = integer(65507)
"""Encoded msgMaxSize: the largest datagram of UDP over IPv4."""
_MAX_ENGINE_ID = 32


class V3Message(NamedTuple):
    """The parts of a message; `data` is the scoped PDU's element, or the ciphertext where it is encrypted."""

    id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    mac: bytes
    mac_at: int
    """Position of the digest in the datagram."""
    salt: bytes
    data: bytes


def decode(datagram: bytes) -> V3Message:
    """Return the parts of a version 3 message, nothing of which is authenticated yet.

    Raises:
        Malformed: it is none, or for another security model.
    """
    at, end = read_as(pdu.SEQUENCE, datagram, 0)
    version, at = read_integer(datagram, at)
    header, at = read_as(pdu.SEQUENCE, datagram, at)
    message_id, header = read_integer(datagram, header)
    _, header = read_integer(datagram, header)
    flags, header = read_octets(datagram, header)
    model, _ = read_integer(datagram, header)
    if version != _USM or model != _USM or len(flags) != 1:
        raise Malformed("a message of another version or security model")
    parameters, at = read_as(pdu.OCTET_STRING, datagram, at)
    usm, _ = read_as(pdu.SEQUENCE, datagram, parameters)
    engine_id, usm = read_octets(datagram, usm)
    boots, usm = read_integer(datagram, usm)
    seconds, usm = read_integer(datagram, usm)
    if not (0 <= boots <= MAX_BOOTS and 0 <= seconds <= MAX_BOOTS and len(engine_id) <= _MAX_ENGINE_ID):
        raise Malformed("an engine id, boots or time out of range")
    user, usm = read_octets(datagram, usm)
    mac_at, usm = read_as(pdu.OCTET_STRING, datagram, usm)
    salt, _ = read_octets(datagram, usm)
    if flags[0] & PRIV:
        data, _ = read_octets(datagram, at)
    else:
        data = datagram[at:end]
    return V3Message(
        message_id, flags[0], engine_id, boots, seconds, user, datagram[mac_at:usm], mac_at, salt, data
    )


def octets(content: bytes) -> bytes:
    return tlv(pdu.OCTET_STRING, content)


def parameters(engine_id: bytes, boots: int, seconds: int, user: bytes, mac: bytes, salt: bytes) -> bytes:  # noqa: PLR0917, in the order of the message
    """Encode the field msgSecurityParameters."""
    clock = integer(boots) + integer(seconds)
    return octets(tlv(pdu.SEQUENCE, octets(engine_id) + clock + octets(user) + octets(mac) + octets(salt)))


def encode(message_id: int, flags: int, security: bytes, data: bytes) -> bytes:
    """Encode a message that may be answered with a report."""
    header = integer(message_id) + _MAX_MESSAGE + octets(bytes((flags | REPORTABLE,))) + _USM_MODEL
    return tlv(pdu.SEQUENCE, _VERSION + tlv(pdu.SEQUENCE, header) + security + data)


def with_mac(datagram: bytes, mac_at: int, mac: bytes) -> bytes:
    return datagram[:mac_at] + mac + datagram[mac_at + len(mac) :]


def scoped(engine_id: bytes, context: bytes, contained: bytes) -> bytes:
    """Encode a scoped PDU."""
    return tlv(pdu.SEQUENCE, octets(engine_id) + octets(context) + contained)


def discovery(message_id: int) -> bytes:
    """Encode a request that every engine answers with a report of its id, boots and time (RFC 3414, 4)."""
    nothing = scoped(b"", b"", encode_request(pdu.GET, message_id, ()))
    return encode(message_id, 0, parameters(b"", 0, 0, b"", b"", b""), nothing)


def unscope(data: bytes) -> tuple[bytes, bytes]:
    """Return context name and PDU of a scoped PDU; octets behind it are a cipher's padding.

    An answer also names its context engine; some agents name another there than was asked for, and an
    authenticated answer is theirs all the same.

    Raises:
        Malformed: it is none.
    """
    at, end = read_as(pdu.SEQUENCE, data, 0)
    _, at = read_octets(data, at)
    context, at = read_octets(data, at)
    return context, data[at:end]
