"""Ask one SNMP agent: requests in flight, timeouts, repeats, and `SnmpSession`, which collectors use."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.tables import Tables
from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.decode import decode_pdu
from netvitals.collectors.snmp.wire.encode import encode_request
from netvitals.collectors.snmp.wire.faults import (
    Malformed,
    NoAnswer,
    ProtocolFault,
    Resend,
    SnmpFault,
    TooMuch,
    Unproven,
)
from netvitals.collectors.snmp.wire.get import GetWork
from netvitals.collectors.snmp.wire.pdu import Pdu
from netvitals.collectors.snmp.wire.security import Security
from netvitals.collectors.snmp.wire.transport import Address, Endpoint, canonical, endpoint_to
from netvitals.collectors.snmp.wire.walk import Pace, WalkWork
from netvitals.collectors.snmp.wire.work import Request, Work
from netvitals.domain.polling.budget import SLICE_SECONDS, Budget, BudgetSpent

MAX_RESENDS = 4
"""Times that a request is sent again for v3: two to learn engine id and time, one more after a reboot, and
one spare."""
MAX_MALFORMED = 3
"""Datagrams under a request's id that are no answer to it, after which the request has failed."""
MAX_UNINVITED = 50
"""Objects beyond those asked for that are read of an answer."""
MAX_WAITING = 3
"""Datagrams under one id that wait to be read; a request is sent that often by default."""
MAX_MISPLACED = 16
"""Datagrams under one id from another address that may be answers; more are a flood."""


class _Flight[R: Request](msgspec.Struct, eq=False):
    """A request that was sent and not answered yet; implements `Waiter` for its answer."""

    request: R
    address: Address
    inbox: "Conversation[R]"
    number: int = 0
    payload: bytes = b""
    datagram: bytes = b""
    tries: int = 0
    resends: int = 0
    sent_at: float = 0.0
    expires: float = 0.0
    malformed: int = 0
    """Datagrams that were no answer."""
    complaint: str = ""
    """Text that says what was wrong with the last of them."""
    refusal: SnmpFault | None = None
    """Fault of a report without a signature."""
    unsure: bool = False
    """True where such a report says that the device has another engine than the request names."""
    waiting: int = 0
    """Datagrams that have arrived and are not read yet."""
    misplaced: int = 0
    """Datagrams that came from another address or port."""
    elsewhere: Address | None = None
    """Address and port of the last of them."""

    def arrived(self, datagram: bytes, time_ns: int) -> None:
        self.inbox.arrived(self, datagram, time_ns)

    def arrived_from(self, source: Address) -> bool:
        self.misplaced += 1
        self.elsewhere = source
        return self.misplaced <= MAX_MISPLACED

    def moved(self) -> None:
        self.inbox.moved(self)


