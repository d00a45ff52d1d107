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
from netvitals.cli.figures import counted, duration_words
from netvitals.cli.formats import format_option
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
    """The record that Lambda sends to a failure destination for an event it gave up."""

    context: dict[str, Any] = msgspec.field(name="requestContext")
    request: Any = msgspec.field(name="requestPayload")
    response: dict[str, Any] = msgspec.field(name="responsePayload", default_factory=dict)


_EVERYTHING = 1_000_000
_EPILOG = """\b
Examples:
  export NETVITALS_SPOOL_QUEUE_URL=…       the stack's output SpoolQueueUrl
  export NETVITALS_REJECT_QUEUE_URL=…      the stack's output RejectQueueUrl
  netvitals spool status                   how much waits, and why
  netvitals spool replay                   replay now what is due
  netvitals spool rejects --format jsonl > refused.jsonl
  netvitals spool redrive QUEUE            dead letters, back to their queue
  netvitals spool discard QUEUE --count 10

\b
Exit status:
  0  done
  1  some messages could not be replayed
  2  wrong usage, or a queue can't be used"""

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


@click.group(epilog=_EPILOG, short_help="Show, replay and move what could not be stored.")
def spool() -> None:
    """Show, replay and move points and observations that could not be stored.

    They wait in the spool queue, and the replay function writes them by itself; lines that InfluxDB refuses
    for their content are in the reject queue, with the reason. Queues are named by the options or by
    NETVITALS_SPOOL_QUEUE_URL and NETVITALS_REJECT_QUEUE_URL; AWS's region and credentials come from the
    environment.
    """


class QueueSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A queue; a line of `netvitals spool status --format jsonl`."""

    queue: str
    due: int
    """Messages that can be received now."""
    hidden: int
    """Messages that are being delivered or wait for their next attempt."""
    oldest_seconds: int | None = None
    """Age of the oldest message of a sample; None where the sample is empty."""
    records: int = 0
    """Points, observations or refused lines in the sample."""
    cause: str = ""


@spool.command()
@_spool_option
@_rejects_option
@format_option
def status(spool_url: str | None, rejects_url: str | None, format_: str) -> None:
    """Show how much waits, since when and why.

    Age, records and cause come from a sample of up to ten messages that are due now.
    """
    named = {"spool": spool_url, "rejects": rejects_url}
    found = [_summary(name, _queue(url)) for name, url in named.items() if url]
    if not found:
        raise ConfigurationError("no queue is named: use --spool or NETVITALS_SPOOL_QUEUE_URL")
    if format_ == "jsonl":
        for each in found:
            click.echo(msgspec.json.encode(each))
        return
    table = Table("queue", "due", "hidden", "oldest", "records", "cause", box=None, header_style="bold")
    for each in found:
        oldest = "" if each.oldest_seconds is None else duration_words(each.oldest_seconds)
        records = str(each.records) if oldest else ""
        table.add_row(
            each.queue, str(each.due), str(each.hidden), oldest, records, escape(printable(each.cause))
        )
    console().print(table)


def _summary(name: str, queue: SqsSpool) -> QueueSummary:
    depth = queue.depth()
    summary = QueueSummary(queue=name, due=depth.waiting, hidden=depth.hidden)
    sample = queue.receive(visibility_seconds=0)
    if not sample:
        return summary
    batches = [_opened(message) for message in sample]
    return msgspec.structs.replace(
        summary,
        oldest_seconds=max(0, int(time.time() - min(message.sent_at for message in sample))),
        records=sum(len(batch.records) for batch in batches),
        cause=batches[0].cause,
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


@spool.command(short_help="Show the lines that were refused, and why.")
@_rejects_option
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Lines to show.")
@format_option
@click.option("--jsonl", is_flag=True, hidden=True, help="As --format jsonl, for scripts of version 0.1.")
@click.option("--delete", is_flag=True, help="Delete the messages that were shown.")
def rejects(rejects_url: str | None, *, limit: int, format_: str, jsonl: bool, delete: bool) -> None:
    """Show the lines that InfluxDB refused, with the reason; jsonl does not shorten them."""
    queue = _queue(_named(rejects_url, "--rejects", "NETVITALS_REJECT_QUEUE_URL"))
    seen: list[SpoolMessage] = []
    shown: list[tuple[SpoolMessage, Refusal]] = []
    while len(shown) < limit and (messages := queue.receive()):
        seen += messages
        shown += [(message, refusal) for message in messages for refusal in _refusals(message)]
    _show(shown, jsonl=jsonl or format_ == "jsonl")
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
@click.option(
    "--count", type=click.IntRange(min=1), default=_EVERYTHING, show_default=False, help="Messages, at most."
)
def redrive(dead_letters: str, target: str | None, count: int) -> None:
    """Send the dead letters of QUEUE, a URL or a name, back to the queue that they came from.

    Remove the cause first. Jobs that have expired by then are dropped and counted.
    """
    client = _client()
    source = redrive_sqs.queue_url(client, dead_letters)
    goal = redrive_sqs.queue_url(client, target) if target else redrive_sqs.source_of(client, source)
    if source == goal:
        raise ConfigurationError(f"{source} would be moved to itself; name another queue with --to")
    moved = redrive_sqs.move(client, source, goal, count)
    click.echo(f"{counted(moved, 'message')} moved to {goal}")


@spool.command(short_help="Show dead letters and delete them.")
@click.argument("dead_letters", metavar="QUEUE")
@click.option(
    "--count", type=click.IntRange(min=1), default=_EVERYTHING, show_default=False, help="Messages, at most."
)
def discard(dead_letters: str, count: int) -> None:
    """Show the messages in QUEUE, a URL or a name, and delete them.

    Use it for lost ticks of the schedules, which need no redrive, and for any dead letters that are of no
    more use.
    """
    client = _client()
    source = redrive_sqs.queue_url(client, dead_letters)
    gone = 0
    for messages in redrive_sqs.discard(client, source, count):
        for message in messages:
            click.echo(
                f"{_age(int(message['Attributes']['SentTimestamp']) / 1000):>8}  {_described(message)}"
            )
        gone += len(messages)
    click.echo(f"{counted(gone, 'message')} deleted from {source}")


def _described(message: "MessageTypeDef") -> str:
    """Return why a message is a dead letter, as Scheduler or Lambda recorded it, and the message itself."""
    attributes = message.get("MessageAttributes", {})
    cause = attributes["ERROR_MESSAGE"].get("StringValue", "") if "ERROR_MESSAGE" in attributes else ""
    body = message["Body"]
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
    return duration_words(time.time() - sent_at)
