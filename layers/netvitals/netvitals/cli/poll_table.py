"""Print the tables of `netvitals poll`: all devices at a glance, or one device in detail."""

from asyncio import CancelledError
from collections.abc import Iterable, Sequence
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from netvitals.cli.console import console
from netvitals.cli.figures import figure, rate_figure, telling, total
from netvitals.cli.inventory_faults import counted
from netvitals.cli.poll_detail import detailed_view
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult, Reason, is_answered

REMEDIES = {
    Reason.TIMEOUT: "check that the service runs, its port, its access list and the credential",
    Reason.REFUSED: "nothing listens on that port: start the service or correct the port",
    Reason.UNREACHABLE: "check power, cable and the route to it",
    Reason.AUTH: "correct the credential, or the rights of its user on the device",
    Reason.UNSUPPORTED: "set other protocols for this device or its type",
    Reason.PROTOCOL: "the device breaks the protocol: try another version or profile",
    Reason.PARTIAL: "raise the device's time limit, or leave out what it is slow at",
    Reason.BAD_ADDRESS: "correct the address, or allow its network",
    Reason.BAD_CREDENTIAL: "add the credential to the credential map",
    Reason.HOST_KEY: "compare the host key with the device and pin the right one",
    Reason.INTERNAL: "report this with what --verbose shows",
}
"""What to do where a result's detail does not say more."""


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
            console=errors, transient=True, disable=not errors.is_terminal or detailed,
        )  # fmt: skip
        self._bar = self._progress.add_task("polling", total=len(jobs))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()
        if raised[0] not in (None, CancelledError, KeyboardInterrupt):
            return
        results = [self._results[job.key] for job in self._jobs if job.key in self._results]
        if self._detailed:
            for result in results:
                self._console.print(detailed_view(result, status(result), remark(result), rated=self._rated))
        else:
            self._console.print(overview(results, rated=self._rated))
            self._console.print(summary(results))

    def add(self, result: PollResult) -> None:
        self._results[result.job.key] = result
        self._progress.advance(self._bar)


def overview(results: Iterable[PollResult], *, rated: bool = False) -> Table:
    """Return a table with a line for each device; with `rated` traffic is per second, else in all."""
    worded, traffic = (rate_figure, ("in", "out")) if rated else (figure, ("in total", "out total"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("device", "status", "via"):
        table.add_column(name, no_wrap=True)
    for name in ("rtt", "cpu", "memory", "temp", "disk", *traffic):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("remarks", overflow="fold")
    for result in results:
        points = result.points
        table.add_row(
            escape(result.job.device_id),
            status(result),
            result.method,
            telling(points, "ping_rtt_ms"),
            telling(points, "cpu_percent"),
            telling(points, "memory_percent"),
            telling(points, "temperature_celsius"),
            telling(points, "disk_percent"),
            total(points, "net_bytes_in", worded),
            total(points, "net_bytes_out", worded),
            escape(remark(result)),
        )
    return table


def status(result: PollResult) -> str:
    if not any(point.metric_name == "ping_status" for point in result.points):
        return "[yellow]not asked[/]"
    if not result.reachable:
        return "[red]down[/]"
    return "[green]up[/]" if result.reason is Reason.OK else "[yellow]up, incomplete[/]"


def remark(result: PollResult) -> str:
    """Return why a device gave less than was asked, and what to do about it."""
    if result.reason is Reason.OK:
        return result.detail
    return f"{result.reason}: {result.detail or REMEDIES[result.reason]}"


def summary(results: Sequence[PollResult]) -> str:
    """Return how many devices were read, and what became of the others."""
    answered = sum(map(is_answered, results))
    silent = sum(not result.reachable for result in results)
    refused = sum(result.reachable and result.reason is Reason.AUTH for result in results)
    asked_for = "answered" if all(result.job.kind == "status" for result in results) else "read"
    counts = {
        asked_for: answered,
        "refused the login": refused if asked_for == "read" else 0,
        "did not answer": silent,
        "gave nothing": len(results) - answered - silent - (refused if asked_for == "read" else 0),
    }
    told = [f"{count} {what}" for what, count in counts.items() if count or what == asked_for]
    points = sum(len(result.points) for result in results)
    return f"{counted(len(results), 'device')}: {', '.join(told)}; {counted(points, 'point')}"
