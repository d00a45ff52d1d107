"""Proxies of this machine that misbehave on demand, between a client and a server that does not."""

import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, parse_headers
from io import BufferedReader
from typing import Literal, Self

from local.http_faults import Exchange, Fault, passed

_ALWAYS = 1_000_000


class Proxy:
    """Listens on a port of its own in front of another, from when it is made until it is closed."""

    def __init__(self, upstream: int, host: str = "127.0.0.1") -> None:
        """Both are of this machine: the port in front of which it listens, and the address at which."""
        self.upstream, self.host = upstream, host
        self.port = 0
        self.stopped = threading.Event()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def listen(self) -> None:
        """Take connections again, at the same port."""
        if self._listener is None:
            self._listener = socket.create_server((self.host, self.port), backlog=128)
            self.port = self._listener.getsockname()[1]
            self.stopped = threading.Event()
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Refuse connections from now on, and close those that exist."""
        self.stopped.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
            self._listener.close()
            self._listener = None
        self.drop()

    def drop(self) -> None:
        """Close the connections that exist."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            self._open.add(client)
            try:
                self._serve(client)
            finally:
                self._open.discard(client)

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError


class HttpProxy(Proxy):
    """Passes requests on one by one; a fault decides about each."""

    def __init__(self, upstream: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._fault: Fault = passed
        self._faulty_requests = 0
        self.requests: list[float] = []
        """When each came, on the clock of `time.monotonic`."""
        super().__init__(upstream)

    def inflict(self, fault: Fault, requests: int = _ALWAYS) -> None:
        """Let so many more requests meet the fault; the others pass."""
        self._fault, self._faulty_requests = fault, requests

    def heal(self) -> None:
        self._faulty_requests = 0
        self.listen()

    def _serve(self, client: socket.socket) -> None:
        stopped = self.stopped
        if self._tls is not None:
            client = self._tls.wrap_socket(client, server_side=True)
            self._open.add(client)
        with client, client.makefile("rb") as stream:
            while exchange := self._read(stream, client, stopped):
                answer = self._next_fault()(exchange)
                if answer is None:
                    return
                client.sendall(answer)

    def _next_fault(self) -> Fault:
        self.requests.append(time.monotonic())
        if self._faulty_requests <= 0:
            return passed
        self._faulty_requests -= 1
        return self._fault

    def _read(
        self, stream: BufferedReader, client: socket.socket, stopped: threading.Event
    ) -> Exchange | None:
        if not stream.peek(1)[:1].isalpha():  # the end, or TLS where none is spoken
            return None
        head = stream.readline().decode().strip()
        headers = {name.lower(): value for name, value in parse_headers(stream).items()}
        return Exchange(
            head=head,
            headers=headers,
            body=stream.read(int(headers.get("content-length", "0"))),
            forward=lambda body: _forwarded(self.upstream, head, headers, body),
            client=client,
            stopped=stopped,
        )


def _forwarded(port: int, head: str, headers: Mapping[str, str], body: bytes) -> bytes:
    method, path, _ = head.split(" ")
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as upstream:
        upstream.request(method, path, body, dict(headers) | {"content-length": str(len(body))})
        reply = upstream.getresponse()
        content = reply.read()
        kept = [f"{n}: {v}" for n, v in reply.getheaders() if n.lower() not in _OWN]
        length = [] if reply.status == 204 else [f"Content-Length: {len(content)}"]
        lines = [f"HTTP/1.1 {reply.status} {reply.reason}", *kept, *length, "", ""]
        return "\r\n".join(lines).encode() + content


_OWN = ("content-length", "transfer-encoding", "connection")

TcpFault = Literal["cut before", "cut after", "stall before", "stall after"]
"""The connection is closed, or goes silent with its sockets open, before what the client said is passed on,
or after: the server does it then, and its answer is lost."""


class TcpProxy(Proxy):
    """Passes any protocol on, until a client says certain words."""

    def __init__(self, upstream: int, host: str = "127.0.0.1") -> None:
        self.met = threading.Event()
        """Set when a fault was met."""
        self._fault: TcpFault = "cut before"
        self._words = b""
        self._once_said = b""
        self._times = 0
        self._lock = threading.Lock()
        super().__init__(upstream, host)

    def inflict(
        self, fault: TcpFault, words: bytes = b"", times: int = _ALWAYS, once_said: bytes = b""
    ) -> None:
        """From now on, so many times, when a client says something that holds the words.

        With `once_said` from when a client has said that.
        """
        self._fault, self._words, self._times, self._once_said = fault, words, times, once_said
        self.met.clear()

    def heal(self) -> None:
        """Close what hangs, and pass everything on."""
        self._times = 0
        if self.met.is_set():
            self.drop()
        self.listen()

    def _serve(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.upstream)) as server:
            self._open.add(server)
            silent = threading.Event()
            back = threading.Thread(target=self._answers, args=(server, client, silent), daemon=True)
            back.start()
            with suppress(OSError):
                self._requests(client, server, silent)
            for each in (client, server):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            back.join()
            self._open.discard(server)

    def _requests(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while said := client.recv(1 << 20):
            fault = self._fault_for(said)
            if fault is None:
                server.sendall(said)
                continue
            silent.set()
            if fault.endswith("after"):
                self._pass_until_done(said, client, server)
            self.met.set()
            if fault.startswith("cut"):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            while client.recv(1 << 20):
                """Whatever else it says."""

    @staticmethod
    def _pass_until_done(said: bytes, client: socket.socket, server: socket.socket) -> None:
        """Pass on what a client says, which may come in several pieces, until the server answers it."""
        while said:
            server.sendall(said)
            ready, _, _ = select.select([client, server], [], [])
            if server in ready:
                return
            said = client.recv(1 << 20)

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while answer := server.recv(1 << 20, socket.MSG_PEEK):
                if silent.is_set():
                    return
                client.sendall(server.recv(len(answer)))
            client.shutdown(socket.SHUT_RDWR)

    def _fault_for(self, said: bytes) -> TcpFault | None:
        with self._lock:
            if self._once_said in said:
                self._once_said = b""
            if self._times <= 0 or self._once_said or self._words not in said:
                return None
            self._times -= 1
            return self._fault
