"""Messages of version 3 with the user-based security model, as octets (RFC 3412, 6; RFC 3414, 2.4)."""

from typing import NamedTuple

from netvitals.collectors.snmp.wire import ber, pdu
from netvitals.collectors.snmp.wire.engines import MAX_BOOTS
from netvitals.collectors.snmp.wire.faults import Malformed
from netvitals.collectors.snmp.wire.usm import PRIV, REPORTABLE

_VERSION = b"\x02\x01\x03"
_USM = 3
_USM_MODEL = ber.integer(_USM)
_MAX_MESSAGE = ber.integer(65507)
"""msgMaxSize: the largest datagram of UDP over IPv4."""
_MAX_ENGINE_ID = 32


class Message(NamedTuple):
    """A message's parts; `data` is the scoped PDU's element, or the ciphertext where it is encrypted."""

    id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    mac: bytes
    mac_at: int
    """Where the digest stands in the datagram."""
    salt: bytes
    data: bytes


def decode(datagram: bytes) -> Message:
    """The parts of a version 3 message, nothing of which is authenticated yet.

    Raises:
        Malformed: it is none, or for another security model.
    """
    at, end = ber.read_as(ber.SEQUENCE, datagram, 0)
    version, at = ber.read_integer(datagram, at)
    header, at = ber.read_as(ber.SEQUENCE, datagram, at)
    message_id, header = ber.read_integer(datagram, header)
    _, header = ber.read_integer(datagram, header)
    flags, header = ber.read_octets(datagram, header)
    model, _ = ber.read_integer(datagram, header)
    if version != _USM or model != _USM or len(flags) != 1:
        raise Malformed("a message of another version or security model")
    parameters, at = ber.read_as(ber.OCTET_STRING, datagram, at)
    usm, _ = ber.read_as(ber.SEQUENCE, datagram, parameters)
    engine_id, usm = ber.read_octets(datagram, usm)
    boots, usm = ber.read_integer(datagram, usm)
    seconds, usm = ber.read_integer(datagram, usm)
    if not (0 <= boots <= MAX_BOOTS and 0 <= seconds <= MAX_BOOTS and len(engine_id) <= _MAX_ENGINE_ID):
        raise Malformed("an engine id, boots or time out of range")
    user, usm = ber.read_octets(datagram, usm)
    mac_at, usm = ber.read_as(ber.OCTET_STRING, datagram, usm)
    salt, _ = ber.read_octets(datagram, usm)
    if flags[0] & PRIV:
        data, _ = ber.read_octets(datagram, at)
    else:
        data = datagram[at:end]
    return Message(
        message_id, flags[0], engine_id, boots, seconds, user, datagram[mac_at:usm], mac_at, salt, data
    )


def octets(content: bytes) -> bytes:
    return ber.tlv(ber.OCTET_STRING, content)


def parameters(engine_id: bytes, boots: int, seconds: int, user: bytes, mac: bytes, salt: bytes) -> bytes:  # noqa: PLR0917, as they follow
    """The field msgSecurityParameters."""
    clock = ber.integer(boots) + ber.integer(seconds)
    return octets(
        ber.tlv(ber.SEQUENCE, octets(engine_id) + clock + octets(user) + octets(mac) + octets(salt))
    )


def encode(message_id: int, flags: int, security: bytes, data: bytes) -> bytes:
    """A message that may be answered with a report."""
    header = ber.integer(message_id) + _MAX_MESSAGE + octets(bytes((flags | REPORTABLE,))) + _USM_MODEL
    return ber.tlv(ber.SEQUENCE, _VERSION + ber.tlv(ber.SEQUENCE, header) + security + data)


def with_mac(datagram: bytes, mac_at: int, mac: bytes) -> bytes:
    return datagram[:mac_at] + mac + datagram[mac_at + len(mac) :]


def scoped(engine_id: bytes, context: bytes, contained: bytes) -> bytes:
    """A scoped PDU."""
    return ber.tlv(ber.SEQUENCE, octets(engine_id) + octets(context) + contained)


def discovery(message_id: int) -> bytes:
    """A request that every engine answers with a report of its id, boots and time (RFC 3414, 4)."""
    nothing = scoped(b"", b"", pdu.encode_request(pdu.GET, message_id, ()))
    return encode(message_id, 0, parameters(b"", 0, 0, b"", b"", b""), nothing)


def unscope(data: bytes) -> tuple[bytes, bytes]:
    """Context name and PDU of a scoped PDU; what stands behind it is a cipher's padding.

    An answer also names its context engine; some agents name another there than was asked for, and an
    authenticated answer is theirs all the same.

    Raises:
        Malformed: it is none.
    """
    at, end = ber.read_as(ber.SEQUENCE, data, 0)
    _, at = ber.read_octets(data, at)
    context, at = ber.read_octets(data, at)
    return context, data[at:end]
