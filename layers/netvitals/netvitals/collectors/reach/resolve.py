"""Resolve an address or hostname of the inventory to the one address that is dialled."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from netvitals.domain.errors import NameNotResolved
from netvitals.domain.inventory.guard import Guard, is_name

Lookup = Callable[[str], Awaitable[Sequence[str]]]
TIMEOUT_SECONDS = 5.0
_THREADS = 16


class Resolver:
    """Looks a name up once; every one of its addresses must pass the guard, and the first is dialled.

    Looking up again when dialling would let a name server give the guard one address and us another.
    """

    def __init__(self, guard: Guard, lookup: Lookup | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        self._guard = guard
        self._lookup = lookup or _SystemLookup()
        self._timeout = timeout

    async def resolve(self, host: str) -> str:
        """Return the canonical IP address to dial for an address or a hostname.

        Raises:
            AddressDenied: it, or one of the name's addresses, may not be dialled.
            NameNotResolved: the name has no address, or none in time.
        """
        if not is_name(host):
            return self._guard.check(host)
        passed = [self._guard.check(answer) for answer in await self._answers(host)]
        return passed[0]

    async def _answers(self, name: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(self._timeout):
                answers = await self._lookup(name)
        except TimeoutError:
            raise NameNotResolved(
                f"{name}: no name server answered within {self._timeout:g} s: check the resolver, "
                "or give the device an ip_address"
            ) from None
        except (OSError, UnicodeError) as error:
            raise NameNotResolved(f"{name} does not resolve: {error}") from None
        if not answers:
            raise NameNotResolved(f"{name} has no address")
        return answers


class _SystemLookup:
    """Calls `getaddrinfo` in threads of its own, so that a name server that hangs holds up no other work."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, name: str) -> Sequence[str]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _getaddrinfo, name)
        return list(dict.fromkeys(found))


def _getaddrinfo(name: str) -> list[str]:
    return [str(sockaddr[0]) for *_, sockaddr in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
