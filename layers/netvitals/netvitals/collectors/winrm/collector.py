"""One Windows host over WinRM: is it there, and what are its vital signs."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from netvitals.collectors.host_faults import HostFault
from netvitals.collectors.refusals import Refusals
from netvitals.collectors.winrm.access import Access, access_of
from netvitals.collectors.winrm.answer import http_status
from netvitals.collectors.winrm.faults import Refused, WinrmFault
from netvitals.collectors.winrm.line import Line, PlainSocket, connect
from netvitals.collectors.winrm.protocol import WINRM, WinrmCredential, WinrmSettings
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import Target

_THREADS = 64
_CONNECT_SECONDS = 5.0


type WinrmTarget = Target[WinrmSettings, WinrmCredential]


class WinrmCollector:
    """Implements `ports.Collector`.

    Connecting happens on the event loop, so that only a host that accepts takes one of the threads.
    """

    def __init__(self, threads: int = _THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="winrm")
        self._refusals = Refusals(WINRM.name)

    async def collect(self, target: WinrmTarget, reading: Reading) -> None:
        try:
            await self._collect(target, reading)
        except Refused as refusal:
            self._refusals.refused(target, reading)
            reading.fail(refusal.reason, str(refusal))
        except HostFault as fault:
            reading.fail(fault.reason, str(fault))

    async def _collect(self, target: WinrmTarget, reading: Reading) -> None:
        access = access_of(target)
        sock, reading.rtt_ms = await connect(target.address, access.port, _CONNECT_SECONDS)
        reading.alive = True
        if target.job.kind == "status":
            await http_status(sock, access)
            reading.reason = Reason.OK
            return
        standing = self._refusals.standing(target)
        if standing is not None:
            sock.close()
            raise WinrmFault(Reason.AUTH, standing)
        if await self._on_thread(target, reading, sock, access):
            self._refusals.accepted(target, reading)

    async def _on_thread(
        self, target: WinrmTarget, reading: Reading, sock: PlainSocket, access: Access
    ) -> bool:
        """The visit, ended with the device's time, and when nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        line = Line(target.address, access.port, sock)
        watchdog = loop.call_at(target.deadline, line.abort)
        visit = self._threads.submit(_visit, target, reading, line, access)
        try:
            return await asyncio.wrap_future(visit)
        finally:
            watchdog.cancel()
            if visit.cancelled():  # no thread has touched it
                line.close()
            elif not visit.done():
                line.abort()


def _visit(*arguments: Any) -> bool:
    """The library comes with the first login: a status poll does not pay for its import, nor does SNMP."""
    from netvitals.collectors.winrm.visit import visit  # noqa: PLC0415, see above

    return visit(*arguments)
