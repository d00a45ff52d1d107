"""Start a task after a while, or when it is waited for: most of the time it need not start at all."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from netvitals.usecases.protocol_runner import seconds_left, stop


class LateTask:
    """Runs a coroutine once, at the latest when it is waited for."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._begin = begin
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> asyncio.Task[None]:
        """Start it now, unless it has been started."""
        if self._task is None:
            self._task = asyncio.create_task(self._begin())
        return self._task

    def start_after(self, seconds: float, unless: Callable[[], bool]) -> None:
        """Start it in so many seconds, unless it is needless by then."""
        self._timer = asyncio.get_running_loop().call_later(seconds, lambda: unless() or self.start())

    async def wait(self, end: float) -> None:
        """Wait for its end, until `end` on the event loop's clock; it is started where it was not."""
        await asyncio.wait({self.start()}, timeout=seconds_left(end))

    async def stop(self) -> None:
        """Cancel the task, or prevent its start."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            await stop(self._task)
