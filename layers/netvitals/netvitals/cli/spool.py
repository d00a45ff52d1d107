"""Implement `netvitals spool`: show and replay spooled points, refused lines, and dead letters."""

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.markup import escape
from rich.table import Table

from netvitals.adapters.aws import clients as aws
from netvitals.adapters.aws import redrive as redrive_sqs
from netvitals.adapters.aws.spool import SqsSpool
from netvitals.cli.console import console
from netvitals.cli.figures import counted, duration
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.text import printable
from netvitals.store.outcome import Refusal
from netvitals.store.spool_batch import InvalidSpoolBatch, SpoolBatch, decode_spool_batch

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from netvitals.store.ports import SpoolMessage

REPLAY_SECONDS = 60.0


class _FailedInvocation(msgspec.Struct):
    """Describes the record that Lambda sends to a failure destination for an event it gave up."""

    context: dict[str, Any] = msgspec.field(name="requestContext")
    request: Any = msgspec.field(name="requestPayload")
    response: dict[str, Any] = msgspec.field(name="responsePayload", default_factory=dict)


_EVERYTHING = 1_000_000

_spool_option = click.option(
    "--spool", "spool_url", envvar="NETVITALS_SPOOL_QUEUE_URL", metavar="URL", help="URL of the spool queue."
)
_rejects_option = click.option(
    "--rejects",
    "rejects_url",
    envvar="NETVITALS_REJECT_QUEUE_URL",
    metavar="URL",
    help="URL of the reject queue.",
)


@click.group(short_help="Show, replay and move what could not be stored.")
def spool() -> None:
    """Show, replay and move what could not be stored when it was measured.

    Points and observations wait in the spool and are replayed by themselves; lines that InfluxDB refuses
    for what they say are set aside with the reason. Queues are named by the options or by
    NETVITALS_SPOOL_QUEUE_URL and NETVITALS_REJECT_QUEUE_URL, the stack's outputs; AWS's region and
    credentials come from the environment.
    """


@spool.command()
@_spool_option
@_rejects_option
def status(spool_url: str | None, rejects_url: str | None) -> None:
    """Show how much waits, since when and why.

    Age, records and cause come from a sample of up to ten messages that are due now.
    """
    table = Table("queue", "due", "hidden", "oldest", "records", "cause", box=None, header_style="bold")
    for name, url in (("spool", spool_url), ("rejects", rejects_url)):
        if url:
            table.add_row(name, *_figures(_queue(url)))
    if not table.row_count:
        raise ConfigurationError("no queue is named: use --spool or NETVITALS_SPOOL_QUEUE_URL")
    console().print(table)


def _figures(queue: SqsSpool) -> tuple[str, ...]:
    depth = queue.depth()
    sample = queue.receive(visibility_seconds=0)
    if not sample:
        return str(depth.waiting), str(depth.hidden), "", "", ""
    batches = [_opened(message) for message in sample]
    return (
        str(depth.waiting),
        str(depth.hidden),
        _age(min(message.sent_at for message in sample)),
        str(sum(len(batch.records) for batch in batches)),
        escape(batches[0].cause),
    )


@spool.command(short_help="Replay now what waits, or COUNT messages.")
@click.argument("count", type=click.IntRange(min=1), default=_EVERYTHING, metavar="[COUNT]")
@_spool_option
def replay(count: int, spool_url: str | None) -> None:
    """Replay COUNT messages now, or all that are due, with the settings of the replay function.

    Stops at the first obstacle and exits 1. Messages that wait for their next attempt are hidden and are
    not taken.
    """
    # InfluxDB's and the database's clients take a second to import, and only this command needs them.
    from netvitals.wiring.parts import Parts  # noqa: PLC0415, see above
    from netvitals.wiring.replay import replay as replaying  # noqa: PLC0415, see above

    queue = _queue(_named(spool_url, "--spool", "NETVITALS_SPOOL_QUEUE_URL"))
    use_case = Parts(os.environ).use(replaying)
    taken = points = observations = 0
    while taken < count and (messages := queue.receive(min(10, count - taken), int(REPLAY_SECONDS) + 60)):
        report = use_case.run(messages, time.monotonic() + REPLAY_SECONDS)
        for message in messages:
            if message.id not in report.failed_ids:
                queue.delete(message)
                taken += 1
        points += report.points_replayed
        observations += report.observations_replayed
        if report.failed_ids:
            _say_replayed(taken, points, observations)
            raise click.ClickException(f"{counted(len(report.failed_ids), 'message')} left: {report.detail}")
    _say_replayed(taken, points, observations)


def _say_replayed(messages: int, points: int, observations: int) -> None:
    stored = f"{counted(points, 'point')}, {counted(observations, 'observation')}"
    click.echo(f"{counted(messages, 'message')} replayed: {stored}")


