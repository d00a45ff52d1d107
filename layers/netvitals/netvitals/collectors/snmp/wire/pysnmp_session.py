"""Carry requests that the fast session declines (`usm.declined`, that is 3DES) by pysnmp's engine.

Only the transport differs. The same code as elsewhere decides what to ask, and reads the same octets of the
answers, so the results are the same too. A request costs milliseconds here, an engine
some 200 ms once; and pysnmp holds on to a device's engine id for five minutes, so replaced hardware is
silent for so long.
"""

import asyncio
import time
from itertools import count
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.cmdgen import CommandGenerator
from pysnmp.error import PySnmpError
from pysnmp.proto import errind
from pysnmp.proto.api import v2c

from netvitals.collectors.snmp.protocol import SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.decode import decode_pdu
from netvitals.collectors.snmp.wire.encode import encode_request
from netvitals.collectors.snmp.wire.faults import (
    Malformed,
    NoAnswer,
    ProtocolFault,
    SnmpFault,
    TooMuch,
    Unsupported,
)
from netvitals.collectors.snmp.wire.pdu import Pdu
from netvitals.collectors.snmp.wire.reports import (
    DECRYPTION_ERROR,
    NOT_IN_TIME_WINDOW,
    REPORTS,
    UNKNOWN_ENGINE,
    fault_of_report,
)
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.collectors.snmp.wire.transport import Address
from netvitals.collectors.snmp.wire.usm import AUTH_MODELS, PRIV_MODELS
from netvitals.collectors.snmp.wire.v3 import UserSecurity
from netvitals.collectors.snmp.wire.work import Request, Work
from netvitals.domain.polling.budget import Budget, BudgetSpent

_TARGET = "netvitals"
_PDUS = {pdu.GET: v2c.GetRequestPDU, pdu.GET_NEXT: v2c.GetNextRequestPDU, pdu.GET_BULK: v2c.GetBulkRequestPDU}
_REPORTS = {
    errind.UnsupportedSecurityLevel: "1.3.6.1.6.3.15.1.1.1",
    errind.NotInTimeWindow: NOT_IN_TIME_WINDOW,
    errind.UnknownUserName: "1.3.6.1.6.3.15.1.1.3",
    errind.UnknownEngineID: UNKNOWN_ENGINE,
    errind.WrongDigest: "1.3.6.1.6.3.15.1.1.5",
    errind.DecryptionError: DECRYPTION_ERROR,
}


_DATAGRAM_BYTES = 4096
"""Bytes of a datagram that is decoded, as pysnmp takes 10 µs a byte: larger ones are dropped, and the session
asks for less."""


class _BoundedUdp(udp.UdpAsyncioTransport):  # type: ignore[misc]  # pysnmp has no types
    def datagram_received(self, datagram: bytes, transport_address: Any) -> None:
        if len(datagram) <= _DATAGRAM_BYTES:
            super().datagram_received(datagram, transport_address)


class _BoundedUdp6(udp6.Udp6AsyncioTransport):  # type: ignore[misc]  # as above
    def datagram_received(self, datagram: bytes, transport_address: Any) -> None:
        if len(datagram) <= _DATAGRAM_BYTES:
            super().datagram_received(datagram, transport_address)


