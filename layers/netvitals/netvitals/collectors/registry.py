"""Load collectors and options of protocols when first used, from the paths in the table of protocols."""

import functools
from importlib import import_module
from typing import Any, cast

from netvitals.collectors.command_line import CommandLine
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.ports import Collector
from netvitals.domain.protocols import PROTOCOLS


@functools.cache
def collector_for(name: str) -> Collector:
    """Return the process's one collector for this protocol, imported when first asked for.

    Raises:
        ConfigurationError: there is no such protocol.
    """
    protocol = PROTOCOLS.get(name)
    if protocol is None:
        raise ConfigurationError(f"there is no protocol {name!r}, only {', '.join(PROTOCOLS)}")
    return cast("Collector", _loaded(protocol.collector)())


@functools.cache
def command_lines() -> dict[str, CommandLine]:
    """Return the options of each protocol that has some; others are polled from an inventory only."""
    paths = {name: protocol.command_line for name, protocol in PROTOCOLS.items() if protocol.command_line}
    return {name: cast("CommandLine", _loaded(path)) for name, path in paths.items()}


def _loaded(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