class Conversation[R: Request]:
    """Carries out one piece of work with one device, until it is done or the deadline has come."""

    def __init__(
        self,
        endpoint: Endpoint,
        address: Address,
        security: Security,
        *,
        timeout: float,
        deadline: float,
        budget: Budget,
    ) -> None:
        """Send nothing yet; `deadline` is on the clock of `time.monotonic`, which is the loop's."""
        self._endpoint = endpoint
        self._address = address
        self._security = security
        self._timeout = timeout
        self._deadline = deadline
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._flights: dict[int, _Flight[R]] = {}
        self._inbox: deque[tuple[_Flight[R], bytes, int, float]] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, work: Work[R], window: int) -> None:
        """Keep up to `window` requests in flight as long as the work has any; never raises an SnmpFault."""
        try:
            while True:
                self._launch(work, window)
                if not self._flights:
                    return
                await self._wait()
                await self._take_in(work)
                self._give_up(work)
        finally:
            if self._timer:
                self._timer.cancel()
            for number in self._flights:
                self._endpoint.forget(number)

    def arrived(self, flight: _Flight[R], datagram: bytes, time_ns: int) -> None:
        if flight.waiting < MAX_WAITING:
            flight.waiting += 1
            late = max(0, time.time_ns() - time_ns) / 1e9
            self._inbox.append((flight, datagram, time_ns, max(flight.sent_at, time.monotonic() - late)))
            self._wake_up()

    def moved(self, flight: _Flight[R]) -> None:
        """Send the same once more, from the endpoint that has taken the closed one's place."""
        self._endpoint = endpoint_to(self._address[0])
        self._endpoint.adopt(flight.number, flight)
        with suppress(SnmpFault):  # as good as lost: the timeout follows
            self._endpoint.send(flight.datagram, self._address)

    def _wake_up(self) -> None:
        if self._wake and not self._wake.done():
            self._wake.set_result(None)

    async def _wait(self) -> None:
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
        self._wake_up()

    def _launch(self, work: Work[R], window: int) -> None:
        while len(self._flights) < window and time.monotonic() < self._deadline:
            request = work.next_request()
            if request is None:
                return
            if self._endpoint.closed:
                self._endpoint = endpoint_to(self._address[0])
            flight = _Flight(request, self._address, self)
            number = flight.number = self._endpoint.expect(flight)
            self._flights[number] = flight
            flight.payload = encode_request(request.tag, number, request.names, request.repetitions)
            self._send(work, flight)

    def _send(self, work: Work[R], flight: _Flight[R]) -> None:
        now = flight.sent_at = time.monotonic()
        flight.expires = min(now + self._timeout, self._deadline)
        flight.tries += 1
        try:
            flight.datagram = self._security.wrap(flight.payload, flight.number)
            self._endpoint.send(flight.datagram, self._address)
        except SnmpFault as fault:
            self._fail(work, flight, fault)

    def _complete(self, flight: _Flight[R]) -> None:
        del self._flights[flight.number]
        self._endpoint.forget(flight.number)

    async def _take_in(self, work: Work[R]) -> None:
        """Look at what has arrived by now, in turns with everybody else."""
        began = time.monotonic()
        for _ in range(len(self._inbox)):
            flight, datagram, time_ns, arrived_at = self._inbox.popleft()
            flight.waiting -= 1
            if flight.number in self._flights:  # else a second answer to the same request
                self._take(work, flight, datagram, time_ns, (arrived_at - flight.sent_at) * 1000)
            if time.monotonic() - began >= SLICE_SECONDS:
                await asyncio.sleep(0)
                began = time.monotonic()

    def _take(self, work: Work[R], flight: _Flight[R], datagram: bytes, time_ns: int, rtt_ms: float) -> None:
        try:
            self._budget.spend_bytes(len(datagram))
            answer = self._open(flight, datagram)
        except Unproven as error:
            flight.complaint, flight.refusal = str(error), error.fault or flight.refusal
            flight.unsure = error.fault is None
        except Malformed as error:
            flight.malformed += 1
            flight.complaint = str(error)
            if flight.malformed >= MAX_MALFORMED:
                self._fail(work, flight, self._silence(flight))
        except Resend:
            self._resend(work, flight)
        except BudgetSpent as spent:
            self._fail(work, flight, TooMuch(f"{self._address[0]}: {spent}"))
        except SnmpFault as fault:
            self._fail(work, flight, fault)
        else:
            self._complete(flight)
            work.answered(flight.request, answer, time_ns, rtt_ms)

    def _open(self, flight: _Flight[R], datagram: bytes) -> Pdu:
        request = flight.request
        most = len(request.names) * (request.repetitions or 1) + MAX_UNINVITED
        answer = decode_pdu(self._security.unwrap(datagram, flight.number), most=most)
        if answer.tag != pdu.RESPONSE or answer.request_id != flight.number:
            raise Malformed("an answer that is no response to this request")
        return answer

    def _fail(self, work: Work[R], flight: _Flight[R], fault: SnmpFault) -> None:
        self._complete(flight)
        work.failed(flight.request, fault)

    def _resend(self, work: Work[R], flight: _Flight[R]) -> None:
        flight.resends += 1
        if flight.resends <= MAX_RESENDS:
            flight.tries -= 1
            self._send(work, flight)
        else:
            self._fail(work, flight, ProtocolFault(f"{self._address[0]}: SNMPv3 does not get in step"))

    def _give_up(self, work: Work[R]) -> None:
        """Send again what has expired, or fail it; the socket has been drained before."""
        if self._timer:
            return
        now = time.monotonic()
        for flight in [flight for flight in self._flights.values() if flight.expires <= now]:
            if now < self._deadline and flight.unsure:
                flight.unsure = False
                self._resend(work, flight)
            elif now < self._deadline and flight.tries < flight.request.tries and not flight.refusal:
                self._send(work, flight)
            else:
                self._fail(work, flight, flight.refusal or self._silence(flight))

    def _silence(self, flight: _Flight[R]) -> SnmpFault:
        address, port = self._address
        if flight.complaint:
            return ProtocolFault(f"{address}: answers to SNMP on port {port} with {flight.complaint}")
        if fault := self._security.silence():
            return fault
        if flight.elsewhere:
            return _misplaced(self._address, flight.elsewhere)
        within = f"{self._timeout:g} s" + (f", {flight.tries} times" if flight.tries > 1 else "")
        return NoAnswer(
            f"{address}: no answer to SNMP on UDP port {port} within {within}; check that its "
            "agent runs and lets this address in, and the community or user: a wrong one may look the same"
        )


