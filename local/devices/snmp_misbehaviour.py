"""Agents with the faults that real ones have, and with those that an attacker would give them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from local.devices.snmp_agent import GEN_ERR, GET_BULK, TOO_BIG, V1, Agent, Query, Refusal
from local.devices.snmp_mib import Mib, Object, encode_varbind
from netvitals.collectors.snmp.wire.decode import decode_oid
from netvitals.collectors.snmp.wire.encode import encode_oid, integer, tlv


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Where an agent does otherwise than the RFCs say."""

    ignores: Callable[[Agent, Query], bool] = lambda _agent, _query: False
    """The requests that it does not answer."""
    refuses: Callable[[Query], int] = lambda _: 0
    """The error-status of its answer; 0 where it has one."""
    most_in_bulk: int | None = None
    """How many objects it sends in a GETBULK, in the middle of a row where it so happens."""
    successor: Callable[[Mib, bytes], int | None] = Mib.after
    """The position of the object that it holds to be behind a name."""
    echoes: Callable[[Query], Query] = lambda query: query
    """What its answer repeats of the request."""
    sends: Callable[[Agent, Query, bytes], list[bytes]] = lambda _agent, _query, answer: [answer]
    """The datagrams that it sends in place of an answer."""


class Faulty(Agent):
    """An agent with one of `FAULTS`."""

    def __init__(self, fault: str, objects: Mapping[str, Object], *, delay: float = 0.0) -> None:
        super().__init__(objects, delay=delay)
        self.fault = FAULTS[fault]

    def reply(self, query: Query) -> list[bytes]:
        if self.fault.ignores(self, query):
            return []
        (answer,) = super().reply(query)
        return self.fault.sends(self, query, answer)

    def response(self, query: Query, varbinds: Iterable[bytes], status: int = 0, index: int = 0) -> bytes:
        return super().response(self.fault.echoes(query), varbinds, status, index)

    def varbinds(self, query: Query) -> list[bytes]:
        if status := self.fault.refuses(query):
            raise Refusal(status, 0)
        return super().varbinds(query)

    def bulk(self, query: Query) -> list[bytes]:
        return super().bulk(query)[: self.fault.most_in_bulk]

    def successor(self, name: bytes) -> int | None:
        return self.fault.successor(self.mib, name)


def _looping(mib: Mib, name: bytes) -> int | None:
    oid = decode_oid(name)
    return mib.after(encode_oid(oid.rpartition(".")[0]) if oid.endswith(".5") else name)


def _stuck(mib: Mib, name: bytes) -> int | None:
    position = mib.find(name)
    return position if position is not None and decode_oid(name).endswith(".3") else mib.after(name)


def _decreasing(mib: Mib, name: bytes) -> int | None:
    known, rows = mib.find(name), _rows(mib, name)
    if not rows:
        return mib.after(name)
    inside = [position for position in map(mib.find, rows) if position is not None]
    return max((position for position in inside if known is None or position < known), default=inside[-1])


def _unsorted(mib: Mib, name: bytes) -> int | None:
    rows = sorted(_rows(mib, name), key=lambda row: row[-1] % 2)
    at = -1 if mib.find(name) is None else rows.index(name)
    return mib.find(rows[at + 1]) if at + 1 < len(rows) else mib.after(max(rows, default=name))


def _rows(mib: Mib, name: bytes) -> list[bytes]:
    """Return the names of the column that this names, or a row of."""
    column = name if mib.find(name) is None else name[:-1]
    return [other for other in mib.names if other[:-1] == column]


def _flooding(agent: Agent, query: Query, answer: bytes) -> list[bytes]:
    return Agent.reply(agent, query._replace(request_id=query.request_id ^ 2)) * 1000 + [answer] * 100


def _garbage_first(agent: Agent, query: Query, answer: bytes) -> list[bytes]:
    wrongs = list(_wrongs(query, answer))
    return [*(wrongs[(2 * agent.requests + n) % len(wrongs)] for n in (0, 1)), answer]


