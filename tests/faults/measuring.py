"""What a process that is attacked spends: the event loop's time at a stretch, and memory at its peak."""

import asyncio
import time
from pathlib import Path
from typing import Self

_BEAT_SECONDS = 0.002


class Stretches:
    """Watches the running loop: how long it was kept from its next turn, in processor time."""

    def __init__(self) -> None:
        self.loop_ms = self.held_ms = 0.0
        """The most that one callback took of the loop's thread, and the process between two turns."""
        self._stop = False
        self._inner = vars(asyncio.Handle)["_run"]

    def __enter__(self) -> Self:
        inner = self._inner

        def timed(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            inner(handle)
            self.loop_ms = max(self.loop_ms, (time.thread_time() - began) * 1e3)

        setattr(asyncio.Handle, "_run", timed)  # noqa: B010, the stubs know another signature
        self._beat()
        return self

    def _beat(self, before: float | None = None) -> None:
        now = time.process_time()
        if before is not None:
            self.held_ms = max(self.held_ms, (now - before) * 1e3)
        if not self._stop:
            asyncio.get_running_loop().call_later(_BEAT_SECONDS, self._beat, now)

    def __exit__(self, *_: object) -> None:
        self._stop = True
        setattr(asyncio.Handle, "_run", self._inner)  # noqa: B010, as above


def memory_mb(key: str) -> float:
    """Return `VmRSS`, what the process holds now, or `VmHWM`, the most since its peak began anew."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def begin_peak_anew() -> None:
    Path("/proc/self/clear_refs").write_text("5")  # proc_pid_clear_refs(5)
