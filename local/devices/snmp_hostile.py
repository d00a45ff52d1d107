"""SNMP devices that mean harm, each as fast as one process can, by kind.

regex      a table of thousand-digit texts, for a profile that searches them with an expression
fat        tables without end of values of 60 KB
longindex  tables without end whose indexes are as long as the RFC allows
table      tables without end of small values
overfull   thousands of objects in answer to a request for a few
malformed  256 datagrams of 60 KB to a request that are cut off within
malstream  the same without end, under the request's id, for two seconds after each request
flood      datagrams that nobody has asked for, without end
rename     4,000 interfaces with other names at each poll
absurd     infinities, numbers of 400 digits, and sizes below zero
"""

import time
from itertools import count, repeat, takewhile

from local.devices.snmp_agent import END_OF_MIB_VIEW, GET, Agent, Query
from local.devices.snmp_devices import system
from local.devices.snmp_mib import encode_varbind
from netvitals.collectors.snmp.wire.encode import encode_oid, integer, tlv

KINDS = (
    *("regex", "fat", "longindex", "table", "overfull", "rename", "absurd"),
    *("malformed", "malstream", "flood"),
)
FLOOD_SECONDS = 2.0
DESCR, UPTIME = map(encode_oid, ("1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.3.0"))
QNAP, QNAP_TEXTS = "1.3.6.1.4.1.24681.9", encode_oid("1.3.6.1.4.1.24681.1.2.11.1.3")
IF_NAME = encode_oid("1.3.6.1.2.1.31.1.1.1.1")
_FIRST_ROW = 1 << 21
"""Rows are numbers of four octets, so that a cursor tells its column."""
_DATAGRAM_BYTES = 60_000

ABSURD = (
    *(b"\x44\x07\x9f\x78\x04\x7f\x80\x00\x00", b"\x44\x07\x9f\x78\x04\x7f\xc0\x00\x00"),
    *(tlv(0x04, b"9" * 400), integer(-(2**31)), b"\x46\x09\x00" + b"\xff" * 8, tlv(0x04, b"1e400")),
)


class Hostile(Agent):
    """Answers as its kind does."""

    def __init__(self, kind: str) -> None:
        object_id = QNAP if kind == "regex" else "1.3.6.1.4.1.8072.3.2.10"
        super().__init__(system("hostile", object_id), max_bytes=_DATAGRAM_BYTES)
        self.kind = kind
        self.serial = count(1 << 28)
        self.polls = 0
        self.streams_until = 0.0
        self.columns: dict[bytes, bytes] = {}

    def reply(self, query: Query) -> list[bytes]:
        streamed, now = self._streamed(query), time.monotonic()
        if streamed and now > self.streams_until:
            self.streams_until = now + FLOOD_SECONDS
            self.stream = takewhile(lambda _: time.monotonic() < self.streams_until, repeat(streamed))
        if query.tag == GET and not self._spoils(query):
            self.polls += UPTIME in query.names
            return super().reply(query)
        match self.kind:
            case "malformed":
                return [self.malformed(query)] * 256
            case "malstream":
                return []  # what it answers is its stream
            case "flood":
                return [self.response(query, (encode_varbind(name, END_OF_MIB_VIEW) for name in query.names))]
            case "overfull":
                return [self.overfull(query)]
        return super().reply(query)

    def _spoils(self, query: Query) -> bool:
        """Return whether not even a status poll, which asks for no description, gets an answer."""
        return self.kind in ("malformed", "malstream") and DESCR not in query.names

    def _streamed(self, query: Query) -> bytes | None:
        """Return what is sent on and on after this request."""
        if self.kind == "malstream" and (query.tag != GET or self._spoils(query)):
            return self.malformed(query)
        return b"\x30" * 40 if self.kind == "flood" and query.tag != GET else None

    def malformed(self, query: Query) -> bytes:
        one = encode_varbind(query.names[0] + b"\x01", b"\x05\x00")
        return self.response(query, [one * (_DATAGRAM_BYTES // len(one)), b"\x30\x7f"])

    def overfull(self, query: Query) -> bytes:
        rows = (query.names[0] + _sub_identifier(next(self.serial)) for _ in range(2500))
        return self.response(query, (encode_varbind(row, integer(1)) for row in rows))

    def next(self, query: Query, name: bytes, index: int) -> tuple[bytes, bytes]:
        del query, index
        if self.kind == "longindex":
            return self._next_long(name)
        column, row = _split(name)
        following = column + _sub_identifier(row + 1)
        value = self.value(following, row - _FIRST_ROW)
        if value is None:
            return name, encode_varbind(name, END_OF_MIB_VIEW)
        return following, encode_varbind(following, value)

    def value(self, name: bytes, row: int) -> bytes | None:
        """Return what a column holds in this row; None behind its end."""
        match self.kind:
            case "regex" if name.startswith(QNAP_TEXTS):
                return tlv(0x04, b"1" * 1024)
            case "fat":
                return tlv(0x04, b"x" * 59_000)
            case "table":
                return tlv(0x41, (row & 0x7FFF).to_bytes(2))
            case "absurd" if row < 40:
                return ABSURD[row % len(ABSURD)]
            case "rename" if row < 4000:
                return tlv(0x04, f"if{self.polls}-{row}".encode()) if name.startswith(IF_NAME) else integer(1)
        return None

    def _next_long(self, name: bytes) -> tuple[bytes, bytes]:
        column = self.columns.get(name, name)
        row = column + _sub_identifier(next(self.serial)) + b"\x8f\xff\xff\xff\x7f" * 110
        self.columns[row] = column
        return row, encode_varbind(row, b"\x41\x01\x01")


def _split(name: bytes) -> tuple[bytes, int]:
    """A cursor's column and row: the row has four octets, all but the last with the high bit."""
    tail = name[-4:]
    if len(name) > 8 and tail[3] < 0x80 and all(octet >= 0x80 for octet in tail[:3]):
        row = 0
        for octet in tail:
            row = row << 7 | octet & 0x7F
        return name[:-4], row
    return name, _FIRST_ROW


def _sub_identifier(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(value & 0x7F | 0x80)
    return bytes(reversed(octets))
