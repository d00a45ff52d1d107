"""The collectors there are. A new protocol is one line here and one folder beside this file."""

import functools
from importlib import import_module
from typing import cast

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.ports import Collector

COLLECTORS = {
    "snmp": "netvitals.collectors.snmp.collector:SnmpCollector",
    "ssh": "netvitals.collectors.ssh.collector:SshCollector",
    "winrm": "netvitals.collectors.winrm.collector:WinrmCollector",
}


@functools.cache
def collector_for(protocol: str) -> Collector:
    """The process's one collector for this protocol, imported when first asked for.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        module, name = COLLECTORS[protocol].split(":")
    except KeyError:
        raise ConfigurationError(
            f"there is no collector for protocol {protocol!r}, only for {', '.join(COLLECTORS)}"
        ) from None
    return cast("Collector", getattr(import_module(module), name)())