@spool.command()
@_rejects_option
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Lines to show.")
@click.option("--jsonl", is_flag=True, help="One JSON object per line, uncut, in place of the table.")
@click.option("--delete", is_flag=True, help="Delete the messages that were shown.")
def rejects(rejects_url: str | None, *, limit: int, jsonl: bool, delete: bool) -> None:
    """Show the lines that were refused, and why."""
    queue = _queue(_named(rejects_url, "--rejects", "NETVITALS_REJECT_QUEUE_URL"))
    seen: list[SpoolMessage] = []
    shown: list[tuple[SpoolMessage, Refusal]] = []
    while len(shown) < limit and (messages := queue.receive()):
        seen += messages
        shown += [(message, refusal) for message in messages for refusal in _refusals(message)]
    _show(shown, jsonl=jsonl)
    for message in seen:
        if delete:
            queue.delete(message)
        else:
            queue.postpone(message, 0)


def _refusals(message: "SpoolMessage") -> list[Refusal]:
    try:
        return [msgspec.json.decode(record, type=Refusal) for record in _opened(message).records]
    except msgspec.DecodeError as error:
        return [Refusal(message.body, f"no refusal: {error}")]


def _show(shown: "list[tuple[SpoolMessage, Refusal]]", *, jsonl: bool) -> None:
    if jsonl:
        for message, refusal in shown:
            age = int(time.time() - message.sent_at)
            found = {"age_seconds": age, "reason": refusal.reason, "line": refusal.line}
            click.echo(msgspec.json.encode(found))
        return
    table = Table(box=None, header_style="bold")
    table.add_column("age", no_wrap=True)
    table.add_column("reason", ratio=2)
    table.add_column("line", ratio=3, overflow="fold")
    for message, refusal in shown:
        reason, line = printable(refusal.reason), printable(refusal.line, 400)
        table.add_row(_age(message.sent_at), escape(reason), escape(line))
    console().print(table)
    click.echo(counted(len(shown), "refused line"))


@spool.command(short_help="Send dead letters back to their queue.")
@click.argument("dead_letters", metavar="QUEUE")
@click.option(
    "--to", "target", metavar="QUEUE", help="The queue to send to; unless given, the queue they came from."
)
@click.option("--count", type=click.IntRange(min=1), default=_EVERYTHING, show_default=False, help="At most.")
def redrive(dead_letters: str, target: str | None, count: int) -> None:
    """Send the dead letters of QUEUE, a URL or a name, back to the queue that gave them up.

    Do so once the cause is gone. Jobs that have expired by then are dropped and counted.
    """
    client = _client()
    source = redrive_sqs.queue_url(client, dead_letters)
    goal = redrive_sqs.queue_url(client, target) if target else redrive_sqs.source_of(client, source)
    if source == goal:
        raise ConfigurationError(f"{source} would be moved to itself; name another queue with --to")
    moved = redrive_sqs.move(client, source, goal, count)
    click.echo(f"{counted(moved, 'message')} moved to {goal}")


@spool.command(short_help="Show dead letters and take them out for good.")
@click.argument("dead_letters", metavar="QUEUE")
@click.option("--count", type=click.IntRange(min=1), default=_EVERYTHING, show_default=False, help="At most.")
def discard(dead_letters: str, count: int) -> None:
    """Show what lies in QUEUE, a URL or a name, and delete it.

    For ticks of the schedules that were lost, which nothing needs any more, and for whatever is not worth
    a redrive.
    """
    client = _client()
    source = redrive_sqs.queue_url(client, dead_letters)
    gone = 0
    for messages in redrive_sqs.discard(client, source, count):
        for message in messages:
            click.echo(f"{_age(int(message['Attributes']['SentTimestamp']) / 1000):>8}  {_said(message)}")
        gone += len(messages)
    click.echo(f"{counted(gone, 'message')} deleted from {source}")


def _said(letter: "MessageTypeDef") -> str:
    """Return why a message is a dead letter, as Scheduler or Lambda recorded it, and the message itself."""
    attributes = letter.get("MessageAttributes", {})
    cause = attributes["ERROR_MESSAGE"].get("StringValue", "") if "ERROR_MESSAGE" in attributes else ""
    body = letter["Body"]
    with suppress(msgspec.DecodeError):
        failed = msgspec.json.decode(body, type=_FailedInvocation)
        body = msgspec.json.encode(failed.request).decode()
        cause = failed.response.get("errorMessage") or failed.context.get("condition") or cause
    return f"{printable(str(cause), 200)}: {printable(body, 200)}" if cause else printable(body, 400)


def _opened(message: "SpoolMessage") -> SpoolBatch:
    try:
        return decode_spool_batch(message.body)
    except InvalidSpoolBatch as error:
        return SpoolBatch(content="refusals", records=[message.body], cause=str(error))


def _named(url: str | None, option: str, variable: str) -> str:
    if not url:
        raise ConfigurationError(f"no queue is named: use {option} or {variable}")
    return url


def _client() -> "SQSClient":
    sqs: SQSClient = aws.client("sqs")
    return sqs


def _queue(url: str) -> SqsSpool:
    return SqsSpool(_client(), url)


def _age(sent_at: float) -> str:
    return duration(max(0.0, time.time() - sent_at))