def _wrongs(query: Query, answer: bytes) -> Iterable[bytes]:
    yield b""
    yield b"\x30"
    yield bytes(range(256))
    yield b"\x30\x84\xff\xff\xff\xff" + answer[2:]
    yield b"\x30\x80" + answer[2:]
    yield answer[:-1]
    yield answer[: len(answer) // 2]
    yield b"\x30" * 60_000
    head = integer(query.version) + tlv(0x04, query.community)
    start = integer(query.request_id) + integer(0) + integer(0)
    for tail in _tails(query):
        yield tlv(0x30, head + tlv(0xA2, start + tail))


def _tails(query: Query) -> Iterable[bytes]:
    """Variable binding lists, each with another false length, depth or type."""
    name = tlv(0x06, query.names[0])
    yield b""
    yield b"\x30\x05" + b"\x00" * 4
    yield tlv(0x30, tlv(0x30, name + b"\x02\x7f\x01"))
    yield tlv(0x30, tlv(0x30, name + b"\x02\x89" + b"\xff" * 9))
    yield tlv(0x30, tlv(0x30, b"\x06\x84\x7f\xff\xff\xff" + name))
    yield tlv(0x30, tlv(0x31, name + integer(1)))
    yield tlv(0x30, tlv(0x30, name + integer(1) + integer(1)))
    yield tlv(0x30, tlv(0x30, name))
    yield tlv(0x30, b"\x30\x82" * 2000)


FAULTS: Mapping[str, Fault] = {
    "is silent on GETBULK": Fault(ignores=lambda _, query: query.tag == GET_BULK),
    "is silent on more than 8 repetitions": Fault(
        ignores=lambda _, query: query.tag == GET_BULK and query.second > 8
    ),
    "is silent after the first request": Fault(ignores=lambda agent, _: agent.requests > 1),
    "says genErr to GETBULK": Fault(refuses=lambda query: GEN_ERR if query.tag == GET_BULK else 0),
    "says tooBig where it should send what fits": Fault(
        refuses=lambda query: TOO_BIG if query.tag == GET_BULK and query.second * len(query.names) > 12 else 0
    ),
    "says tooBig to anything": Fault(refuses=lambda _: TOO_BIG),
    "sends seven objects at most": Fault(most_in_bulk=7),
    "sends one object at a time": Fault(most_in_bulk=1),
    "sends no object in a GETBULK": Fault(most_in_bulk=0),
    "begins anew after the fifth row": Fault(successor=_looping),
    "stays at the third row": Fault(successor=_stuck),
    "walks downwards and begins anew": Fault(successor=_decreasing),
    "holds even rows before odd ones": Fault(successor=_unsorted),
    "answers the request before": Fault(echoes=lambda query: query._replace(request_id=query.request_id ^ 1)),
    "answers under another community": Fault(echoes=lambda query: query._replace(community=b"private")),
    "answers v2c in v1": Fault(echoes=lambda query: query._replace(version=V1)),
    "answers with the PDU that it was asked with": Fault(
        sends=lambda _, query, answer: [answer.replace(b"\xa2", bytes((query.tag,)), 1)]
    ),
    "answers after a thousand datagrams of others, a hundred times over": Fault(sends=_flooding),
    "answers after two wrong datagrams": Fault(sends=_garbage_first),
    "sends every wrong datagram and no answer": Fault(
        sends=lambda _, query, answer: list(_wrongs(query, answer))
    ),
}


class Endless(Agent):
    """Has a row behind every row."""

    def next(self, query: Query, name: bytes, index: int) -> tuple[bytes, bytes]:
        del query, index
        head, _, last = decode_oid(name).rpartition(".")
        oid = f"{head}.{int(last) + 1}" if self.mib.find(name) is None and head.count(".") > 9 else None
        following = encode_oid(oid) if oid else name + b"\x01"
        return following, encode_varbind(following, integer(1))


class FailsOn(Agent):
    """Answers genErr as soon as a name that begins so is to be read, or nothing with `silent`."""

    def __init__(
        self, prefix: str, objects: Mapping[str, Object], *, silent: bool = False, delay: float = 0.0
    ) -> None:
        super().__init__(objects, delay=delay)
        self._prefix, self._silent = prefix, silent

    def reply(self, query: Query) -> list[bytes]:
        return [answer for answer in super().reply(query) if answer]

    def get(self, query: Query, name: bytes, index: int) -> bytes:
        self._fail_on(name, index)
        return super().get(query, name, index)

    def next(self, query: Query, name: bytes, index: int) -> tuple[bytes, bytes]:
        found, varbind = super().next(query, name, index)
        self._fail_on(found, index)
        return found, varbind

    def _fail_on(self, name: bytes, index: int) -> None:
        if f"{decode_oid(name)}.".startswith(f"{self._prefix}."):
            raise Refusal(GEN_ERR, index)

    def refuse(self, query: Query, status: int, index: int) -> bytes:
        return b"" if self._silent else super().refuse(query, status, index)


class Uninvited(Agent):
    """Answers with objects that nobody asked for, first."""

    def get(self, query: Query, name: bytes, index: int) -> bytes:
        return encode_varbind(encode_oid("1.3.6.1.4.1.1.1"), integer(666)) + super().get(query, name, index)
