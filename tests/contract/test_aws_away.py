"""AWS behind something that is broken or lies: whatever botocore makes of it, each adapter says that the
service can't be used, in time and in little memory.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fixtures.limits import ends_within
from local import http_faults as faults
from local.http_faults import Fault
from local.proxy import HttpProxy
from netvitals.adapters.aws import clients
from netvitals.adapters.aws.clients import Patience
from netvitals.adapters.aws.digest_topic import DigestTopic
from netvitals.adapters.aws.event_bus import EventBus
from netvitals.adapters.aws.job_queue import SqsJobQueue
from netvitals.adapters.aws.parameter_store import document_in_parameter
from netvitals.adapters.aws.redrive import move, queue_url, source_of
from netvitals.adapters.aws.secrets_manager import SecretDocument, SecretsManager
from netvitals.adapters.aws.snapshots import S3Snapshots
from netvitals.adapters.aws.spool import SqsSpool
from netvitals.domain.decision.status import OutboxMessage
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.polling.job import Job, encode_job
from netvitals.domain.ports import QueuedJobs

JOB = Job(kind="status", device_id="d", address="10.0.0.1", due_at=0, expires_at=30)
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbCdEf"
EVENT = '{"scope": "device", "decided_at": "2026-11-23T16:04:00.000Z"}'
ANSWERS = {
    "no UTF-8": faults.answer(503, b"\xff\xfe"),
    "a page": faults.answer(502, b"<html>Bad Gateway</html>"),
    "no HTTP": faults.garbage,
    "nothing": faults.reset_unread,
    "silence": faults.stall,
    "a drip": faults.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "headers for ever": faults.trickle(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a flood": faults.flood(b"HTTP/1.1 200 OK\r\n\r\n", b"[" * 65536),
    "a flood of leave to go on": faults.flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "leave to go on, and nothing": faults.answer_and_close(b"HTTP/1.1 100 Continue\r\n"),
    "nested JSON": faults.answer(200, b"[" * 200_000),
    "a list": faults.answer(200, b"[[1], 2]"),
    "a number": faults.answer(200, b"5"),
    "members of other kinds": faults.answer(
        200,
        b'{"Successful": 5, "Failed": 5, "Messages": 5, "queueUrls": 5, "Parameter": 5,'
        b' "SecretString": 5, "Entries": 5, "MessageId": 5}',
    ),
    "half an answer": faults.answer(
        200,
        b'{"Successful": [{}], "Failed": [{}], "Messages": [{}], "queueUrls": [], "Parameter": {},'
        b' "Entries": [{}]}',
    ),
}
EMPTY = {
    "nothing but success": faults.answer(200, b""),
    "an empty object": faults.answer(200, b"{}"),
    "null": faults.answer(200, b"null"),
    "nested XML": faults.answer(200, b"<a>" * 100_000),
    "a page that is a success": faults.answer(200, b"<html>Please sign in</html>", Content_Type="text/html"),
}
"""What a call that asks may take for an answer, and one that hands something over must not."""
PATIENT = Patience(0.5, 0.5, 1)
MOST_SECONDS = 8
"""For five tries."""
Client = Callable[[str], Any]


def keep_snapshot(client: Client) -> None:
    with S3Snapshots(client("s3"), "bucket").writer() as snapshot:
        snapshot.add([Device(id="d")])
        snapshot.keep(0)


def secret_of(client: Any) -> SecretDocument:
    return SecretsManager(client, client).document(ARN)


CALLS: dict[str, Callable[[Client], object]] = {
    "a job": lambda client: SqsJobQueue(client("sqs"), "http://q/1/q", 1, sleep=lambda _: None).send(
        [QueuedJobs([encode_job(JOB)], 0)]
    ),
    "a spool batch": lambda client: SqsSpool(client("sqs"), "http://q/1/q").put("lines", ["x"], ""),
    "the spool": lambda client: SqsSpool(client("sqs"), "http://q/1/q").receive(),
    "the last snapshot": lambda client: S3Snapshots(client("s3"), "bucket").latest(),
    "a queue's name": lambda client: queue_url(client("sqs"), "q"),
    "a queue's source": lambda client: source_of(client("sqs"), "http://q/1/q"),
    "dead letters": lambda client: move(client("sqs"), "http://q/1/q", "http://q/1/p", 1),
    "a document": lambda client: document_in_parameter("/x", client("ssm")),
    "a secret": lambda client: secret_of(client("secretsmanager")).read(),
}


@pytest.fixture
def proxy() -> Iterator[HttpProxy]:
    with HttpProxy(1) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: HttpProxy, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The clients that are deployed, with less patience."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
    return lambda service: clients.client(service, PATIENT)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_service_that_answers_so_is_unavailable(
    proxy: HttpProxy, client: Client, call: Callable[[Client], object], answer: Fault
) -> None:
    proxy.inflict(answer)
    with ends_within(MOST_SECONDS), pytest.raises(Unavailable):
        call(client)


HANDS_OVER = ("a job", "a spool batch", "a document", "a secret")


@pytest.mark.parametrize("answer", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("call", HANDS_OVER)
def test_a_success_that_says_nothing_is_none(
    proxy: HttpProxy, client: Client, call: str, answer: Fault
) -> None:
    proxy.inflict(answer)
    with pytest.raises(Unavailable):
        CALLS[call](client)


@pytest.mark.parametrize("answer", ANSWERS | EMPTY)
def test_a_snapshot_that_s3_did_not_take_is_none(proxy: HttpProxy, client: Client, answer: str) -> None:
    proxy.inflict((ANSWERS | EMPTY)[answer])
    with pytest.raises(Unavailable):
        keep_snapshot(client)


@pytest.mark.parametrize("answer", (ANSWERS | EMPTY).values(), ids=ANSWERS | EMPTY)
def test_messages_that_were_not_taken_are_kept_and_complained_of(
    proxy: HttpProxy, client: Client, answer: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.inflict(answer)
    bus = EventBus(client("events"), "bus", sleep=lambda _: None)
    assert bus.send([OutboxMessage("1", "event", EVENT)]) == set()
    topic = DigestTopic(client("sns"), "arn:aws:sns:eu-central-1:123456789012:t")
    assert topic.send([OutboxMessage("2", "digest", '{"subject": "s", "message": "m"}')]) == set()
    assert len([text for text in caplog.messages if "not taken and are kept" in text]) == 2
