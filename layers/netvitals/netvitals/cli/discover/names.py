"""Name discovered devices that have no name of their own by a reverse lookup of their addresses in DNS."""

import socket
import time
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread

import msgspec

from netvitals.domain.discovery.merge import Discovered
from netvitals.domain.inventory.guard import is_name

SECONDS = 10.0
"""Time for all lookups together: a network without a name server must not delay the result."""
_THREADS = 16
BY_DNS = "named by DNS"

type Names = Callable[[str], str]
"""Returns the name of an address, or an empty text."""


def name_by_dns(
    devices: Iterable[Discovered], name_of: Names | None = None, seconds: float = SECONDS
) -> None:
    """Give devices without a name that of their address in DNS, and note where it comes from."""
    nameless = {each.addresses[0]: each for each in devices if not each.found.name}
    for address, name in _names(nameless, name_of or confirmed_name, seconds).items():
        device = nameless[address]
        device.found = msgspec.structs.replace(device.found, name=name)
        device.note = "; ".join(filter(None, (device.note, BY_DNS)))


def confirmed_name(address: str) -> str:
    """Return the name that DNS has for an address, if that name resolves to the address as well.

    Whoever owns an address may call it anything; only the name's owner can make the name lead there.
    """
    try:
        name = socket.gethostbyaddr(address)[0].rstrip(".")
        if not is_name(name):
            return ""
        leads_to = {str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return ""
    return name if address in leads_to else ""


def _names(addresses: Iterable[str], name_of: Names, seconds: float) -> Mapping[str, str]:
    """Return the names that were found in time; threads that still wait are abandoned."""
    waiting, found = [*addresses], SimpleQueue[tuple[str, str]]()
    shares = [waiting[n::_THREADS] for n in range(_THREADS)]

    def work(share: Iterable[str]) -> None:
        for address in share:
            found.put((address, name_of(address)))

    for share in filter(None, shares):
        Thread(target=work, args=(share,), daemon=True).start()
    names: dict[str, str] = {}
    deadline = time.monotonic() + seconds
    try:
        for _ in waiting:
            address, name = found.get(timeout=max(0.0, deadline - time.monotonic()))
            if name:
                names[address] = name
    except Empty:
        pass
    return names
