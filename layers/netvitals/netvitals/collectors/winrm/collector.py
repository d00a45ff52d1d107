"""Poll one Windows host over WinRM: decide whether it answers, and read its vital signs."""

from typing import Any

from netvitals.collectors.login import THREADS, LoginCollector
from netvitals.collectors.winrm.access import access_of
from netvitals.collectors.winrm.answer import http_status
from netvitals.collectors.winrm.connection import WinrmConnection, connect
from netvitals.collectors.winrm.protocol import WINRM, WinrmCredential, WinrmSettings
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import Target

_CONNECT_SECONDS = 5.0


class WinrmCollector(LoginCollector[WinrmSettings, WinrmCredential]):
    """Queries WMI. A status poll is one HTTP request without a login."""

    def __init__(self, threads: int = THREADS) -> None:
        super().__init__(WINRM, threads)

    async def _poll(self, target: Target[WinrmSettings, WinrmCredential], reading: Reading) -> None:
        access = access_of(target)
        sock, reading.rtt_ms = await connect(target.address, access.port, _CONNECT_SECONDS)
        reading.alive = True
        if target.job.kind == "status":
            await http_status(sock, access)
            reading.reason = Reason.OK
            return
        connection = WinrmConnection(target.address, access.port, sock)
        if await self._run_session(target, connection, _blocking_poll, target, reading, connection, access):
            self._refusals.clear(target, reading)


def _blocking_poll(*arguments: Any) -> bool:
    """Import pywinrm with the first login: neither a status poll nor another protocol pays for it."""
    from netvitals.collectors.winrm.blocking import poll  # noqa: PLC0415, see above

    return poll(*arguments)
