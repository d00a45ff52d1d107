"""An SNMP agent of v1 and v2c that does as the RFCs say; misbehaviour is for subclasses."""

from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import NamedTuple

from local.devices.snmp_mib import Mib, Object, encode_varbind
from netvitals.collectors.snmp.wire.decode import read, read_as, read_integer, read_octets
from netvitals.collectors.snmp.wire.encode import integer, tlv
from netvitals.collectors.snmp.wire.faults import Malformed

GET, GET_NEXT, RESPONSE, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA5
TOO_BIG, NO_SUCH_NAME, GEN_ERR = 1, 2, 5
NO_SUCH_OBJECT, END_OF_MIB_VIEW = b"\x80\x00", b"\x82\x00"
V1, V2C = 0, 1
_FRAME_BYTES = 60
"""What version, community, and the PDU's head take of a message, generously."""


class Query(NamedTuple):
    """A request as it came in."""

    version: int
    community: bytes
    tag: int
    request_id: int
    first: int
    """Non-repeaters, in a GETBULK."""
    second: int
    """Max-repetitions, in a GETBULK."""
    names: list[bytes]


def parse_query(datagram: bytes) -> Query:
    """Return the request in a datagram.

    Raises:
        Malformed: there is none of v1 or v2c.
    """
    position, _ = read_as(0x30, datagram, 0)
    version, position = read_integer(datagram, position)
    community, position = read_octets(datagram, position)
    tag, position, _ = read(datagram, position)
    request_id, position = read_integer(datagram, position)
    first, position = read_integer(datagram, position)
    second, position = read_integer(datagram, position)
    position, end = read_as(0x30, datagram, position)
    names = []
    while position < end:
        inner, position_after = read_as(0x30, datagram, position)
        start, stop = read_as(0x06, datagram, inner)
        names.append(datagram[start:stop])
        position = position_after
    return Query(version, community, tag, request_id, first, second, names)


class Refusal(Exception):
    """An error-status and error-index instead of an answer."""


class Agent:
    """One simulated device.

    `delay` is the time in seconds an answer takes, the round trip included; of `loss` (0 to 1) of the
    requests nothing comes back; no answer is longer than `max_bytes`; another
    community, or a version that is not in `versions`, is met with silence.
    """

    def __init__(
        self,
        objects: Mapping[str, Object] | Mib,
        *,
        community: str = "public",
        versions: Iterable[int] = (V1, V2C),
        delay: float = 0.0,
        loss: float = 0.0,
        max_bytes: int = 65_507,
    ) -> None:
        self.mib = objects if isinstance(objects, Mib) else Mib(objects)
        self.community = community.encode()
        self.versions = frozenset(versions)
        self.delay = delay
        self.loss = loss
        self.max_bytes = max_bytes
        self.answers_from: str | None = None
        """Another loopback address to answer from, where that is the device's fault."""
        self.stream: Iterator[bytes] | None = None
        """What it sends besides to whoever asked last, from a thread of its own."""
        self.requests = 0
        self._random = Random(1)  # noqa: S311, the same loss in every run

    def receive(self, datagram: bytes) -> list[bytes]:
        """Return the datagrams that the device sends when this one has arrived."""
        try:
            query = parse_query(datagram)
        except Malformed:
            return []
        self.requests += 1
        if query.community != self.community or query.version not in self.versions:
            return []
        if self.loss and self._random.random() < self.loss:
            return []
        return self.reply(query)

    def reply(self, query: Query) -> list[bytes]:
        try:
            answer = self.response(query, self.varbinds(query))
        except Refusal as refusal:
            return [self.refuse(query, *refusal.args)]
        return [answer if len(answer) <= self.max_bytes else self.refuse(query, TOO_BIG, 0)]

    def refuse(self, query: Query, status: int, index: int) -> bytes:
        echoed = [encode_varbind(name, b"\x05\x00") for name in query.names]
        return self.response(query, echoed, status, index)

    def response(self, query: Query, varbinds: Iterable[bytes], status: int = 0, index: int = 0) -> bytes:
        body = b"".join(
            (integer(query.request_id), integer(status), integer(index), tlv(0x30, b"".join(varbinds)))
        )
        return tlv(0x30, integer(query.version) + tlv(0x04, query.community) + tlv(RESPONSE, body))

    def varbinds(self, query: Query) -> list[bytes]:
        if query.tag == GET:
            return [self.get(query, name, index) for index, name in enumerate(query.names, 1)]
        if query.tag == GET_NEXT:
            return [self.next(query, name, index)[1] for index, name in enumerate(query.names, 1)]
        if query.tag == GET_BULK and query.version != V1:
            return self.bulk(query)
        raise Refusal(GEN_ERR, 0)

    def get(self, query: Query, name: bytes, index: int) -> bytes:
        position = self.mib.find(name)
        if position is not None:
            return self.mib.varbind(position)
        if query.version == V1:
            raise Refusal(NO_SUCH_NAME, index)
        return encode_varbind(name, NO_SUCH_OBJECT)

    def next(self, query: Query, name: bytes, index: int) -> tuple[bytes, bytes]:
        """Return the name behind this one, and its variable binding."""
        position = self.successor(name)
        if position is not None:
            return self.mib.names[position], self.mib.varbind(position)
        if query.version == V1:
            raise Refusal(NO_SUCH_NAME, index)
        return name, encode_varbind(name, END_OF_MIB_VIEW)

    def successor(self, name: bytes) -> int | None:
        return self.mib.after(name)

    def bulk(self, query: Query) -> list[bytes]:
        """RFC 3416, 4.2.3: rows until they are as many as asked for, or the message is full."""
        single, cursors = query.names[: query.first], query.names[query.first :]
        varbinds = [self.next(query, name, index)[1] for index, name in enumerate(single, 1)]
        left = self.max_bytes - _FRAME_BYTES - sum(map(len, varbinds))
        for _ in range(query.second):
            for column, name in enumerate(cursors):
                cursors[column], varbind = self.next(query, name, query.first + column + 1)
                left -= len(varbind)
                if left < 0:
                    return varbinds
                varbinds.append(varbind)
        return varbinds
