"""Requests to one device and their answers: a window of them in flight, time-outs, repeats."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.faults import Malformed, NoAnswer, ProtocolFault, Resend, SnmpFault
from netvitals.collectors.snmp.wire.pdu import Pdu
from netvitals.collectors.snmp.wire.security import Security
from netvitals.collectors.snmp.wire.transport import Address, Endpoint

MAX_RESENDS = 4
"""v3 needs two to learn engine id and time, one more after a reboot."""


class Request:
    """What is asked; `tries` is how often it is sent before it has failed."""

    __slots__ = ("names", "repetitions", "tag", "tries")

    def __init__(self, tag: int, names: Sequence[bytes], tries: int, repetitions: int = 0) -> None:
        self.tag = tag
        self.names = names
        self.tries = tries
        self.repetitions = repetitions


class Work[R: Request](Protocol):
    """Something that takes several requests, and decides what to ask next by what was answered."""

    def next_request(self) -> R | None:
        """What to ask now; None while there is nothing, until one of the others is answered or fails."""
        ...

    def answered(self, request: R, answer: Pdu, time_ns: int, rtt_ms: float) -> None:
        """An answer has arrived, which may be an error-status."""
        ...

    def failed(self, request: R, fault: SnmpFault) -> None:
        """No answer is to be expected any more."""
        ...


class _Flight[R: Request]:
    """A request on its way; the `Waiter` for its answer."""

    __slots__ = (
        "_inbox",
        "address",
        "complaint",
        "expires",
        "number",
        "payload",
        "request",
        "resends",
        "sent_at",
        "tries",
    )

    def __init__(self, request: R, address: Address, inbox: "Conversation[R]") -> None:
        self.request = request
        self.address = address
        self._inbox = inbox
        self.number = 0
        self.payload = b""
        self.tries = self.resends = 0
        self.sent_at = self.expires = 0.0
        self.complaint = ""

    def arrived(self, datagram: bytes, time_ns: int) -> None:
        self._inbox.arrived(self, datagram, time_ns)


class Conversation[R: Request]:
    """Carries one piece of work out with one device, until it is done or the deadline has come."""

    def __init__(
        self, endpoint: Endpoint, address: Address, security: Security, *, timeout: float, deadline: float
    ) -> None:
        """`deadline` is on the clock of `time.monotonic`, which is the loop's."""
        self._endpoint = endpoint
        self._address = address
        self._security = security
        self._timeout = timeout
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._flights: dict[int, _Flight[R]] = {}
        self._inbox: list[tuple[_Flight[R], bytes, int, float]] = []
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, work: Work[R], window: int) -> None:
        """Keep up to `window` requests in flight as long as the work has any; never raises an SnmpFault."""
        try:
            while True:
                self._launch(work, window)
                if not self._flights:
                    return
                await self._something()
                self._take_in(work)
                self._give_up(work)
        finally:
            if self._timer:
                self._timer.cancel()
            for number in self._flights:
                self._endpoint.forget(number)

    def arrived(self, flight: _Flight[R], datagram: bytes, time_ns: int) -> None:
        self._inbox.append((flight, datagram, time_ns, time.monotonic()))
        self._rouse()

    def _rouse(self) -> None:
        if self._wake and not self._wake.done():
            self._wake.set_result(None)

    async def _something(self) -> None:
        """Wait until a datagram has arrived or a flight may have expired."""
        if self._inbox:
            return
        if self._timer is None:
            expires = min(flight.expires for flight in self._flights.values())
            self._timer = self._loop.call_at(expires, self._time_is_up)
        self._wake = self._loop.create_future()
        await self._wake

    def _time_is_up(self) -> None:
        self._timer = None
        self._endpoint.drain()
        self._rouse()

    def _launch(self, work: Work[R], window: int) -> None:
        while len(self._flights) < window and time.monotonic() < self._deadline:
            request = work.next_request()
            if request is None:
                return
            flight = _Flight(request, self._address, self)
            number = flight.number = self._endpoint.expect(flight)
            self._flights[number] = flight
            flight.payload = pdu.encode_request(request.tag, number, request.names, request.repetitions)
            self._send(work, flight)

    def _send(self, work: Work[R], flight: _Flight[R]) -> None:
        now = flight.sent_at = time.monotonic()
        flight.expires = min(now + self._timeout, self._deadline)
        flight.tries += 1
        try:
            self._endpoint.send(self._security.wrap(flight.payload, flight.number), self._address)
        except SnmpFault as fault:
            self._land(flight)
            work.failed(flight.request, fault)

    def _land(self, flight: _Flight[R]) -> None:
        del self._flights[flight.number]
        self._endpoint.forget(flight.number)

    def _take_in(self, work: Work[R]) -> None:
        inbox, self._inbox = self._inbox, []
        for flight, datagram, time_ns, arrived_at in inbox:
            if flight.number not in self._flights:
                continue  # a second answer to the same request
            try:
                answer = self._open(flight, datagram)
            except Malformed as error:
                flight.complaint = str(error)
            except Resend:
                self._resend(work, flight)
            except SnmpFault as fault:
                self._land(flight)
                work.failed(flight.request, fault)
            else:
                self._land(flight)
                work.answered(flight.request, answer, time_ns, (arrived_at - flight.sent_at) * 1000)

    def _open(self, flight: _Flight[R], datagram: bytes) -> Pdu:
        answer = pdu.decode_pdu(self._security.unwrap(datagram, flight.number))
        if answer.tag != pdu.RESPONSE or answer.request_id != flight.number:
            raise Malformed("an answer that is no response to this request")
        return answer

    def _resend(self, work: Work[R], flight: _Flight[R]) -> None:
        flight.resends += 1
        if flight.resends <= MAX_RESENDS:
            flight.tries -= 1
            self._send(work, flight)
        else:
            self._land(flight)
            work.failed(flight.request, ProtocolFault(f"{self._address[0]}: SNMPv3 does not get in step"))

    def _give_up(self, work: Work[R]) -> None:
        """Send again what has expired, or fail it; the socket has been drained before."""
        if self._timer:
            return
        now = time.monotonic()
        for flight in [flight for flight in self._flights.values() if flight.expires <= now]:
            if flight.tries < flight.request.tries and now < self._deadline:
                self._send(work, flight)
            else:
                self._land(flight)
                work.failed(flight.request, self._silence(flight))

    def _silence(self, flight: _Flight[R]) -> SnmpFault:
        address, port = self._address
        if flight.complaint:
            return ProtocolFault(f"{address}: answers to SNMP on port {port} with {flight.complaint}")
        if fault := self._security.silence():
            return fault
        within = f"{self._timeout:g} s" + (f", {flight.tries} times" if flight.tries > 1 else "")
        return NoAnswer(
            f"{address}: no answer to SNMP on UDP port {port} within {within}; check that its "
            "agent runs and lets this address in, and the community or user: a wrong one may look the same"
        )
