"""Back off after refused logins, so that a wrong password does not lock the account out."""

import functools
import hashlib
import time
from collections.abc import Callable
from typing import Any

import msgspec

from netvitals.collectors.memory import recall
from netvitals.domain.polling.observation import Reading
from netvitals.domain.ports import Target
from netvitals.domain.settings.secret import Secret

LONGEST_PAUSE_SECONDS = 3600
"""Longest time between two tries of a refused credential; account lockouts count over half an hour at
most."""
_FINGERPRINT_BITS = 12
_DEVICES_IN_PROCESS = 10_000


class _Refusal(msgspec.Struct, frozen=True):
    """A refused login as device memory holds it, under `<protocol>_refused`."""

    mark: str
    """The credential's fingerprint."""
    times: int
    until: int
    """Time before which the credential is not sent again, in seconds since the epoch."""


class Refusals:
    """Records the refused logins of one protocol, `ssh` or `winrm`; call `reason_to_wait` before each login.

    The pause after a refusal is the device's own interval, then twice that, and so on. Kept in device memory,
    and for one interval in the process as well, because a job may be delivered twice and a store be away.
    Another credential, or the same one with another content, is tried at once.
    """

    def __init__(self, protocol: str, clock: Callable[[], float] = time.time) -> None:
        self._protocol = protocol
        self._key = f"{protocol}_refused"
        self._clock = clock
        self._lately: dict[str, _Refusal] = {}

    def reason_to_wait(self, target: Target[Any, Any]) -> str | None:
        """Return why the credential must not be sent now, for a person; None where it may."""
        refusal = self._known(target)
        if refusal is None or refusal.until <= self._clock():
            return None
        again = time.strftime("%H:%M:%S", time.gmtime(refusal.until))
        return (
            f"the device has refused this credential ({refusal.times} in a row), which is not sent before "
            f"{again} UTC so that the account is not locked: correct it, and it is tried at once"
        )

    def record(self, target: Target[Any, Any], reading: Reading) -> None:
        """Remember that the device refused the login, and pause for longer each time."""
        before = self._known(target)
        times = before.times + 1 if before else 1
        job, now = target.job, self._clock()
        interval = max(1, job.expires_at - job.due_at)
        pause = min(interval * 2 ** min(times - 1, 30), max(interval, LONGEST_PAUSE_SECONDS))
        # Polls come at fixed times: one that comes a moment early is still the one after the pause.
        refusal = _Refusal(self._fingerprint(target), times, int(now + pause - interval / 4))
        reading.memory[self._key] = msgspec.to_builtins(refusal)
        while len(self._lately) >= _DEVICES_IN_PROCESS:
            self._lately.pop(next(iter(self._lately)))
        self._lately[job.device_id] = msgspec.structs.replace(
            refusal, until=min(refusal.until, int(now + interval * 3 / 4))
        )

    def clear(self, target: Target[Any, Any], reading: Reading) -> None:
        """Forget refusals: the device accepted the login."""
        self._lately.pop(target.job.device_id, None)
        if target.job.memory.get(self._key) is not None:
            reading.memory[self._key] = None

    def _known(self, target: Target[Any, Any]) -> _Refusal | None:
        """Return the last refusal of just this credential."""
        found = [recall(target.job.memory, self._key, _Refusal), self._lately.get(target.job.device_id)]
        known = [each for each in found if each is not None and each.mark == self._fingerprint(target)]
        return max(known, key=lambda each: (each.until, each.times), default=None)

    def _fingerprint(self, target: Target[Any, Any]) -> str:
        fields = msgspec.structs.asdict(target.credential)
        return fingerprint(f"{target.job.credential}\0{self._protocol}", tuple(fields.items()))


@functools.lru_cache(maxsize=1024)
def fingerprint(salt: str, fields: tuple[tuple[str, Any], ...]) -> str:
    """Return a 12-bit fingerprint of a credential: it shows a change and reveals nothing.

    It is stored with the device's state, so it holds few bits: thousands of millions of passwords share
    it, and finding them costs a slow hash each. It is the same for all devices with the credential, so that
    many devices do not add up to more bits. One change in 4096 goes unnoticed and waits for the pause.
    """
    content = msgspec.json.encode(
        [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in fields]
    )
    digest = hashlib.scrypt(content, salt=f"netvitals refusal\0{salt}".encode(), n=2**14, r=8, p=1, dklen=4)
    return f"{int.from_bytes(digest) >> (32 - _FINGERPRINT_BITS):03x}"
