"""Simulated devices of the demo: each listens on an address, can be unplugged, and knows what it answered."""

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from local.demo.expectations import Expected
from local.devices.snmp_agent import Agent
from local.devices.snmp_host import AgentThread


class Simulated(ABC):
    """A simulated device of any protocol."""

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        """What a complete poll of it must give; nothing else may be stored of it."""
        self._open = ExitStack()

    @abstractmethod
    def start(self, address: str) -> Mapping[str, Any]:
        """Listen on the address; return the device's `settings`, such as its port."""

    @abstractmethod
    def plug(self, *, in_: bool) -> None:
        """Connect it, or cut it off."""

    def stop(self) -> None:
        self._open.close()


class SimulatedSnmp(Simulated):
    """A device with an SNMP agent; with `host_answers`, TCP connections to it are accepted as well."""

    def __init__(self, agent: Agent, expected: Expected | None = None, *, host_answers: bool = False) -> None:
        super().__init__(expected or {})
        self._agent, self._loss, self._host_answers = agent, agent.loss, host_answers

    def start(self, address: str) -> Mapping[str, Any]:
        host = self._open.enter_context(AgentThread({address: self._agent}))
        settings: dict[str, Any] = {"snmp": {"port": host.port}}
        if self._host_answers:
            listener = self._open.enter_context(socket.create_server((address, 0)))
            settings["ping"] = {"tcp_ports": [listener.getsockname()[1]]}
        return settings

    def plug(self, *, in_: bool) -> None:
        self._agent.loss = self._loss if in_ else 1.0


class Host(AbstractContextManager["Host"], Protocol):
    """A server that answers while it is entered."""

    port: int


class SimulatedHost(Simulated):
    """A host that is polled over TCP; `listen` makes its server on an address and a port, 0 for any."""

    def __init__(
        self, protocol: str, listen: Callable[[str, int], Host], expected: Expected, **settings: Any
    ) -> None:
        """The settings are those of the protocol, besides the port."""
        super().__init__(expected)
        self._protocol, self._listen, self._settings = protocol, listen, settings
        self._plugged_in = False
        self._where = ("", 0)

    def start(self, address: str) -> Mapping[str, Any]:
        self._where = (address, 0)
        self.plug(in_=True)
        return {self._protocol: {"port": self._where[1], **self._settings}}

    def plug(self, *, in_: bool) -> None:
        """Listen, or stop listening: a connection that is accepted would be a sign of life."""
        if in_ and not self._plugged_in:
            host = self._open.enter_context(self._listen(*self._where))
            self._where = (self._where[0], host.port)
        elif not in_:
            self._open.close()
        self._plugged_in = in_
