"""`netvitals spool` on moto's SQS and the demo's store."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from fixtures.influxdb import Influx
from local.aws.cloudformation import Deployed
from netvitals.adapters.aws.redrive import move
from netvitals.adapters.aws.spool import SqsSpool
from netvitals.cli.spool import spool
from netvitals.domain.errors import ConfigurationError, Unavailable
from netvitals.store.outcome import Refusal
from netvitals.wiring.parts import forget

LINES = ["m,t=a x=1 1763913600000000000", "m,t=a x=2 1763913601000000000"]
REFUSAL = Refusal("m x=1z \x1b[31m", "unable to parse: [bold]invalid number")


class Desk:
    """The command line, and what it works on."""

    def __init__(self, sqs: Any) -> None:
        self.sqs = sqs
        self.spool_url = sqs.create_queue(QueueName="spool")["QueueUrl"]
        self.rejects_url = sqs.create_queue(QueueName="rejects")["QueueUrl"]
        self.spool = SqsSpool(sqs, self.spool_url)
        self.rejects = SqsSpool(sqs, self.rejects_url)

    def run(self, *arguments: str) -> Result:
        result = CliRunner().invoke(spool, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


@pytest.fixture
def desk(memory_influx: Influx, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        desk = Desk(boto3.client("sqs"))
        for name, value in {
            "NETVITALS_SPOOL_QUEUE_URL": desk.spool_url,
            "NETVITALS_REJECT_QUEUE_URL": desk.rejects_url,
            **memory_influx.variables,
            "DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
        }.items():
            monkeypatch.setenv(name, value)
        forget()
        yield desk
        forget()


def test_status_shows_how_much_waits_since_when_and_why(desk: Desk) -> None:
    desk.spool.put("lines", LINES, "InfluxDB is in trouble (503)")
    output = desk.run("status").output
    _, spooled, rejected = (line.split() for line in output.splitlines())
    assert spooled[:3] == ["spool", "1", "0"]
    assert " ".join(spooled[-5:]) == "InfluxDB is in trouble (503)"
    assert rejected == ["rejects", "0", "0"]
    assert len(desk.spool.receive()) == 1


def test_status_is_a_line_of_json_for_each_queue(desk: Desk) -> None:
    desk.spool.put("lines", LINES, "InfluxDB is in trouble (503)")
    spooled, rejected = map(json.loads, desk.run("status", "--format", "jsonl").output.splitlines())
    assert spooled.pop("oldest_seconds") < 60
    assert spooled == {
        "queue": "spool", "due": 1, "hidden": 0, "records": 2, "cause": "InfluxDB is in trouble (503)"
    }  # fmt: skip
    assert rejected == {
        "queue": "rejects", "due": 0, "hidden": 0, "oldest_seconds": None, "records": 0, "cause": ""
    }  # fmt: skip


def test_status_without_a_queue_says_how_to_name_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETVITALS_SPOOL_QUEUE_URL")
    monkeypatch.delenv("NETVITALS_REJECT_QUEUE_URL")
    with pytest.raises(ConfigurationError, match="--spool"):
        desk.run("status")


def test_replay_writes_what_is_due_and_empties_the_spool(desk: Desk, memory_influx: Influx) -> None:
    for line in LINES:
        desk.spool.put("lines", [line], "timeout")
    assert "2 messages replayed: 2 points, 0 observations" in desk.run("replay").output
    assert [row["x"] for row in memory_influx.query("SELECT x FROM m")] == [1, 2]
    assert desk.spool.depth() == (0, 0)


@pytest.mark.parametrize(
    "command", ["status", "replay", "rejects", "discard spool", "redrive spool --to rejects"]
)
def test_an_empty_answer_is_believed_only_of_a_long_poll_which_asks_all_servers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    waits: list[int] = []
    desk.sqs.meta.events.register(
        "provide-client-params.sqs.ReceiveMessage",
        lambda params, **_: waits.append(params.get("WaitTimeSeconds", 0)),
    )
    monkeypatch.setattr("netvitals.cli.spool._client", lambda: desk.sqs)
    desk.run(*command.split())
    assert waits
    assert all(waits)


def test_replay_takes_no_more_messages_than_it_was_told(desk: Desk) -> None:
    for line in LINES:
        desk.spool.put("lines", [line], "timeout")
    assert "1 message replayed" in desk.run("replay", "1").output
    assert desk.spool.depth() == (1, 0)


def test_replay_stops_at_an_obstacle_and_exits_1(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFLUXDB_TOKEN", "outdated")
    desk.spool.put("lines", LINES, "timeout")
    result = desk.run("replay")
    assert result.exit_code == 1
    assert "1 message left: InfluxDB does not accept the token; check the secret" in result.output
    assert sum(desk.spool.depth()) == 1


def test_rejects_are_shown_with_reasons_and_stay(desk: Desk) -> None:
    desk.rejects.put("refusals", [msgspec.json.encode(REFUSAL).decode()], "x")
    for _ in range(2):
        output = desk.run("rejects").output
        assert "unable to parse: [bold]invalid number" in output
        assert "m x=1z [31m" in output
        assert "1 refused line" in output


@pytest.mark.parametrize("options", [("--format", "jsonl"), ("--jsonl",)], ids=" ".join)
def test_rejects_are_given_uncut_as_json_and_deleted_on_request(desk: Desk, options: tuple[str, ...]) -> None:
    desk.rejects.put("refusals", [msgspec.json.encode(REFUSAL).decode()], "x")
    shown = json.loads(desk.run("rejects", *options, "--delete").output)
    assert (shown["line"], shown["reason"]) == (REFUSAL.line, REFUSAL.reason)
    assert desk.rejects.depth() == (0, 0)


def test_a_foreign_message_among_the_rejects_is_shown_as_it_is(desk: Desk) -> None:
    desk.sqs.send_message(QueueUrl=desk.rejects_url, MessageBody="what is this")
    assert "what is this" in desk.run("rejects").output


def with_dead_letters(desk: Desk, name: str) -> tuple[str, str]:
    dead = desk.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = desk.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    return desk.sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"], dead


def bodies(desk: Desk, url: str) -> list[str]:
    answer = desk.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return sorted(message["Body"] for message in answer.get("Messages", []))


def test_dead_letters_go_back_to_the_queue_that_gave_them_up(desk: Desk) -> None:
    source, dead = with_dead_letters(desk, "jobs")
    for n in range(12):
        desk.sqs.send_message(QueueUrl=dead, MessageBody=f"job {n:02}")
    assert f"12 messages moved to {source}" in desk.run("redrive", "jobs-dead").output
    received = [body for _ in range(2) for body in bodies(desk, source)]
    assert sorted(received) == [f"job {n:02}" for n in range(12)]
    assert bodies(desk, dead) == []


def test_a_message_is_moved_with_its_attributes_and_its_group(desk: Desk) -> None:
    source, dead = with_dead_letters(desk, "jobs")
    attributes = {
        "content": {"DataType": "String", "StringValue": "lines"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    desk.sqs.send_message(QueueUrl=dead, MessageBody="b", MessageAttributes=attributes, MessageGroupId="hq")
    desk.run("redrive", "jobs-dead")
    (message,) = desk.sqs.receive_message(
        QueueUrl=source, MessageAttributeNames=["All"], MessageSystemAttributeNames=["MessageGroupId"]
    )["Messages"]
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["MessageGroupId"] == "hq"


class OneWillNotGo:
    """A client whose target queue does not take the second of the messages."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803, boto3's names
        good = [entry for entry in Entries if entry["MessageBody"] != "job 1"]
        bad = [entry["Id"] for entry in Entries if entry["MessageBody"] == "job 1"]
        answer = self._client.send_message_batch(QueueUrl=QueueUrl, Entries=good) if good else {}
        wrong = {"Code": "InvalidMessageContents", "Message": "no", "SenderFault": True}
        return {**answer, "Failed": [{"Id": each, **wrong} for each in bad]}


