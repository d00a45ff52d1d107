"""Agents with the faults that real ones have, and with those that an attacker would give them."""

# ruff: noqa: ARG002, the methods have the signatures of those they replace
from collections.abc import Iterable

from local.devices.snmp_agent import GEN_ERR, GET_BULK, V1, Agent, Query, Refusal
from local.devices.snmp_mib import encode_varbind
from netvitals.collectors.snmp.wire.decode import decode_oid
from netvitals.collectors.snmp.wire.encode import encode_oid, integer, tlv


class SilentOnBulk(Agent):
    """Knows no GETBULK, and does not say so."""

    def reply(self, query: Query) -> list[bytes]:
        return [] if query.tag == GET_BULK else super().reply(query)


class RefusesBulk(Agent):
    """Knows no GETBULK, and says genErr."""

    def bulk(self, query: Query) -> list[bytes]:
        raise Refusal(GEN_ERR, 0)


class FewRepetitions(Agent):
    """Answers nothing when asked for more than 8 repetitions, as agents do that run into their own limits."""

    def reply(self, query: Query) -> list[bytes]:
        return [] if query.tag == GET_BULK and query.second > 8 else super().reply(query)


class TooBigForBulk(Agent):
    """Answers tooBig, where it should send what fits, when asked for more than 12 objects."""

    def bulk(self, query: Query) -> list[bytes]:
        if query.second * len(query.names) > 12:
            raise Refusal(1, 0)
        return super().bulk(query)


class TooBigForAnything(Agent):
    """Answers tooBig whatever is asked."""

    def varbinds(self, query: Query) -> list[bytes]:
        raise Refusal(1, 0)


class Truncating(Agent):
    """Sends no more than 7 objects in a GETBULK, in the middle of a row where it so happens."""

    def bulk(self, query: Query) -> list[bytes]:
        return super().bulk(query)[:7]


class Empty(Agent):
    """Answers GETBULK without any object."""

    def bulk(self, query: Query) -> list[bytes]:
        return []


class Looping(Agent):
    """Begins anew after the fifth row of any column."""

    def successor(self, name: bytes) -> int | None:
        oid = decode_oid(name)
        if oid.endswith(".5"):
            name = encode_oid(oid.rpartition(".")[0])
        return super().successor(name)


class Stuck(Agent):
    """From the third row on, answers GETNEXT with the name that it was asked about."""

    def successor(self, name: bytes) -> int | None:
        position = self.mib.find(name)
        return (
            position if position is not None and decode_oid(name).endswith(".3") else super().successor(name)
        )


class Decreasing(Agent):
    """Walks its rows downwards, and begins anew at the bottom."""

    def successor(self, name: bytes) -> int | None:
        known = self.mib.find(name)
        column = name if known is None else name[:-1]
        inside = [position for position, other in enumerate(self.mib.names) if other[:-1] == column]
        if not inside:
            return super().successor(name)
        return max((position for position in inside if known is None or position < known), default=inside[-1])


class Unsorted(Agent):
    """Holds its rows in an order of its own: the even ones first."""

    def successor(self, name: bytes) -> int | None:
        known = self.mib.find(name)
        column = name if known is None else name[:-1]
        rows = sorted(
            (other for other in self.mib.names if other[:-1] == column), key=lambda other: other[-1] % 2
        )
        if not rows:
            return super().successor(name)
        at = -1 if known is None else rows.index(name)
        return self.mib.find(rows[at + 1]) if at + 1 < len(rows) else super().successor(max(rows))


class Endless(Agent):
    """Has a row behind every row."""

    def next(self, query: Query, name: bytes, index: int) -> tuple[bytes, bytes]:
        head, _, last = decode_oid(name).rpartition(".")
        oid = f"{head}.{int(last) + 1}" if self.mib.find(name) is None and head.count(".") > 9 else None
        following = encode_oid(oid) if oid else name + b"\x01"
        return following, encode_varbind(following, integer(1))