class PysnmpEngine:
    """Asks through a pysnmp engine of one user: on one engine, users of one name share their keys."""

    def __init__(self, credential: SnmpCredential) -> None:
        self._credential = credential
        self._engine = SnmpEngine()
        self._domains: set[tuple[int, ...]] = set()
        self._numbers = count(1)
        auth, priv = credential.auth, credential.priv
        config.add_v3_user(
            self._engine,
            credential.user,
            AUTH_MODELS[auth].oid if auth else config.USM_AUTH_NONE,
            credential.auth_key and credential.auth_key.reveal().encode(),
            PRIV_MODELS[priv].expansion.SERVICE_ID if priv else config.USM_PRIV_NONE,
            credential.priv_key and credential.priv_key.reveal().encode(),
        )
        level = "authPriv" if priv else "authNoPriv" if auth else "noAuthNoPriv"
        config.add_target_parameters(self._engine, _TARGET, credential.user, level)

    def _domain(self, address: Address) -> tuple[int, ...]:
        """Return the transport for an address of this family, opened at its first use."""
        carrier = udp6 if ":" in address[0] else udp
        domain: tuple[int, ...] = carrier.DOMAIN_NAME
        if domain not in self._domains:
            transport = _BoundedUdp6 if carrier is udp6 else _BoundedUdp
            config.add_transport(self._engine, domain, transport().open_client_mode())
            self._domains.add(domain)
        return domain

    async def ask(self, address: Address, request: bytes, seconds: float) -> bytes:
        """Send a request PDU once, and return the octets of the response PDU.

        Raises:
            SnmpFault: there was none, but a report or silence.
        """
        name = f"{_TARGET}-{next(self._numbers)}"
        answer: asyncio.Future[tuple[Any, Any]] = asyncio.get_running_loop().create_future()

        def settle(_engine: Any, _handle: Any, indication: Any, response: Any, _context: Any) -> None:
            if not answer.done():
                answer.set_result((indication, response))

        message, _ = decoder.decode(request, asn1Spec=_PDUS[request[0]]())
        config.add_target_address(
            self._engine, name, self._domain(address), address, _TARGET, seconds * 100, 0
        )
        try:
            CommandGenerator().send_pdu(
                self._engine, name, None, self._credential.context, message, settle, None
            )
            indication, response = await answer
        except (PySnmpError, PyAsn1Error) as error:
            raise Unsupported(f"{address[0]}: pysnmp can't ask this: {type(error).__name__}") from None
        finally:
            config.delete_target_address(self._engine, name)
        if indication:
            raise self._fault(indication, address[0])
        octets: bytes = encoder.encode(response)
        return octets

    def _fault(self, indication: Any, address: str) -> SnmpFault:
        if isinstance(indication, errind.RequestTimedOut):
            return NoAnswer(
                f"{address}: no answer to SNMP; check that its agent runs and lets us in; many agents "
                "are silent as well when the priv_key or the context is wrong"
            )
        known = _REPORTS.get(type(indication)) or str(indication).removesuffix(".0")
        if known in REPORTS:
            return fault_of_report(known, self._credential, address)
        return ProtocolFault(f"{address}: {indication}")


_engines: dict[tuple[asyncio.AbstractEventLoop, SnmpCredential], PysnmpEngine] = {}


def _engine_for(credential: SnmpCredential) -> PysnmpEngine:
    """Return the running loop's engine of this credential; an engine of another loop would wait for ever."""
    loop = asyncio.get_running_loop()
    engine = _engines.get((loop, credential))
    if engine is None:
        for key in [key for key in _engines if key[0].is_closed()]:
            del _engines[key]
        engine = _engines[loop, credential] = PysnmpEngine(credential)
    return engine


class PysnmpSession(SnmpSession):
    """Sends the requests of an `SnmpSession` one after the other, through pysnmp."""

    def __init__(
        self,
        address: str,
        credential: SnmpCredential,
        settings: SnmpSettings,
        deadline: float,
        *,
        repetitions: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        security = UserSecurity(credential, address, settings.port)  # not asked for a message in here
        super().__init__(address, security, settings, deadline, repetitions=repetitions, budget=budget)
        self._credential = credential

    async def _carry_out[R: Request](self, work: Work[R], deadline: float) -> None:
        engine = _engine_for(self._credential)
        while (now := time.monotonic()) < deadline and (request := work.next_request()):
            try:
                async with asyncio.timeout(deadline - now):
                    answer = await self._ask(engine, request)
            except SnmpFault as fault:
                work.failed(request, fault)
            except TimeoutError:
                work.failed(request, self._out_of_time())
            else:
                work.answered(request, answer, time.time_ns(), (time.monotonic() - now) * 1000)

    async def _ask(self, engine: PysnmpEngine, request: Request) -> Pdu:
        for tries_left in reversed(range(request.tries)):
            octets = encode_request(request.tag, 0, request.names, request.repetitions)
            try:
                answer = await engine.ask(self._address, octets, self._settings.timeout_seconds)
                self._budget.spend_bytes(len(answer))
                return decode_pdu(answer)
            except NoAnswer:
                if not tries_left:
                    raise
            except BudgetSpent as spent:
                raise TooMuch(f"{self._address[0]}: {spent}") from None
            except Malformed as error:
                raise ProtocolFault(f"{self._address[0]}: answers with {error}") from None
        raise self._out_of_time()