def test_a_message_that_is_not_taken_stays_where_it_was_and_the_others_are_moved(desk: Desk) -> None:
    source, dead = with_dead_letters(desk, "jobs")
    for n in range(3):
        desk.sqs.send_message(QueueUrl=dead, MessageBody=f"job {n}")
    with pytest.raises(Unavailable, match="2 messages were moved, then: InvalidMessageContents"):
        move(OneWillNotGo(desk.sqs), dead, source, 10)  # type: ignore[arg-type]  # a fake
    assert bodies(desk, source) == ["job 0", "job 2"]
    counts = desk.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_as_many_dead_letters_as_asked_for_go_where_they_are_told(desk: Desk) -> None:
    _, dead = with_dead_letters(desk, "jobs")
    for n in range(3):
        desk.sqs.send_message(QueueUrl=dead, MessageBody=f"job {n}")
    desk.run("redrive", dead, "--to", desk.spool_url, "--count", "2")
    assert len(bodies(desk, desk.spool_url)) == 2
    assert len(bodies(desk, dead)) == 1


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        ("nowhere", "there is no queue nowhere in eu-central-1"),
        ("rejects", "no queue sends its dead letters to"),
    ],
)
def test_a_redrive_from_no_dead_letter_queue_says_so(desk: Desk, queue: str, said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        desk.run("redrive", queue)


LOST_TICK = json.dumps(
    {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 1},
        "requestPayload": {"kind": "status", "scheduled_time": "2026-11-23T16:00:00Z"},
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {
            "errorMessage": "database: connection refused\x1b[31m",
            "errorType": "Unavailable",
        },
    }
)


@pytest.mark.parametrize(
    "name", [queue.name for queue in Deployed().all("SQS::Queue") if "Dead" in queue.name]
)
def test_every_dead_letter_queue_of_a_stack_can_be_emptied(desk: Desk, name: str) -> None:
    url = desk.sqs.create_queue(QueueName=name)["QueueUrl"]
    for _ in range(12):
        desk.sqs.send_message(QueueUrl=url, MessageBody=LOST_TICK)
    assert f"5 messages deleted from {url}" in desk.run("discard", name, "--count", "5").output
    assert f"7 messages deleted from {url}" in desk.run("discard", url).output
    assert SqsSpool(desk.sqs, url).depth() == (0, 0)


def test_lost_ticks_are_told_with_their_cause_before_they_are_gone(desk: Desk) -> None:
    url = desk.sqs.create_queue(QueueName="ticks")["QueueUrl"]
    desk.sqs.send_message(QueueUrl=url, MessageBody=LOST_TICK)
    refused = {"ERROR_MESSAGE": {"DataType": "String", "StringValue": "The role may not be assumed"}}
    desk.sqs.send_message(QueueUrl=url, MessageBody='{"kind":"metrics"}', MessageAttributes=refused)
    desk.sqs.send_message(QueueUrl=url, MessageBody="neither")
    output = desk.run("discard", "ticks").output
    assert (
        'database: connection refused [31m: {"kind":"status","scheduled_time":"2026-11-23T16:00:00Z"}'
        in output
    )
    assert 'The role may not be assumed: {"kind":"metrics"}' in output
    assert "  neither\n" in output


def test_a_queue_is_not_moved_to_itself(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="itself"):
        desk.run("redrive", "rejects", "--to", "rejects")
