"""One SNMP device that means harm among healthy ones, in a process of its own.

    python -m local.devices.snmp_hostile KIND HOSTILE HEALTHY…

HOSTILE (several with commas) and HEALTHY are loopback addresses; the port is printed when all of them listen.
A healthy device is a switch of eight ports. The hostile one answers as fast as one process can, by KIND:

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

`chassis` stands there, too, and means no harm: it has 2,000 interfaces.
"""

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count, islice

from local.devices.snmp_agent import END_OF_MIB_VIEW, GET, GET_BULK, Agent, Query, parse_query
from local.devices.snmp_devices import interfaces, system
from local.devices.snmp_mib import Mib, encode_varbind
from netvitals.collectors.snmp.wire.encode import encode_oid, integer, tlv
from netvitals.collectors.snmp.wire.faults import Malformed

KINDS = (
    *("regex", "fat", "longindex", "table", "overfull"),
    *("malformed", "malstream", "flood", "rename", "absurd"),
)
PORTS = 8
CHASSIS_PORTS = 2000
FLOOD_SECONDS = 2.0
DESCR, UPTIME = map(encode_oid, ("1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.3.0"))
QNAP, QNAP_TEXTS = "1.3.6.1.4.1.24681.9", encode_oid("1.3.6.1.4.1.24681.1.2.11.1.3")
IF_NAME = encode_oid("1.3.6.1.2.1.31.1.1.1.1")
_FIRST_ROW = 1 << 21
"""Rows are numbers of four octets, so that a cursor tells its column."""
_DATAGRAM_BYTES = 60_000

type Value = Callable[[bytes, int], bytes]
"""A row's value, by its name and number."""


