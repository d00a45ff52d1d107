"""Ask many addresses for an SNMP agent, a datagram each, without waiting for one before the next."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

import msgspec

from netvitals.collectors.snmp.discovery.rate_limit import RateLimit
from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.snmp.wire import message, pdu
from netvitals.collectors.snmp.wire.decode import decode_pdu
from netvitals.collectors.snmp.wire.encode import encode_oid, encode_request
from netvitals.collectors.snmp.wire.faults import Malformed, SnmpFault
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.transport import Address, Endpoint, canonical, endpoint_to

_SYS_OBJECT_ID = encode_oid("1.3.6.1.2.1.1.2.0")


class ProbeMessage(Protocol):
    """Makes a datagram that an agent answers, and recognises the answer."""

    def datagram(self, number: int) -> bytes:
        """Return the datagram with this message id."""
        ...

    def proves(self, datagram: bytes, number: int) -> bool:
        """Return whether this is an agent's answer to it."""
        ...


class CommunityProbe:
    """Makes a GET of sysObjectID under a community: agents that know it answer, others are silent."""

    def __init__(self, credential: SnmpCredential) -> None:
        assert credential.community is not None  # noqa: S101, SnmpCredential has looked
        self._security = CommunitySecurity("1" if credential.version == "1" else "2c", credential.community)

    def datagram(self, number: int) -> bytes:
        return self._security.wrap(encode_request(pdu.GET, number, (_SYS_OBJECT_ID,)), number)

    def proves(self, datagram: bytes, number: int) -> bool:
        try:
            answer = decode_pdu(self._security.unwrap(datagram, number))
        except (Malformed, SnmpFault):
            return False
        return answer.tag == pdu.RESPONSE and answer.request_id == number


class EngineProbe:
    """Makes SNMPv3's discovery: any agent that speaks it answers with its engine id, and no user is named."""

    def datagram(self, number: int) -> bytes:
        return message.discovery(number)

    def proves(self, datagram: bytes, number: int) -> bool:
        try:
            return message.decode(datagram).id == number
        except Malformed:
            return False


class _Asked(msgspec.Struct):
    """Implements `transport.Waiter` for one address."""

    address: Address
    probe: ProbeMessage
    proven: Callable[["_Asked"], None]
    number: int = 0
    misplaced: int = 0

    def arrived(self, datagram: bytes, time_ns: int) -> None:  # noqa: ARG002, `Waiter`
        if self.probe.proves(datagram, self.number):
            self.proven(self)

    def arrived_from(self, source: Address) -> bool:  # noqa: ARG002, `Waiter`
        """Return whether it is the first: the address was asked once."""
        self.misplaced += 1
        return self.misplaced == 1

    def moved(self) -> None:
        """Do nothing: the next turn asks the address again, at the sweep's rate."""


class _Turn:
    """Tracks the addresses that were asked in one turn and have not answered yet."""

    def __init__(self, probe: ProbeMessage, port: int, answered: Callable[[str], None]) -> None:
        self._probe = probe
        self._port = port
        self._answered = answered
        self._silent: dict[int, Endpoint] = {}
        """Endpoints that wait for an answer, by message id."""
        self.nobody_left = asyncio.Event()

    def ask(self, address: str) -> None:
        endpoint = endpoint_to(address)
        waiter = _Asked((canonical(address), self._port), self._probe, self._prove)
        waiter.number = endpoint.expect(waiter)
        self._silent[waiter.number] = endpoint
        with suppress(SnmpFault):  # no way there, or a broadcast address: as good as silence
            endpoint.send(self._probe.datagram(waiter.number), waiter.address)

    def _prove(self, waiter: _Asked) -> None:
        endpoint = self._silent.pop(waiter.number, None)
        if endpoint is not None:
            endpoint.forget(waiter.number)
        self._answered(waiter.address[0])
        if not self._silent:
            self.nobody_left.set()

    async def listen(self, seconds: float) -> None:
        """Wait for those who have not answered yet."""
        if self._silent:
            self.nobody_left.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.nobody_left.wait(), seconds)
        for endpoint in {*self._silent.values()}:
            endpoint.drain()

    def close(self) -> None:
        for number, endpoint in self._silent.items():
            endpoint.forget(number)


class Sweep:
    """Sends probes at a limited rate, and listens for a while after the last."""

    def __init__(self, rate_limit: RateLimit, port: int, *, listen_seconds: float) -> None:
        self._rate_limit = rate_limit
        self._port = port
        self._listen_seconds = listen_seconds

    async def run(
        self, addresses: Iterable[str], probe: ProbeMessage, answered: Callable[[str], None]
    ) -> None:
        """Send the probe to each address; call `answered`, at least once, for each that answers."""
        turn = _Turn(probe, self._port, answered)
        try:
            for address in addresses:
                await self._rate_limit.turn()
                turn.ask(address)
            await turn.listen(self._listen_seconds)
        finally:
            turn.close()