def _misplaced(asked: Address, elsewhere: Address) -> NoAnswer:
    """Return the fault of a device that answers from another of its addresses, or from another port."""
    address, port = asked
    if elsewhere[0] == address:
        return NoAnswer(
            f"{address}: answers to SNMP come from port {elsewhere[1]} instead of {port}, and are not taken: "
            "look for address translation on the way, or update its SNMP agent"
        )
    return NoAnswer(
        f"{address}: answers to SNMP come from {elsewhere[0]} instead, and are not taken: poll it at that "
        "address, or set the source address of its SNMP agent"
    )


class Read(msgspec.Struct, frozen=True):
    """Result of one call; an object that the agent does not have is absent."""

    tables: Tables
    error: SnmpFault | None = None
    """Fault for which some objects may be missing that the agent has."""
    faults: Mapping[str, SnmpFault] = {}
    """Faults of the columns whose end was not reached, by column."""
    rtt_ms: float = 0.0
    """Round trip of the first response to a GET, in milliseconds."""


class SnmpSession:
    """Asks one device until `deadline`; all sessions share the sockets."""

    def __init__(
        self,
        address: str,
        security: Security,
        settings: SnmpSettings,
        deadline: float,
        *,
        repetitions: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Send nothing yet; `address` is an IP address, `deadline` on the clock of `time.monotonic`.

        `repetitions` is what `SnmpSession.repetitions` was at the end of the poll before.
        """
        self.deadline = deadline
        self._address = (canonical(address), settings.port)
        self._security = security
        self._settings = settings
        self._budget = budget or Budget(max_values=settings.max_varbinds)
        most = settings.max_repetitions
        self._pace = Pace(repetitions or most, most, bulk=security.supports_bulk)

    @property
    def repetitions(self) -> int:
        """Return the rows per GETBULK that this device manages, to be remembered for its next poll."""
        return self._pace.repetitions

    @property
    def rows(self) -> dict[str, int]:
        """Return how many rows the tables have whose end was seen, by the OID above their columns."""
        return self._pace.rows

    def expect(self, rows: Mapping[str, int]) -> None:
        """Ask tables for no more than so many rows at first, which is what the poll before has found."""
        self._pace.rows.update(rows)

    async def get(self, oids: Sequence[str]) -> Read:
        """Get the objects of these names, in as few requests as fit.

        Raises:
            SnmpFault: nothing was answered, or nothing but a refusal.
        """
        work = GetWork(oids, self._settings.retries + 1)
        await self._carry_out(work, self.deadline)
        fault = work.fault
        if work.unasked or not work.answers:
            fault = fault or self._out_of_time()
        if fault and (not work.answers or (fault.reason == "auth" and not work.tables)):
            raise fault
        return Read(work.tables, fault, rtt_ms=work.rtt_ms)

    async def walk(self, columns: Sequence[str], seconds: float | None = None) -> Read:
        """Read all rows of these columns, in at most so many seconds.

        The device's faults are never raised: they stand beside the rows that came before.
        """
        deadline = self.deadline if seconds is None else min(self.deadline, time.monotonic() + seconds)
        settings = self._settings
        work = WalkWork(columns, self._pace, retries=settings.retries, budget=self._budget)
        await self._carry_out(work, deadline)
        work.close(self._out_of_time())
        return Read(work.tables(), work.fault, work.faults)

    async def read(self, scalars: Sequence[str], columns: Sequence[str]) -> Read:
        """Get scalars and walk columns, both at once; faults are as in `walk`."""
        if not scalars or not columns:
            return await (self.walk(columns) if columns else self._get_any(scalars))
        got, walked = await asyncio.gather(self._get_any(scalars), self.walk(columns))
        got.tables.update(walked.tables)
        return Read(got.tables, got.error or walked.error, walked.faults)

    async def _get_any(self, oids: Sequence[str]) -> Read:
        try:
            return await self.get(oids) if oids else Read(Tables())
        except SnmpFault as fault:
            return Read(Tables(), fault)

    async def _carry_out[R: Request](self, work: Work[R], deadline: float) -> None:
        conversation: Conversation[R] = Conversation(
            endpoint_to(self._address[0]),
            self._address,
            self._security,
            timeout=self._settings.timeout_seconds,
            deadline=deadline,
            budget=self._budget,
        )
        await conversation.run(work, self._settings.requests_in_flight)

    def _out_of_time(self) -> NoAnswer:
        return NoAnswer(f"{self._address[0]}: its time was up before SNMP had answered everything")
