"""Guard which addresses may be dialled, so that no inventory row turns the collector against other hosts."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from netvitals.domain.errors import AddressDenied, ConfigurationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_NEVER: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), why)
    for network, why in (
        # IANA's special-purpose registries (RFC 6890); documentation ranges need no ban, only a listing.
        ("0.0.0.0/8", "means this host"),
        ("169.254.0.0/16", "is link-local, where the metadata service lives"),
        ("192.0.0.0/24", "is reserved for protocols"),
        ("192.88.99.0/24", "is a 6to4 relay"),
        ("224.0.0.0/4", "is multicast"),
        ("240.0.0.0/4", "is reserved or broadcast"),
        ("::/128", "means no address"),
        ("::/96", "is a deprecated IPv4-compatible address"),
        ("64:ff9b:1::/48", "is a local NAT64 prefix, which hides an IPv4 address"),
        ("100::/64", "is discarded"),
        ("2001::/32", "is a Teredo tunnel, which hides an IPv4 address"),
        ("2002::/16", "is a 6to4 tunnel, which hides an IPv4 address"),
        ("fd00:ec2::/32", "belongs to the metadata service"),
        ("fe80::/10", "is link-local"),
        ("fec0::/10", "is deprecated site-local"),
        ("ff00::/8", "is multicast"),
    )
)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)
_NUMERIC_END = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)


def is_name(text: str) -> bool:
    """Return whether this is a host name, and nothing that resolvers take for an address, as `127.1`."""
    return len(text) <= 253 and bool(_NAME.fullmatch(text)) and not _NUMERIC_END.search(text)  # noqa: PLR2004, RFC 1035


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"allowed networks: {text!r} is no network ({error}): write it as 10.0.0.0/8"
        ) from None


def _unwrapped(ip: Address) -> Address:
    """Return the IPv4 address within an IPv4-mapped or NAT64 address, and any other address as it is."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def names_loopback(allowed: Sequence[str]) -> bool:
    """Return whether these networks name loopback in so many words."""
    return any(_network(text).is_loopback for text in allowed)


class Guard:
    """Lets through the addresses of the allowed networks, less those that no device has.

    No allowed network lets nothing through. `allow_local` is for runs on one machine: it admits loopback,
    all of it or the loopback networks that are listed. Without it a listed loopback network stays closed,
    because on Lambda loopback is the runtime's own interface.
    """

    def __init__(self, allowed: Sequence[str], allow_local: bool = False) -> None:  # noqa: FBT001, FBT002, a setting's name
        self._allowed = [_network(text) for text in allowed]
        self._allow_local = allow_local
        if allow_local and not any(network.is_loopback for network in self._allowed):
            self._allowed += _LOOPBACK

    def check(self, address: str) -> str:
        """Return the canonical form of an IP address that may be dialled.

        Raises:
            AddressDenied: it may not, or it is no address; says why, and which setting would change that.
        """
        ip = self._parsed(address)
        reached = _unwrapped(ip)
        self._refuse_special(address, reached)
        self._refuse_unlisted(address, reached)
        return str(ip if ip in _NAT64 else reached)

    def _parsed(self, address: str) -> Address:
        try:
            ip = ip_address(address)
        except ValueError:
            raise AddressDenied(
                f"{address[:64]!r} is no IP address: write four numbers without leading zeros, or IPv6"
            ) from None
        if isinstance(ip, IPv6Address) and ip.scope_id is not None:
            raise AddressDenied(f"{address[:64]!r} has a zone, which means something on one host only")
        return ip

    def _refuse_special(self, address: str, ip: Address) -> None:
        if ip.is_loopback:
            if not self._allow_local:
                raise AddressDenied(
                    f"{address} is loopback, the collector's own host: only a local run may poll it "
                    "(NETVITALS_ALLOW_LOCAL=1, or --allow 127.0.0.0/8 on the command line)"
                )
            return
        for network, why in _NEVER:
            if ip.version == network.version and ip in network:
                raise AddressDenied(f"{address} {why}: no setting allows it, correct the inventory")

    def _refuse_unlisted(self, address: str, ip: Address) -> None:
        network = next((n for n in self._allowed if n.version == ip.version and ip in n), None)
        if network is None:
            listed = ", ".join(map(str, self._allowed)) or "none"
            raise AddressDenied(
                f"{address} is in no allowed network ({listed}): "
                "add its network to NETVITALS_ALLOWED_NETWORKS, or --allow it on the command line"
            )
        point_to_point = network.max_prefixlen - network.prefixlen <= 1
        if ip.version == 4 and ip == network.broadcast_address and not point_to_point:  # noqa: PLR2004, IPv4
            raise AddressDenied(f"{address} is the broadcast address of {network}: correct the inventory")
