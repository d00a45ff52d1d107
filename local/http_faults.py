"""Faults of an HTTP server, or of the way to it; `proxy.HttpProxy` does them on demand."""

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

POISON = "poison"
"""A line that holds this word is refused by `refuse_poison`."""


class Exchange(NamedTuple):
    """One request, and the means to do it well or badly."""

    head: str
    headers: Mapping[str, str]
    body: bytes
    forward: Callable[[bytes], bytes]
    """Sends the request with this body to the server and returns the answer as it goes over the wire."""
    client: socket.socket
    stopped: threading.Event
    """Set when the proxy ends: nobody hangs for longer."""

    def reset(self) -> None:
        """Close so that the client sees a reset."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()

    @property
    def text(self) -> str:
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return body.decode()


type Fault = Callable[[Exchange], bytes | None]
"""Gives the answer, or None once the connection is done with."""


def passed(exchange: Exchange) -> bytes:
    return exchange.forward(exchange.body)


reset_unread: Fault = Exchange.reset
"""The request is lost on its way."""


def reset_after(exchange: Exchange) -> None:
    """The request is done and the answer lost."""
    exchange.forward(exchange.body)
    exchange.reset()


def stall(exchange: Exchange) -> None:
    exchange.stopped.wait(60)


def stall_after(exchange: Exchange) -> None:
    exchange.forward(exchange.body)
    exchange.stopped.wait(60)


def drip(exchange: Exchange) -> None:
    """An answer of which each byte comes in time, and the last one does not."""
    for byte in exchange.forward(exchange.body):
        if exchange.stopped.wait(0.05):
            break
        exchange.client.send(bytes([byte]))


def _cut_to(octets: slice) -> Fault:
    def fault(exchange: Exchange) -> None:
        answer_and_close(exchange.forward(exchange.body)[octets])(exchange)

    return fault


truncate = _cut_to(slice(9))
"""An answer that ends before its status is known."""
truncate_late = _cut_to(slice(-2))
"""An answer that ends just before its end."""


def trickle(beginning: bytes, piece: bytes, seconds: float = 0.02) -> Fault:
    """Send the beginning, then the piece now and then, for ever."""

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(beginning)
        while not exchange.stopped.wait(seconds):
            exchange.client.sendall(piece)

    return fault


def flood(beginning: bytes, piece: bytes) -> Fault:
    """Send the beginning, then the piece again and again until the client has gone."""
    return trickle(beginning, piece, 0)


def answer_and_close(answer: bytes) -> Fault:
    """Send this, and close."""

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(answer)
        exchange.client.close()

    return fault


garbage = answer_and_close(b"\xff\xfe\0 this is no HTTP\r\n\r\n")


def answer(status: int, body: bytes = b"", **headers: str) -> Fault:
    """Answer this, and do nothing."""
    lines = [f"HTTP/1.1 {status} Fault", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda _: "\r\n".join([*lines, "", ""]).encode() + body


def said(status: int, code: str, message: str) -> Fault:
    """Answer this in InfluxDB's words."""
    return answer(status, json.dumps({"code": code, "message": message}).encode())


def too_large_over(limit: int) -> Fault:
    def fault(exchange: Exchange) -> bytes | None:
        if len(exchange.text) <= limit:
            return passed(exchange)
        return said(413, "request too large", "points batch is too large")(exchange)

    return fault


type Words = Callable[[list[tuple[int, str]]], object]
"""The answer about poisoned lines, given their numbers from 1 and their texts."""


def refuse_poison(words: Words, *, write_rest: bool, status: int = 400) -> Fault:
    """Refuse the lines that hold the word, and with them all others unless `write_rest`."""

    def fault(exchange: Exchange) -> bytes | None:
        lines = list(enumerate(exchange.text.split("\n"), start=1))
        poisoned = [(number, line) for number, line in lines if POISON in line]
        rest = [line for _, line in lines if POISON not in line]
        if not poisoned:
            return passed(exchange)
        if write_rest and rest:
            exchange.forward(gzip.compress("\n".join(rest).encode()))
        return answer(status, json.dumps(words(poisoned)).encode())(exchange)

    return fault
