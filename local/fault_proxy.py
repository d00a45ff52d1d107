"""A proxy for HTTP on 127.0.0.1 that misbehaves on demand, between a client and a server that does not."""

import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from socketserver import StreamRequestHandler, ThreadingTCPServer
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


def reset_unread(exchange: Exchange) -> None:
    """The request is lost on its way."""
    exchange.reset()


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
        if exchange.stopped.wait(0.005):
            break
        exchange.client.send(bytes([byte]))


def truncate(exchange: Exchange) -> None:
    """An answer that ends before its status is known."""
    exchange.client.sendall(exchange.forward(exchange.body)[:9])
    exchange.client.close()


def truncate_late(exchange: Exchange) -> None:
    """An answer that ends just before its end."""
    exchange.client.sendall(exchange.forward(exchange.body)[:-2])
    exchange.client.close()


def garbage(exchange: Exchange) -> None:
    exchange.client.sendall(b"\xff\xfe\0 this is no HTTP\r\n\r\n")
    exchange.client.close()


def flood(beginning: bytes, piece: bytes) -> Fault:
    """Send the beginning, then the piece again and again until the client has gone."""

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(beginning)
        while not exchange.stopped.is_set():
            exchange.client.sendall(piece)

    return fault


def trickle(beginning: bytes, piece: bytes, seconds: float = 0.02) -> Fault:
    """Send the beginning, then the piece now and then, for ever."""

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(beginning)
        while not exchange.stopped.wait(seconds):
            exchange.client.sendall(piece)

    return fault


def answer_and_close(answer: bytes) -> Fault:
    """Send this, and close."""

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(answer)
        exchange.client.close()

    return fault


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


class FaultProxy:
    """Listens on a port of its own in front of another; `fault` decides about each request."""

    def __init__(self, upstream: int, tls: ssl.SSLContext | None = None) -> None:
        self.upstream, self.tls = upstream, tls
        self.fault: Fault = passed
        self.faulty_requests = 0
        """So many more requests meet the fault; the others pass."""
        self.requests: list[float] = []
        """When each came, on the clock of `time.monotonic`."""
        self._server: _Server | None = None
        self.port = 0
        self.listen()

    def inflict(self, fault: Fault, requests: int = 1_000_000) -> None:
        self.fault, self.faulty_requests = fault, requests

    def heal(self) -> None:
        self.faulty_requests = 0
        self.listen()

    def listen(self) -> None:
        if self._server is None:
            self._server = _Server(("127.0.0.1", self.port), self)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def refuse(self) -> None:
        """Connections are refused from now on, and those that exist are closed."""
        if self._server is not None:
            self._server.end()
            self._server = None

    close = refuse

    def next_fault(self) -> Fault:
        self.requests.append(time.monotonic())
        if self.faulty_requests <= 0:
            return passed
        self.faulty_requests -= 1
        return self.fault


@contextmanager
def fault_proxy(upstream: int, tls: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    proxy = FaultProxy(upstream, tls)
    try:
        yield proxy
    finally:
        proxy.close()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], proxy: FaultProxy) -> None:
        super().__init__(address, _Handler)
        self.proxy = proxy
        self.stopped = threading.Event()
        self.clients: set[socket.socket] = set()

    def end(self) -> None:
        self.stopped.set()
        self.shutdown()
        self.server_close()
        for client in list(self.clients):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: broken connections are what this is for."""


class _Handler(StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.server.clients.add(self.connection)
        if self.server.proxy.tls is not None:
            self.connection = self.server.proxy.tls.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
        try:
            while exchange := self._read():
                answered = self.server.proxy.next_fault()(exchange)
                if answered is None:
                    return
                self.connection.sendall(answered)
        finally:
            self.server.clients.discard(self.connection)

    def _read(self) -> Exchange | None:
        head = self.rfile.readline().decode().strip()
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if not head:
            return None
        body = self.rfile.read(int(headers.get("content-length", "0")))
        return Exchange(
            head=head,
            headers=headers,
            body=body,
            forward=lambda body: _forwarded(self.server.proxy.upstream, head, headers, body),
            client=self.connection,
            stopped=self.server.stopped,
        )


def _forwarded(port: int, head: str, headers: Mapping[str, str], body: bytes) -> bytes:
    method, path, _ = head.split(" ")
    upstream = HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(upstream):
        upstream.request(method, path, body, dict(headers) | {"content-length": str(len(body))})
        reply = upstream.getresponse()
        content = reply.read()
        kept = [f"{n}: {v}" for n, v in reply.getheaders() if n.lower() not in _OWN]
        length = [] if reply.status == 204 else [f"Content-Length: {len(content)}"]
        lines = [f"HTTP/1.1 {reply.status} {reply.reason}", *kept, *length, "", ""]
        return "\r\n".join(lines).encode() + content


_OWN = ("content-length", "transfer-encoding", "connection")
