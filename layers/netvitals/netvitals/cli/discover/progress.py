"""Show the progress of a discovery on standard error."""

import asyncio
import sys

import click

from netvitals.usecases.discover import Progress

_TERMINAL_SECONDS, _FILE_SECONDS = 0.5, 15.0
_SECONDS_A_MINUTE = 60


class DiscoveryProgress:
    """Rewrites one line on a terminal, and adds a line at intervals elsewhere; an async context manager."""

    def __init__(self, progress: Progress, rate: float) -> None:
        self._progress = progress
        self._rate = rate
        self._terminal = sys.stderr.isatty()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._show())

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
        if self._terminal:
            click.echo("\r\x1b[K", nl=False, err=True)

    async def _show(self) -> None:
        while True:
            await asyncio.sleep(_TERMINAL_SECONDS if self._terminal else _FILE_SECONDS)
            line = self.line()
            click.echo(f"\r\x1b[K{line}" if self._terminal else line, nl=not self._terminal, err=True)

    def line(self) -> str:
        """Return the progress as a line of text."""
        progress = self._progress
        left = (progress.to_ask - progress.asked) / self._rate
        refused = f", {progress.refused:,} without a fitting credential" if progress.refused else ""
        return (
            f"asked {progress.asked:,} of {progress.to_ask:,}: {progress.found:,} found{refused}; "
            f"{_duration(left)} left at most"
        )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), _SECONDS_A_MINUTE)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
