"""The job queue on SQS, against moto and against clients that fail in ways moto does not."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError
from moto import mock_aws

from netvitals.adapters.aws.job_queue import SqsJobQueue
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.job import Job, decode_jobs, encode_job
from netvitals.domain.ports import QueuedJobs

NOW = 1_795_449_600


def message(number: int, delay: int = 0, memory: str = "") -> QueuedJobs:
    job = Job(
        kind="status",
        device_id=f"d{number}",
        address="10.0.0.1",
        due_at=0,
        expires_at=30,
        memory={"x": memory} if memory else {},
    )
    return QueuedJobs([encode_job(job)], NOW + delay)


def refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # the rest is not looked at
        "SendMessageBatch",
    )


class FakeSqs:
    """Answers as SQS does; `verdict(body, try_number)` says None to accept, or a failure, or raises."""

    def __init__(self, verdict: Any = lambda _body, _try: None) -> None:
        self.verdict = verdict
        self.requests: list[list[dict[str, Any]]] = []
        self.accepted: list[str] = []
        self.tries: dict[str, int] = {}
        self.lock = threading.Lock()

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803, boto3's names
        with self.lock:
            self.requests.append(Entries)
            failed, taken = [], []
            for entry in Entries:
                name = decode_jobs(entry["MessageBody"]).jobs[0].device_id
                self.tries[name] = self.tries.get(name, 0) + 1
                failure = self.verdict(name, self.tries[name])
                if failure:
                    failed.append({"Id": entry["Id"], **failure})
                else:
                    self.accepted.append(name)
                    taken.append({"Id": entry["Id"], "MessageId": name})
            return {"Successful": taken, "Failed": failed}


BUSY = {"Code": "InternalError", "Message": "try again", "SenderFault": False}
WRONG = {"Code": "InvalidMessageContents", "Message": "no", "SenderFault": True}


def queue(client: Any, workers: int = 4) -> SqsJobQueue:
    return SqsJobQueue(client, "https://sqs/q", workers, sleep=lambda _: None, clock=lambda: NOW)


@pytest.fixture
def sqs() -> Iterator[tuple[Any, str]]:
    with mock_aws():
        client = boto3.client(
            "sqs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        yield client, client.create_queue(QueueName="status")["QueueUrl"]


def test_every_message_arrives(sqs: tuple[Any, str]) -> None:
    client, url = sqs
    assert SqsJobQueue(client, url).send(message(n) for n in range(35)) == 35
    received = []
    while batch := client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        received += batch
    bodies = {job.device_id for each in received for job in decode_jobs(each["Body"]).jobs}
    assert bodies == {f"d{n}" for n in range(35)}


def test_a_delayed_message_is_not_there_yet(sqs: tuple[Any, str]) -> None:
    client, url = sqs
    SqsJobQueue(client, url, clock=lambda: NOW).send([message(1, delay=900)])
    assert "Messages" not in client.receive_message(QueueUrl=url)
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"


def test_a_queue_that_does_not_exist_is_said_to_be_so_after_few_requests(sqs: tuple[Any, str]) -> None:
    client, url = sqs
    with pytest.raises(Unavailable, match=r"500 were not sent.*does not exist"):
        SqsJobQueue(client, url + "-gone").send(message(n) for n in range(500))


def test_requests_hold_ten_messages() -> None:
    fake = FakeSqs()
    queue(fake).send(message(n) for n in range(95))
    assert sorted(map(len, fake.requests)) == [5, *[10] * 9]


def test_requests_keep_to_one_mebibyte() -> None:
    fake = FakeSqs()
    assert queue(fake).send(message(n, memory="x" * 200_000) for n in range(20)) == 20
    for entries in fake.requests:
        assert sum(len(entry["MessageBody"]) for entry in entries) <= 1024 * 1024


def test_entries_that_failed_are_sent_again_and_the_others_are_not() -> None:
    fake = FakeSqs(lambda name, attempt: BUSY if name in ("d3", "d7") and attempt < 3 else None)
    assert queue(fake).send(message(n) for n in range(10)) == 10
    assert sorted(fake.accepted) == sorted(f"d{n}" for n in range(10))
    assert {name for name, tries in fake.tries.items() if tries > 1} == {"d3", "d7"}


def test_a_wrong_entry_is_not_retried_but_reported_and_the_rest_is_sent() -> None:
    fake = FakeSqs(lambda name, _: WRONG if name == "d3" else None)
    with pytest.raises(Unavailable, match=r"0 were not sent and 1 were refused: InvalidMessageContents"):
        queue(fake).send(message(n) for n in range(40))
    assert fake.tries["d3"] == 1
    assert len(fake.accepted) == 39


def test_the_error_counts_what_was_not_sent_after_all_tries() -> None:
    fake = FakeSqs(lambda name, _: BUSY if name in ("d3", "d14") else None)
    with pytest.raises(
        Unavailable, match=r"of 40 messages 2 were not sent and 0 were refused: InternalError"
    ):
        queue(fake).send(message(n) for n in range(40))
    assert fake.tries["d3"] == 5
    assert len(fake.accepted) == 38


@pytest.mark.parametrize(
    "fault",
    [
        refusal("ThrottlingException", 400),
        refusal("ServiceUnavailable", 503),
        EndpointConnectionError(endpoint_url="https://sqs"),
        ResponseParserError("no XML"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no UTF-8"),
    ],
)
def test_a_request_that_fails_as_a_whole_is_sent_again(fault: Exception) -> None:
    def verdict(_name: str, attempt: int) -> None:
        if attempt == 1:
            raise fault

    fake = FakeSqs(verdict)
    assert queue(fake, workers=1).send([message(1)]) == 1


def test_a_message_that_gets_its_whole_request_refused_is_found() -> None:
    def verdict(name: str, _attempt: int) -> None:
        if name == "d6":
            raise refusal("InvalidMessageContents", 400)

    fake = FakeSqs(verdict)
    with pytest.raises(Unavailable, match=r"of 10 messages 0 were not sent and 1 were refused"):
        queue(fake).send(message(n) for n in range(10))
    assert set(fake.accepted) == {f"d{n}" for n in range(10)} - {"d6"}


def test_a_queue_that_takes_nothing_is_given_up_and_everything_counted() -> None:
    fake = FakeSqs(lambda *_: BUSY)
    with pytest.raises(Unavailable, match="of 5000 messages 5000 were not sent"):
        queue(fake).send(message(n) for n in range(5000))
    assert len(fake.requests) < 200


def test_messages_are_taken_only_as_fast_as_they_are_sent() -> None:
    taken = itertools.count()
    ahead: list[int] = []
    fake = FakeSqs()

    def verdict(_name: str, _attempt: int) -> None:
        ahead.append(latest[0] - len(fake.accepted))

    fake.verdict = verdict
    latest = [0]

    def source() -> Iterator[QueuedJobs]:
        for _ in range(3000):
            latest[0] = next(taken)
            yield message(latest[0])

    queue(fake, workers=2).send(source())
    assert max(ahead) <= 2 * 2 * 10 + 20


def test_a_delay_is_what_is_left_when_the_message_is_sent() -> None:
    clock = itertools.count(NOW, 3)
    fake = FakeSqs()
    slow = SqsJobQueue(fake, "https://sqs/q", 1, sleep=lambda _: None, clock=lambda: next(clock))  # type: ignore[arg-type]  # one request is all it has
    slow.send(message(n, delay=100) for n in range(25))
    assert [entries[0]["DelaySeconds"] for entries in fake.requests] == [100, 97, 94]


@pytest.mark.parametrize(("ahead", "delay"), [(-60, 0), (0, 0), (0.5, 1), (900, 900), (2000, 900)])
def test_a_delay_keeps_to_what_sqs_allows(ahead: float, delay: int) -> None:
    fake = FakeSqs()
    jobs = message(1).jobs
    queue(fake).send([QueuedJobs(jobs, NOW + ahead)])  # type: ignore[arg-type]  # whole seconds as a rule
    assert fake.requests[0][0]["DelaySeconds"] == delay


def test_no_messages_are_no_request() -> None:
    fake = FakeSqs()
    assert queue(fake).send([]) == 0
    assert fake.requests == []