class FailsOn(Agent):
    """Answers genErr as soon as a name that begins so is to be read, or nothing with `silent`."""

    prefix = ""
    silent = False

    def next(self, query: Query, name: bytes, index: int) -> tuple[bytes, bytes]:
        found, varbind = super().next(query, name, index)
        if f"{decode_oid(found)}.".startswith(f"{self.prefix}."):
            raise Refusal(GEN_ERR, index)
        return found, varbind

    def get(self, query: Query, name: bytes, index: int) -> bytes:
        if f"{decode_oid(name)}.".startswith(f"{self.prefix}."):
            raise Refusal(GEN_ERR, index)
        return super().get(query, name, index)

    def refuse(self, query: Query, status: int, index: int) -> bytes:
        return b"" if self.silent else super().refuse(query, status, index)

    def reply(self, query: Query) -> list[bytes]:
        return [answer for answer in super().reply(query) if answer]


class DiesAfter(Agent):
    """Falls silent after so many answers."""

    lives = 0

    def reply(self, query: Query) -> list[bytes]:
        return super().reply(query) if self.requests <= self.lives else []


class Slow(Agent):
    """Sends one object at a time, each after `delay`."""

    def bulk(self, query: Query) -> list[bytes]:
        return super().bulk(query)[:1]


class WrongRequestId(Agent):
    """Answers with the id of the request before."""

    def response(self, query: Query, varbinds: Iterable[bytes], status: int = 0, index: int = 0) -> bytes:
        return super().response(query._replace(request_id=query.request_id ^ 1), varbinds, status, index)


class WrongCommunity(Agent):
    """Answers under another community."""

    def response(self, query: Query, varbinds: Iterable[bytes], status: int = 0, index: int = 0) -> bytes:
        return super().response(query._replace(community=b"private"), varbinds, status, index)


class WrongVersion(Agent):
    """Answers v2c in v1."""

    def response(self, query: Query, varbinds: Iterable[bytes], status: int = 0, index: int = 0) -> bytes:
        return super().response(query._replace(version=V1), varbinds, status, index)


class WrongTag(Agent):
    """Answers with the PDU that it was asked with."""

    def response(self, query: Query, varbinds: Iterable[bytes], status: int = 0, index: int = 0) -> bytes:
        return super().response(query, varbinds, status, index).replace(b"\xa2", bytes((query.tag,)), 1)


class Uninvited(Agent):
    """Answers with objects that nobody asked for, first."""

    def get(self, query: Query, name: bytes, index: int) -> bytes:
        return encode_varbind(encode_oid("1.3.6.1.4.1.1.1"), integer(666)) + super().get(query, name, index)


class Garbage(Agent):
    """Sends, before each answer, two datagrams with the request's id that are wrong, in every way in turn."""

    replies = 0

    def reply(self, query: Query) -> list[bytes]:
        (answer,) = super().reply(query)
        wrongs = list(self._wrongs(query, answer))
        self.replies += 1
        return [*(wrongs[(2 * self.replies + n) % len(wrongs)] for n in (0, 1)), answer]

    def _wrongs(self, query: Query, answer: bytes) -> Iterable[bytes]:
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
        for tail in self._tails(query):
            yield tlv(0x30, head + tlv(0xA2, start + tail))

    @staticmethod
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


class Flooding(Agent):
    """Sends its answer after a thousand datagrams of others, and then a hundred times over."""

    def reply(self, query: Query) -> list[bytes]:
        (answer,) = super().reply(query)
        (other,) = super().reply(query._replace(request_id=query.request_id ^ 2))
        return [other] * 1000 + [answer] * 100


class OnlyGarbage(Garbage):
    """Sends nothing else, and all of it at once."""

    def reply(self, query: Query) -> list[bytes]:
        (answer,) = Agent.reply(self, query)
        return list(self._wrongs(query, answer))
