"""Remember a device's SNMP engine: its id, how often it booted, when it did so last.

Knowing it saves a poll the round trip of discovery (RFC 3414, 4). It is kept in this process and, for the
next one, in the device's memory.
"""

from collections import OrderedDict
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from netvitals.collectors.snmp.protocol import SnmpCredential

KNOWN_ENGINES = 16_384
TIME_WINDOW_SECONDS = 150
"""Seconds of the time window (RFC 3414, 2.2.3)."""
MAX_BOOTS = 2**31 - 1
"""Boots from which on an engine takes no messages until it gets new keys (RFC 3414, 2.2.2)."""
_DRIFT_SECONDS = 10
"""Seconds of drift from which on device memory is written again."""


class EngineMemory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An engine, as device memory holds it."""

    id: Annotated[str, Meta(pattern="^([0-9a-f]{2}){1,32}$")]
    boots: Annotated[int, Meta(ge=0, le=MAX_BOOTS)]
    booted_at: Annotated[int, Meta(ge=-(2**31), le=2**40)]
    """Time of the engine's start in seconds since the epoch, on our clock."""


class Engine:
    """Tracks an engine's clock, in whole seconds since it booted, by our wall clock.

    Not by the monotonic clock, which may stand still while Lambda has frozen the process. Where the wall
    clock is set, the agent reports it once, and its time is taken over.
    """

    __slots__ = ("booted_at", "boots", "id", "latest")

    def __init__(self, engine_id: bytes, boots: int, time: int, now: float) -> None:
        self.id = engine_id
        self.set(boots, time, now)

    def set(self, boots: int, time: int, now: float) -> None:
        self.boots = boots
        self.latest = time
        """Highest time that the engine itself has reported."""
        self.booted_at = int(now) - time

    def time(self, now: float) -> int:
        return min(max(int(now) - self.booted_at, 0), MAX_BOOTS)

    def accepts(self, boots: int, time: int, now: float) -> bool:
        """Return whether an authenticated message is recent, after learning from it (RFC 3414, 3.2, 7b)."""
        if boots > self.boots or (boots == self.boots and time > self.latest):
            self.set(boots, time, now)
        return boots == self.boots < MAX_BOOTS and time >= self.time(now) - TIME_WINDOW_SECONDS

    def remembered(self) -> EngineMemory:
        return EngineMemory(self.id.hex(), self.boots, self.booted_at)


def engine_of(memory: Any, now: float) -> Engine | None:
    """Return the engine that device memory describes; None where there is none or it makes no sense."""
    try:
        known = msgspec.convert(memory, EngineMemory)
    except msgspec.ValidationError:
        return None
    return Engine(bytes.fromhex(known.id), known.boots, max(int(now) - known.booted_at, 0), now)


def differs(memory: Any, engine: Engine) -> bool:
    """Return whether device memory should be written again: another engine, or a clock that drifted."""
    try:
        known = msgspec.convert(memory, EngineMemory)
    except msgspec.ValidationError:
        return True
    drift = abs(known.booted_at - engine.booted_at)
    return (known.id, known.boots) != (engine.id.hex(), engine.boots) or drift > _DRIFT_SECONDS


type Peer = tuple[SnmpCredential, str, int]
"""Credential, address and port: an engine learnt by one user's messages is not used for another's."""


class EngineCache:
    """Keeps the engines that this process knows; the least recently used are dropped first."""

    def __init__(self, size: int = KNOWN_ENGINES) -> None:
        self._size = size
        self._engines: OrderedDict[Peer, Engine] = OrderedDict()

    def get(self, peer: Peer) -> Engine | None:
        engine = self._engines.get(peer)
        if engine is not None:
            self._engines.move_to_end(peer)
        return engine

    def put(self, peer: Peer, engine: Engine) -> None:
        self._engines[peer] = engine
        self._engines.move_to_end(peer)
        if len(self._engines) > self._size:
            self._engines.popitem(last=False)

    def drop(self, peer: Peer) -> None:
        self._engines.pop(peer, None)
