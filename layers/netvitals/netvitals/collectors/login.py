"""Poll hosts by logging in with a library that blocks a thread, as SSH and WinRM do."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from typing import Protocol as Interface

from netvitals.collectors.host_faults import HostFault, LoginRefused
from netvitals.collectors.refusals import Refusals
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.protocol import CredentialPart, Protocol
from netvitals.domain.ports import Target
from netvitals.domain.settings.section import Section

THREADS = 64
"""Sessions at once in one process; more wait for a thread, within their device's time."""


class Connection(Interface):
    """Carries a session over the network."""

    def abort(self) -> None:
        """End whatever a thread waits for at it; may be called from any thread. The session closes it."""
        ...

    def close(self) -> None: ...


class LoginCollector[S: Section, C: CredentialPart](ABC):
    """Implements `ports.Collector`: connects on the event loop and runs a blocking session on a thread.

    So a host that does not answer takes no thread. A login that the host refuses is remembered, and the
    credential is withheld for a while; see `refusals`.
    """

    def __init__(self, protocol: Protocol[S, C], threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=protocol.name)
        self._refusals = Refusals(protocol.name)

    async def collect(self, target: Target[S, C], reading: Reading) -> None:
        """Implement `ports.Collector`."""
        try:
            await self._poll(target, reading)
        except HostFault as fault:
            if isinstance(fault, LoginRefused):
                self._refusals.record(target, reading)
            reading.fail(fault.reason, str(fault))

    @abstractmethod
    async def _poll(self, target: Target[S, C], reading: Reading) -> None:
        """Connect, and for metrics call `_run_session`.

        Raises:
            HostFault: the poll ends, for its reason; LoginRefused where the credential was refused.
        """

    async def _run_session[Result](
        self, target: Target[S, C], connection: Connection, session: Callable[..., Result], *arguments: Any
    ) -> Result:
        """Return what `session(*arguments)` returns, which runs on a thread and closes the connection.

        The connection is aborted at the target's deadline, and when this is cancelled.

        Raises:
            HostFault: the credential was refused lately, and is not sent now; or what the session raises.
        """
        withheld = self._refusals.reason_to_wait(target)
        if withheld is not None:
            connection.close()
            raise HostFault(Reason.AUTH, withheld)
        watchdog = asyncio.get_running_loop().call_at(target.deadline, connection.abort)
        running = self._threads.submit(session, *arguments)
        try:
            return await asyncio.wrap_future(running)
        finally:
            watchdog.cancel()
            if running.cancelled():  # before a thread took it up
                connection.close()
            elif not running.done():
                connection.abort()
