"""Events on EventBridge and digests on SNS, against moto and against services that fail."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from netvitals.adapters.aws.digest_topic import DigestTopic
from netvitals.adapters.aws.event_bus import EventBus
from netvitals.domain.decision.announcement import Digest, device_event, site_event
from netvitals.domain.decision.status import (
    Cause,
    Change,
    Monitored,
    OutboxMessage,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)

NOW = 1_795_449_600.0
KEYS: dict[str, Any] = {"region_name": "eu-central-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


def change(name: str = "sw-1", hostname: str = "core") -> Change:
    device = Monitored(
        id=name, polls=Polls(), record=StatusRecord(announced=Status.ONLINE), hostname=hostname, site="hq"
    )
    after = StatusRecord(Status.OFFLINE, Cause.NO_ANSWER, NOW - 95, Status.OFFLINE)
    return Change(device, after, "3 polls failed (timeout)", is_transition=True, is_announced=True)


def events(count: int) -> list[OutboxMessage]:
    return [device_event(change(f"sw-{n}"), NOW) for n in range(count)]


class FakeBus:
    """Fails the entries that `fails(device id, try)` names, or the whole request where it raises."""

    def __init__(self, fails: Any) -> None:
        self.fails = fails
        self.tries: dict[str, int] = {}
        self.requests = 0
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803, boto3's name
        self.requests += 1
        results: list[dict[str, str]] = []
        for entry in Entries:
            name = json.loads(entry["Detail"])["device"]["id"]
            self.tries[name] = self.tries.get(name, 0) + 1
            if self.fails(name, self.tries[name]):
                results.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})
            else:
                results.append({"EventId": "1"})
                self.entries.append(entry)
        return {"FailedEntryCount": 0, "Entries": results}


def bus(client: Any) -> EventBus:
    return EventBus(client, "netvitals", sleep=lambda _: None)


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_events_arrive_on_the_bus_for_whoever_listens() -> None:
    client, sqs = boto3.client("events", **KEYS), boto3.client("sqs", **KEYS)
    client.create_event_bus(Name="netvitals")
    url = sqs.create_queue(QueueName="ears")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["netvitals"], "detail": {"after": ["offline"]}}
    client.put_rule(Name="outages", EventBusName="netvitals", EventPattern=json.dumps(pattern))
    client.put_targets(Rule="outages", EventBusName="netvitals", Targets=[{"Id": "1", "Arn": arn}])
    messages = events(12)
    assert set(bus(client).send(messages)) == {message.id for message in messages}
    received = []
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        received += [json.loads(message["Body"]) for message in batch]
    assert {event["detail"]["device"]["id"] for event in received} == {f"sw-{n}" for n in range(12)}
    assert {event["detail-type"] for event in received} == {"Device Status Change"}
    assert {event["detail"]["version"] for event in received} == {1}


def test_entries_that_fail_are_put_again_and_the_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeBus(lambda name, attempt: name == "sw-3" and attempt < 3)
    publisher = bus(fake)
    assert len(publisher.send(events(10))) == 10
    assert {name for name, tries in fake.tries.items() if tries > 1} == {"sw-3"}
    assert caplog.messages == []


def test_an_entry_that_always_fails_is_left_and_said_and_the_rest_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake = FakeBus(lambda name, _: name == "sw-3")
    publisher = bus(fake)
    messages = events(25)
    taken = set(publisher.send(messages))
    assert {message.id for message in messages} - taken == {messages[3].id}
    assert fake.tries["sw-3"] == 4
    assert caplog.messages == [
        "event bus netvitals: 1 events were not taken and are kept: ThrottlingException: slow down"
    ]


def test_a_bus_that_is_away_is_given_up_after_one_batch(caplog: pytest.LogCaptureFixture) -> None:
    def away(_name: str, _attempt: int) -> bool:
        raise EndpointConnectionError(endpoint_url="https://events")

    fake = FakeBus(away)
    publisher = bus(fake)
    assert set(publisher.send(events(500))) == set()
    assert fake.requests == 2
    assert len(caplog.messages) == 1


def test_an_event_has_the_time_of_its_decision() -> None:
    fake = FakeBus(lambda *_: False)
    bus(fake).send(events(1))
    assert fake.entries[0]["Time"] == datetime.fromtimestamp(NOW, UTC)


def test_an_event_s_id_is_the_same_for_the_same_decision_and_no_other() -> None:
    assert device_event(change(), NOW).id == device_event(change(), NOW).id
    assert device_event(change(), NOW).id != device_event(change(), NOW + 1).id
    assert device_event(change("a"), NOW).id != device_event(change("b"), NOW).id
    assert site_event(SiteState("a", lost=True), NOW).id != device_event(change("a"), NOW).id


@pytest.mark.usefixtures("aws")
def test_sites_and_the_fleet_have_events_of_their_own_type() -> None:
    fake: list[dict[str, Any]] = []

    class Recorder:
        def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803, boto3's name
            fake.extend(Entries)
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

    bus(Recorder()).send(
        [site_event(SiteState("hq", lost=True, since=NOW), NOW), site_event(SiteState("", since=NOW), NOW)]
    )
    assert [entry["DetailType"] for entry in fake] == ["Site Path Change", "Fleet Polling Change"]
    site, fleet = (json.loads(entry["Detail"]) for entry in fake)
    assert (site["scope"], site["site"], site["before"], site["after"]) == ("site", "hq", "reachable", "lost")
    assert (fleet["scope"], fleet["before"], fleet["after"]) == ("fleet", "silent", "polled")


def digest(*changes: Change) -> OutboxMessage:
    collected = Digest()
    for each in changes:
        collected.add(each)
    message = collected.message(NOW)
    assert message is not None
    return message


@pytest.mark.usefixtures("aws")
def test_a_digest_is_a_message_that_a_person_can_read() -> None:
    sns, sqs = boto3.client("sns", **KEYS), boto3.client("sqs", **KEYS)
    topic = sns.create_topic(Name="people")["TopicArn"]
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    message = digest(change("sw-1"), change("sw-2", hostname=""))
    assert set(DigestTopic(sns, topic).send([message])) == {message.id}
    [received] = sqs.receive_message(QueueUrl=url)["Messages"]
    message = json.loads(received["Body"])
    assert message["Subject"] == "netvitals: 2 offline"
    assert message["Message"].splitlines() == [
        "Changes of 2026-11-23T16:00:00.000Z",
        "",
        "offline (2)",
        "  sw-1 (core) at hq: 3 polls failed (timeout), was online",
        "  sw-2 at hq: 3 polls failed (timeout), was online",
    ]


def test_a_topic_that_can_t_be_reached_leaves_its_digests_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Away:
        def publish(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "NotFound", "Message": "no topic"}}, "Publish")

    assert set(DigestTopic(Away(), "arn:t").send([digest(change())])) == set()  # type: ignore[arg-type]  # a fake
    assert "no topic" in caplog.text


def test_a_subject_is_what_sns_takes() -> None:
    published: list[str] = []

    class Recorder:
        def publish(self, *, Subject: str, **_: str) -> dict[str, str]:  # noqa: N803, boto3's name
            published.append(Subject)
            return {"MessageId": "1"}

    message = OutboxMessage("1", "digest", json.dumps({"subject": "Büro\n" + "x" * 200, "message": "m"}))
    DigestTopic(Recorder(), "arn:t").send([message])  # type: ignore[arg-type]  # a fake
    assert published[0].startswith("B?ro?x")
    assert len(published[0]) == 99
