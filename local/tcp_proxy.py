"""A proxy for any protocol over TCP on 127.0.0.1, which misbehaves when certain words go by."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Fault = Literal["cut before", "cut after", "stall before", "stall after"]
"""The connection is closed, or goes silent with its sockets open, before what the client said is passed on,
or after: the server does it then, and its answer is lost."""


class TcpProxy:
    """Listens on a port of its own in front of another."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.met = threading.Event()
        """Set when a fault was met."""
        self._fault: Fault = "cut before"
        self._words = b""
        self._once_said = b""
        self._times = 0
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.listen()

    def inflict(
        self, fault: Fault, words: bytes = b"", times: int = 1_000_000, once_said: bytes = b""
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

    def listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Connections are refused from now on, and those that exist are closed."""
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
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            self._open |= {client, server}
            silent = threading.Event()
            back = threading.Thread(target=self._answers, args=(server, client, silent), daemon=True)
            back.start()
            with suppress(OSError):
                self._requests(client, server, silent)
            for each in (client, server):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            back.join()
            self._open -= {client, server}

    def _requests(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while said := client.recv(1 << 20):
            fault = self._fault_for(said)
            if fault is None:
                server.sendall(said)
                continue
            silent.set()
            if fault.endswith("after"):
                server.sendall(said)
                server.recv(1, socket.MSG_PEEK)  # it has been done
            self.met.set()
            if fault.startswith("cut"):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            while client.recv(1 << 20):
                """Whatever else it says."""

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while answer := server.recv(1 << 20, socket.MSG_PEEK):
                if silent.is_set():
                    return
                client.sendall(server.recv(len(answer)))
            client.shutdown(socket.SHUT_RDWR)

    def _fault_for(self, said: bytes) -> Fault | None:
        with self._lock:
            if self._once_said in said:
                self._once_said = b""
            if self._times <= 0 or self._once_said or self._words not in said:
                return None
            self._times -= 1
            return self._fault


@contextmanager
def tcp_proxy(upstream: int) -> Iterator[TcpProxy]:
    proxy = TcpProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.refuse()
