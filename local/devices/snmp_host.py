"""Puts simulated agents on loopback addresses: in the running loop, or in a thread of their own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from local.devices.snmp_agent import Agent

type Address = tuple[str, int]
_BUFFER_BYTES = 4 * 1024 * 1024


class AgentHost:
    """`async with AgentHost({"127.0.1.1": agent}, port):` each agent on its address, all on one port.

    Port 0 lets the kernel choose one that is free; `port` says which.
    """

    def __init__(self, agents: Mapping[str, Agent], port: int = 0) -> None:
        self.agents = dict(agents)
        self.port = port
        self._sockets: dict[str, socket.socket] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for address, agent in self.agents.items():
            opened = self._socket(address)
            loop.add_reader(opened.fileno(), self._read, loop, opened, agent)
        return self

    async def __aexit__(self, *_: object) -> None:
        for opened in self._sockets.values():
            asyncio.get_running_loop().remove_reader(opened.fileno())
            opened.close()
        self._sockets.clear()

    def _socket(self, address: str) -> socket.socket:
        opened = self._sockets.get(address)
        if opened is None:
            opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            opened.settimeout(0)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            opened.bind((address, self.port))
            self.port = opened.getsockname()[1]
            self._sockets[address] = opened
        return opened

    def _read(self, loop: asyncio.AbstractEventLoop, opened: socket.socket, agent: Agent) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram, source = opened.recvfrom(65_535)
                answers = agent.receive(datagram)
                sender = self._socket(agent.answers_from) if agent.answers_from else opened
                if agent.delay:
                    loop.call_later(agent.delay, self._send, sender, answers, source)
                else:
                    self._send(sender, answers, source)
                if agent.stream is not None:
                    loop.run_in_executor(None, self._send, sender, agent.stream, source)
                    agent.stream = None

    @staticmethod
    def _send(sender: socket.socket, answers: Iterable[bytes], source: Address) -> None:
        for answer in answers:
            with contextlib.suppress(OSError):  # a full buffer, or a closed socket: the datagram is lost
                sender.sendto(answer, source)


class AgentThread:
    """`with AgentThread({...}) as host:` the same beside code that has no loop, or must not share one."""

    def __init__(self, agents: Mapping[str, Agent], port: int = 0) -> None:
        self.host = AgentHost(agents, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="snmp agents", daemon=True)

    def __enter__(self) -> AgentHost:
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self.host.__aenter__(), self._loop).result(10)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self.host.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
