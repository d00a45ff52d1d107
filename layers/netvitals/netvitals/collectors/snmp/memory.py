"""Define the device memory of SNMP polls: the last findings, and when everything is queried again."""

from typing import Annotated

import msgspec
from msgspec import Meta

_ASK_AGAIN_SECONDS = (240, 3600, 86_400)
"""Seconds until all is asked for again: after the first time, the second, and each later one.

An agent in its first minute has no CPU yet, and a module that restarts is absent for minutes; what is plugged
in later is found within a day.
"""
_SLACK_SECONDS = 60
_DRIFT = 0.02
"""Share of the time that has passed by which a device's clock may be slow."""


class SnmpMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """Part of device memory under the key `snmp`: what the last polls left."""

    sysobjectid: str = ""
    profile: str = ""
    sources: dict[str, list[int]] = {}
    """Numbers of the sources that gave something, by section that was asked for."""
    asked_all_at: int = 0
    """Time at which everything was asked for, in seconds since the epoch; 0: it is to be asked for now."""
    asked_all: int = 0
    """Number of times that everything was asked for since the device was first polled, restarted or lost
    something."""
    uptime: int | None = None
    """Uptime of the agent at that time, in seconds."""
    host_uptime: bool = False
    """True where the host has an uptime of its own, beside its agent's."""
    all_64_bit: bool = False
    silent: list[str] = []
    """Columns of which the last poll got no row while others of their table had some.

    Where such a one is silent once more, the agent is taken not to have it, and does without. The first time
    its rows were lost on the way, and nothing is taken in their place.
    """
    repetitions: int | None = None
    rows: dict[str, Annotated[int, Meta(ge=0, lt=2**16)]] = {}
    """Rows of small tables, by the OID above their columns: a request asks for no more."""

    def is_stale(self, now: float) -> bool:
        """Return whether it is time to ask for everything."""
        times = min(self.asked_all, len(_ASK_AGAIN_SECONDS))
        return not (self.asked_all_at and times) or now - self.asked_all_at > _ASK_AGAIN_SECONDS[times - 1]

    def is_of_earlier_start(self, uptime: float | None, now: float) -> bool:
        """Return whether an agent that is up for so long has started since everything was asked for."""
        if uptime is None or self.uptime is None or not self.asked_all_at:
            return False
        if uptime < self.uptime:
            return True
        elapsed = now - self.asked_all_at
        # An agent whose uptime does not move has not restarted each time.
        return uptime > self.uptime and uptime < elapsed * (1 - _DRIFT) - _SLACK_SECONDS

    def asked_everything(self, uptime: float | None, now: float) -> "SnmpMemory":
        """Return the memory of a poll that asks for everything."""
        return msgspec.structs.replace(
            self,
            asked_all_at=int(now),
            asked_all=min(self.asked_all + 1, len(_ASK_AGAIN_SECONDS)),
            uptime=None if uptime is None else int(uptime),
        )

    def to_be_asked(self) -> "SnmpMemory":
        """Return the memory after which the next poll asks for everything, as of a device just met."""
        return msgspec.structs.replace(self, asked_all_at=0, asked_all=0)
