"""Print the tables of `netvitals poll`: all devices at a glance, or one device in detail."""

from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from netvitals.cli.console import console
from netvitals.cli.figures import counted, figure, rate_figure, telling, total
from netvitals.cli.fitting_table import Column, fitting_table
from netvitals.cli.poll.detail import detailed_view
from netvitals.cli.poll.remarks import in_options, is_asked, remark
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult, Reason, is_answered
from netvitals.usecases.slots import endpoint


class TableOutput:
    """Shows progress on standard error when that is a terminal, and the table at the end."""

    def __init__(self, jobs: Sequence[Job], *, detailed: bool, rated: bool = False) -> None:
        self._jobs = jobs
        self._results: dict[str, PollResult] = {}
        self._detailed, self._rated = detailed, rated
        self._console = console()
        errors = Console(stderr=True)
        self._progress = Progress(
            TextColumn("polling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[waiting]}"),
            console=errors, transient=True, disable=not errors.is_terminal or detailed,
        )  # fmt: skip
        self._unfinished = Counter(endpoint(job.address, job.settings) for job in jobs)
        self._bar = self._progress.add_task("polling", total=len(jobs), waiting=self._waiting())

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()
        if raised[0] not in (None, CancelledError, KeyboardInterrupt):
            return
        results = [self._results[job.key] for job in self._jobs if job.key in self._results]
        if self._detailed or not results:
            for result in results:
                told = in_options(remark(result))
                self._console.print(detailed_view(self._console, result, told, rated=self._rated))
        else:
            self._console.print(overview(self._console, results, rated=self._rated))
            for result in filter(remark, results):
                self._console.print(Text(f"{result.job.device_id}: {remark(result)}"), soft_wrap=True)
            self._console.print(summary(results))

    def add(self, result: PollResult) -> None:
        self._results[result.job.key] = result
        self._unfinished[endpoint(result.job.address, result.job.settings)] -= 1
        self._progress.update(self._bar, advance=1, waiting=self._waiting())

    def _waiting(self) -> str:
        """Return how many devices wait for another of the same address and port."""
        waiting = sum(count - 1 for count in self._unfinished.values() if count > 1)
        return f"{waiting:,} waiting for an address that is busy" if waiting else ""


def overview(console: Console, results: Sequence[PollResult], *, rated: bool = False) -> Table:
    """Return a table with a line for each device; with `rated` traffic is per second, else the total."""
    worded, traffic = (rate_figure, ("in", "out")) if rated else (figure, ("in total", "out total"))
    columns = (
        Column("device", is_flexible=True), Column("status"),
        Column("via", least=5), Column("rtt", "right", 6),
        Column("cpu", "right"), Column("memory", "right", 1),
        Column("temp", "right", 3), Column("disk", "right", 2),
        *(Column(title, "right", 4) for title in traffic),
    )  # fmt: skip
    return fitting_table(console, columns, [_row(result, worded) for result in results])


def _row(result: PollResult, worded: Callable[[str, float], str]) -> list[str | Text]:
    points = result.points
    return [
        result.job.device_id,
        status(result),
        result.method,
        telling(points, "ping_rtt_ms"),
        telling(points, "cpu_percent"),
        telling(points, "memory_percent"),
        telling(points, "temperature_celsius"),
        telling(points, "disk_percent"),
        total(points, "net_bytes_in", worded),
        total(points, "net_bytes_out", worded),
    ]


def status(result: PollResult) -> Text:
    if not is_asked(result):
        return Text("not asked", "yellow")
    if not result.reachable:
        return Text("down", "red")
    return Text("up", "green") if result.reason is Reason.OK else Text("up, incomplete", "yellow")


def summary(results: Sequence[PollResult]) -> str:
    """Return a line: how many devices were read, and why the others were not."""
    answered = sum(map(is_answered, results))
    unasked = sum(not is_asked(result) for result in results)
    silent = sum(not result.reachable for result in results) - unasked
    refused = sum(result.reachable and result.reason is Reason.AUTH for result in results)
    asked_for = "answered" if all(result.job.kind == "status" for result in results) else "read"
    counts = {
        asked_for: answered,
        "refused the login": refused if asked_for == "read" else 0,
        "did not answer": silent,
        "not asked": unasked,
        "gave nothing": len(results) - answered - silent - unasked - (refused if asked_for == "read" else 0),
    }
    told = [f"{count} {what}" for what, count in counts.items() if count or what == asked_for]
    points = sum(len(result.points) for result in results)
    return f"{counted(len(results), 'device')}: {', '.join(told)}; {counted(points, 'point')}"
