"""Print the results of `netvitals poll`: streams for programs, tables for people."""

from collections.abc import Callable, Sequence
from typing import Protocol, Self

import click
import msgspec
from msgspec import UNSET

from netvitals.cli.poll.inputs import PollOptions
from netvitals.cli.poll.line import PointLine, PollLine
from netvitals.cli.poll.remarks import remark
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.observation import PollResult
from netvitals.domain.polling.point import Point
from netvitals.store.line_protocol import encode


class ResultOutput(Protocol):
    """Takes results as devices finish."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def add(self, result: PollResult) -> None: ...


def output_for(options: PollOptions, jobs: Sequence[Job]) -> ResultOutput:
    """Return the output that the options ask for; one result is to come for each job."""
    if options.format_ == "jsonl":
        return _Stream(lambda result: [json_line(result, rated=options.rate is not None)])
    if options.format_ == "lines":
        return _Stream(lambda result: encode(result.job.device_id, result.points), _tell)
    from netvitals.cli.poll.table import TableOutput  # noqa: PLC0415, rich is for people

    return TableOutput(jobs, detailed=options.address is not None, rated=options.rate is not None)


class _Stream:
    def __init__(
        self, lines_of: Callable[[PollResult], list[str]], tell: Callable[[PollResult], None] | None = None
    ) -> None:
        """Print the `lines_of` each result; `tell` prints on standard error what the format can't express."""
        self._lines_of, self._tell = lines_of, tell

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, result: PollResult) -> None:
        for line in self._lines_of(result):
            click.echo(line)
        if self._tell:
            self._tell(result)


def _tell(result: PollResult) -> None:
    """Print on standard error why a device gave less than was asked, which line protocol can't express."""
    if told := remark(result):
        click.echo(f"netvitals: {result.job.device_id}: {told}", err=True)


def json_line(result: PollResult, *, rated: bool = False) -> str:
    """Return a result as one line of JSON; its keys are a contract, `detail` is for people.

    With `rated`, a counter has `per_second` in the place of `value`.
    """
    line = PollLine(
        device_id=result.job.device_id,
        reachable=result.reachable,
        method=result.method,
        reason=result.reason,
        detail=result.detail,
        duration_ms=round(result.duration_ms, 3),
        points=[_point(point, rated=rated) for point in result.points],
    )
    return msgspec.json.encode(line).decode()


def _point(point: Point, *, rated: bool) -> PointLine:
    is_rate = rated and METRICS[point.metric_name].kind == "counter"
    return PointLine(
        point.metric_name,
        UNSET if is_rate else point.value,
        point.value if is_rate else UNSET,
        point.instance,
        point.if_index,
    )
