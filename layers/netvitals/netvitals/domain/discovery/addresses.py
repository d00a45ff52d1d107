"""Decide which addresses a sweep asks, and in which order."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from netvitals.domain.errors import AddressDenied, ConfigurationError
from netvitals.domain.inventory.guard import Guard, Network

MAX_ADDRESSES = 65_536
"""Addresses that a sweep asks by default: a /16."""
_LAST_OCTETS = 256


def networks_of(texts: Sequence[str]) -> list[Network]:
    """Return networks and single addresses as networks.

    Raises:
        ConfigurationError: a text is neither.
    """
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text.strip(), strict=False))
        except ValueError:
            raise ConfigurationError(
                f"{text[:64]!r} is no network: write it as 10.1.0.0/16, or an address as 10.1.0.7"
            ) from None
    return networks


def addresses_in(networks: Sequence[Network], guard: Guard, *, most: int = MAX_ADDRESSES) -> list[str]:
    """Return the addresses of hosts in the networks that the guard lets through, each once.

    The order visits each /24 in turn, so that no router has to resolve a whole subnet's silent addresses at
    once; it is the same in each run, which is what continuing relies on.

    Raises:
        ConfigurationError: the networks have more than `most` addresses.
        AddressDenied: none of the addresses may be dialled.
    """
    count = sum(network.num_addresses for network in networks)
    if count > most:
        raise ConfigurationError(
            f"that is {count:,} addresses, more than {most:,}: sweep less at a time, "
            "or allow more with --max-addresses"
        )
    allowed, refusal = [], None
    for address in _interleaved(networks):
        try:
            guard.check(address)
        except AddressDenied as error:
            refusal = refusal or error
        else:
            allowed.append(address)
    if refusal and not allowed:
        raise refusal
    return allowed


def _interleaved(networks: Sequence[Network]) -> Iterator[str]:
    """Yield the hosts of all networks: the first of each block of 256 addresses, then the second of each."""
    blocks: dict[int, list[int]] = {}
    for network in networks:
        for number in _hosts(network):
            blocks.setdefault(number // _LAST_OCTETS, []).append(number)
    columns = [sorted(set(block)) for block in blocks.values()]
    for row in range(_LAST_OCTETS):
        for column in columns:
            if row < len(column):
                yield str(ip_address(column[row]))


def _hosts(network: Network) -> range:
    """Return the numbers of a network's addresses, without its own and its broadcast address."""
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.max_prefixlen - network.prefixlen <= 1:
        return range(first, last + 1)
    return range(first + 1, last if network.version == 4 else last + 1)  # noqa: PLR2004, IPv6 has no broadcast
