"""Define the facts that each protocol states once, in `collectors/<protocol>/protocol.py`."""

from collections.abc import Callable, Mapping
from typing import Literal, cast

import msgspec

from netvitals.domain.settings.section import Section


class CredentialPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a credential: what is needed to access a device over one protocol."""


class MemoryKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of `device_state.memory`, where a poll leaves something for the next one."""

    name: str
    vital: bool = False
    """True where it travels in jobs as well, so that a poll for which `device_state` can't be read knows
    it."""
    write_once: bool = False
    """True where it is never replaced once it is stored, whatever a later poll brings."""


class Protocol[S: Section, C: CredentialPart](msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table `domain.protocols.PROTOCOLS`."""

    name: str
    """Name in `protocols` of a device type; the key of its settings and of its part of a credential."""
    settings: type[S]
    credential: type[C]
    port: Callable[[S], int]
    """Returns the port at which a device with these settings is asked."""
    transport: Literal["tcp", "udp"] = "tcp"
    """Transport of the port: the host probe tries the TCP ports of a device's protocols as well."""
    memory: tuple[MemoryKey, ...] = ()
    """The keys that its collector reads and writes; no two protocols share one."""
    collector: str
    """`package.module:Class`, imported when a device is first asked; implements `ports.Collector`."""
    command_line: str = ""
    """`package.module:NAME` of a `collectors.command_line.CommandLine`, for `netvitals poll ADDRESS`."""
    without_memory: Callable[[S], S] | None = None
    """Returns the settings of a poll for which the device's memory can't be read; None: the same."""
    insisting: Callable[[S], S] | None = None
    """Returns the settings of a status poll whose device did not answer before; None: the same."""
    loggers: Mapping[str, str] = {}
    """Loggers of its library, with the lowest level of each that is logged."""

    def settings_of(self, settings: Section) -> S:
        """Return this protocol's section of `PollSettings`, which are made from the table."""
        return cast("S", getattr(settings, self.name))

    def part_of(self, credential: msgspec.Struct) -> C | None:
        """Return this protocol's part of a `Credential`, which is made from the table; None without one."""
        return cast("C | None", getattr(credential, self.name))