class Hostile(Agent):
    """Answers as its kind does; `streams` says what is sent on and on besides."""

    def __init__(self, kind: str) -> None:
        object_id = QNAP if kind == "regex" else "1.3.6.1.4.1.8072.3.2.10"
        super().__init__(Mib(system("hostile", object_id)))
        self.kind = kind
        self.serial = count(1 << 28)
        self.polls = 0
        self.streams_until = 0.0
        self.columns: dict[bytes, bytes] = {}

    def reply(self, query: Query) -> list[bytes]:
        if query.tag == GET and not self._spoils(query):
            self.polls += UPTIME in query.names
            return super().reply(query)
        return getattr(self, f"answers_{self.kind}")(query)  # type: ignore[no-any-return]  # by KIND

    def _spoils(self, query: Query) -> bool:
        """Return whether not even a status poll, which asks for no description, gets an answer."""
        return self.kind in ("malformed", "malstream") and DESCR not in query.names

    def stream(self, query: Query) -> bytes | None:
        if self.kind == "malstream" and (query.tag != GET or self._spoils(query)):
            return self.malformed(query)
        return b"\x30" * 40 if self.kind == "flood" and query.tag != GET else None

    def answers_regex(self, query: Query) -> list[bytes]:
        def value(name: bytes, _: int) -> bytes:
            return tlv(0x04, b"1" * 1024) if name.startswith(QNAP_TEXTS) else END_OF_MIB_VIEW

        return [self.full(query, value)]

    def answers_fat(self, query: Query) -> list[bytes]:
        return [self.full(query, lambda _name, _row: tlv(0x04, b"x" * 59_000))]

    def answers_table(self, query: Query) -> list[bytes]:
        return [self.full(query, lambda _, row: tlv(0x41, (row & 0x7FFF).to_bytes(2)))]

    def answers_absurd(self, query: Query) -> list[bytes]:
        values = (
            *(b"\x44\x07\x9f\x78\x04\x7f\x80\x00\x00", b"\x44\x07\x9f\x78\x04\x7f\xc0\x00\x00"),
            *(tlv(0x04, b"9" * 400), integer(-(2**31)), b"\x46\x09\x00" + b"\xff" * 8, tlv(0x04, b"1e400")),
        )
        return [self.full(query, lambda _, row: values[row % len(values)], rows=40)]

    def answers_rename(self, query: Query) -> list[bytes]:
        def value(name: bytes, row: int) -> bytes:
            if name.startswith(IF_NAME):
                return tlv(0x04, f"if{self.polls}-{row}".encode())
            return integer(1)

        return [self.full(query, value, rows=4000)]

    def answers_longindex(self, query: Query) -> list[bytes]:
        varbinds: list[bytes] = []
        size = 0
        for _ in range(query.second if query.tag == GET_BULK else 1):
            for name in query.names:
                column = self.columns.get(name, name)
                row = column + _sub_identifier(next(self.serial)) + b"\x8f\xff\xff\xff\x7f" * 110
                self.columns[row] = column
                varbinds.append(encode_varbind(row, b"\x41\x01\x01"))
                size += len(varbinds[-1])
                if size > _DATAGRAM_BYTES:
                    return [self.response(query, varbinds)]
        return [self.response(query, varbinds)]

    def answers_overfull(self, query: Query) -> list[bytes]:
        rows = (
            encode_varbind(query.names[0] + _sub_identifier(next(self.serial)), integer(1)) for _ in count()
        )
        return [self.response(query, islice(rows, 2500))]

    def answers_malformed(self, query: Query) -> list[bytes]:
        return [self.malformed(query)] * 256

    def answers_malstream(self, query: Query) -> list[bytes]:  # noqa: ARG002, what it answers is its stream
        return []

    def answers_flood(self, query: Query) -> list[bytes]:
        return [self.response(query, (encode_varbind(name, END_OF_MIB_VIEW) for name in query.names))]

    def malformed(self, query: Query) -> bytes:
        one = encode_varbind(query.names[0] + b"\x01", b"\x05\x00")
        return self.response(query, [one * (_DATAGRAM_BYTES // len(one)), b"\x30\x7f"])

    def full(self, query: Query, value: Value, rows: int = 1 << 20) -> bytes:
        """As many rows of every column as were asked for, or as fit."""
        cursors = list(map(_split, query.names))
        varbinds: list[bytes] = []
        size = 0
        for _ in range(query.second if query.tag == GET_BULK else 1):
            for place, (column, row) in enumerate(cursors):
                name = column + _sub_identifier(row + 1)
                content = END_OF_MIB_VIEW
                if row < _FIRST_ROW + rows:
                    content = value(name, row - _FIRST_ROW)
                varbind = encode_varbind(name, content)
                size += len(varbind)
                if size > _DATAGRAM_BYTES:
                    return self.response(query, varbinds)
                varbinds.append(varbind)
                cursors[place] = (column, row + 1)
        return self.response(query, varbinds)


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


def serve(agents: dict[str, Agent]) -> Iterator[int]:
    """Yield the port, then serve until the parent process is gone."""
    sockets: dict[socket.socket, Agent] = {}
    port = 0
    for address, agent in agents.items():
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        opened.bind((address, port))
        opened.settimeout(0)
        port = opened.getsockname()[1]
        sockets[opened] = agent
    yield port
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    parent = os.getppid()
    while os.getppid() == parent:
        for opened in select.select(list(sockets), [], [], 0.2)[0]:
            _answer(opened, sockets[opened])


def _answer(opened: socket.socket, agent: Agent) -> None:
    try:
        datagram, source = opened.recvfrom(65_535)
        answers = agent.receive(datagram)
        for answer in answers:
            opened.sendto(answer, source)
        stream = agent.stream(parse_query(datagram)) if isinstance(agent, Hostile) else None
    except (OSError, Malformed):
        return  # a full buffer: the datagram is lost
    if stream is not None and isinstance(agent, Hostile) and time.monotonic() > agent.streams_until:
        agent.streams_until = time.monotonic() + FLOOD_SECONDS
        if os.fork() == 0:
            _send_on(opened, stream, source)
            os._exit(0)


def _send_on(opened: socket.socket, datagram: bytes, to: tuple[str, int]) -> None:
    until = time.monotonic() + FLOOD_SECONDS
    while time.monotonic() < until:
        try:
            opened.sendto(datagram, to)
        except OSError:
            time.sleep(0.001)


def main(kind: str, hostile: str, *healthy: str) -> None:
    switch = Mib({**system("healthy"), **interfaces(PORTS)})
    agents: dict[str, Agent] = {address: Agent(switch) for address in healthy}
    if kind == "chassis":
        agents[hostile] = Agent(Mib({**system("chassis"), **interfaces(CHASSIS_PORTS)}))
    elif kind != "none":
        agents |= {address: Hostile(kind) for address in hostile.split(",")}
    for port in serve(agents):
        print(port, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
