"""List the protocols: a line for each folder in `collectors/` whose `protocol.py` describes one.

Everything that depends on a protocol follows from this table: the keys of device types and credentials, the
ports that are probed, what is remembered of a device and how, the options of `netvitals poll`, the levels of
library loggers, and which collector polls. A description imports nothing but msgspec and the domain; its
collector, and the library behind that, are imported when first used.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from netvitals.domain.polling.protocol import Protocol

_DESCRIPTIONS = (
    "netvitals.collectors.snmp.protocol:SNMP",
    "netvitals.collectors.ssh.protocol:SSH",
    "netvitals.collectors.winrm.protocol:WINRM",
)


def _described(path: str) -> Protocol[Any, Any]:
    module, _, name = path.partition(":")
    return cast("Protocol[Any, Any]", getattr(import_module(module), name))


PROTOCOLS: Mapping[str, Protocol[Any, Any]] = {
    protocol.name: protocol for protocol in map(_described, _DESCRIPTIONS)
}

_MEMORY = tuple(key for protocol in PROTOCOLS.values() for key in protocol.memory)
VITAL_MEMORY = frozenset(key.name for key in _MEMORY if key.vital)
WRITE_ONCE_MEMORY = frozenset(key.name for key in _MEMORY if key.write_once)
