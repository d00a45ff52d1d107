"""Select interfaces by name; transient ones are not collected unless configured.

InfluxDB keeps a series for ever, and each container, virtual machine or session would be some more of them.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from netvitals.domain.settings.section import Section

TRANSIENT_INTERFACES = (
    # Containers: Docker, Podman, LXC and LXD, and what connects the pods of Kubernetes.
    r"^(veth|br-[0-9a-f]{12}$|podman|lxc|lxd|cni\d|cali|flannel|cilium|kube-|(azv|eni|gke)[0-9a-f]{11}$"
    # Virtual machines: libvirt, OpenStack, Proxmox, VMware; jails of FreeBSD.
    r"|virbr|vnet\d|tap|q(br|vb|vo)[0-9a-f]|fw(br|ln|pr)\d|vmnet|epair\d"
    # Users who dial in: PPPoE, `<pppoe-…>` and `<l2tp-…>` of RouterOS, Virtual-Access of IOS.
    r"|pppoe-?\d|<\w+-|Vi(rtual-Access)?\d)"
)
"""Expression for names that are made up for a container, a virtual machine or a session."""
TRANSIENT_HOST_INTERFACES = TRANSIENT_INTERFACES.removesuffix(")") + r"|docker|u?tun\d|ppp\d)"
"""Expression for hosts, where Docker's and VPN users' come and go as well; on a router or firewall somebody
has configured them."""


_OURS = {text: re.compile(text) for text in (TRANSIENT_INTERFACES, TRANSIENT_HOST_INTERFACES)}
"""Expressions of our own, compiled by `re`: RE2, which guards against slow ones, takes 10 ms to import."""


class InterfaceNames(Section, frozen=True):
    """Filter of interfaces by name."""

    include_names: str | None = None
    """A regular expression: only interfaces in whose name it is found. It is RE2's, that is Python's without
    look-around and back-references."""
    exclude_names: str | None = TRANSIENT_INTERFACES
    """A regular expression as in `include_names`: no interface in whose name it is found. Unless set: those
    that containers, virtual machines and dial-in users bring; null collects them as well."""

    def __post_init__(self) -> None:
        for key in ("include_names", "exclude_names"):
            try:
                _search(getattr(self, key))
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None

    def wants(self, name: str) -> bool:
        """Return whether the interface of this name is collected."""
        return _wanted(self.include_names, self.exclude_names, name)


class HostInterfaceNames(InterfaceNames, frozen=True):
    """Filter of a host's interfaces by name."""

    exclude_names: str | None = TRANSIENT_HOST_INTERFACES
    """A regular expression as in `include_names`: no interface in whose name it is found. Unless set: those
    that containers, virtual machines, VPNs and dial-in users bring; null collects them as well."""


@lru_cache(maxsize=8192)  # many devices name their interfaces alike
def _wanted(include_names: str | None, exclude_names: str | None, name: str) -> bool:
    include, exclude = _search(include_names), _search(exclude_names)
    return (include is None or bool(include(name))) and not (exclude is not None and exclude(name))


def _search(expression: str | None) -> Callable[[str], Any] | None:
    """Return what finds an expression in a name; None where there is none.

    Raises:
        ValueError: it is no regular expression that is supported.
    """
    if not expression:
        return None
    if expression in _OURS:
        return _OURS[expression].search
    from netvitals.domain.patterns import compiled  # noqa: PLC0415, see `_OURS`

    return compiled(expression).found_in
