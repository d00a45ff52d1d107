"""The spool on moto's SQS."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from netvitals.adapters.aws.spool import SqsSpool
from netvitals.domain.errors import Unavailable
from netvitals.store.spool_batch import decode_spool_batch


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-central-1")


@pytest.fixture
def spool(sqs: Any) -> SqsSpool:
    return SqsSpool(sqs, sqs.create_queue(QueueName="spool")["QueueUrl"], sleep=lambda _: None)


def lines(count: int) -> list[str]:
    return [f"m,t={n:x} x={hash(str(n))} {n}" for n in range(count)]


def test_what_is_put_comes_out_once_with_its_age_and_count(spool: SqsSpool) -> None:
    spool.put("lines", ["m x=1 1"], "timeout")
    (message,) = spool.receive()
    assert decode_spool_batch(message.body).records == ["m x=1 1"]
    assert (message.receive_count, message.sent_at > 1.7e9) == (1, True)
    assert spool.receive() == []
    spool.delete(message)
    assert spool.depth() == (0, 0)


def test_more_than_a_message_holds_is_spread_over_several(spool: SqsSpool) -> None:
    spool.put("lines", lines(60_000), "timeout")
    received: list[str] = []
    while messages := spool.receive():
        received += [record for message in messages for record in decode_spool_batch(message.body).records]
    assert sorted(received) == sorted(lines(60_000))


def test_a_postponed_message_comes_back_later_with_a_higher_count(spool: SqsSpool) -> None:
    spool.put("lines", ["m x=1 1"], "timeout")
    (message,) = spool.receive()
    assert spool.depth() == (0, 1)
    spool.postpone(message, 0)
    assert spool.receive()[0].receive_count == 2


def test_nothing_put_is_nothing_sent(spool: SqsSpool) -> None:
    spool.put("lines", [], "")
    assert spool.depth() == (0, 0)


def test_a_queue_that_does_not_exist_is_unavailable(sqs: Any) -> None:
    spool = SqsSpool(sqs, "https://sqs.eu-central-1.amazonaws.com/123456789012/nowhere")
    for use in (lambda: spool.put("lines", ["m x=1 1"], ""), spool.receive, spool.depth):
        with pytest.raises(Unavailable, match="nowhere"):
            use()


class Unreliable:
    """An SQS of which the first answers say that messages failed."""

    def __init__(self, sqs: Any, failures: int) -> None:
        self._sqs, self._failures = sqs, failures

    def send_message_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803, boto3's names
        if self._failures == 0:
            return self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=Entries)
        self._failures -= 1
        failed = {
            "Id": Entries[0]["Id"],
            "SenderFault": False,
            "Code": "InternalError",
            "Message": "try again",
        }
        answer = {}
        if Entries[1:]:
            answer = self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=Entries[1:])
        return {**answer, "Failed": [failed]}


@pytest.mark.parametrize("failures", [1, 2])
def test_messages_that_sqs_failed_to_take_are_sent_again(sqs: Any, failures: int) -> None:
    url = sqs.create_queue(QueueName="spool")["QueueUrl"]
    SqsSpool(Unreliable(sqs, failures), url, sleep=lambda _: None).put("lines", lines(30_000), "")  # type: ignore[arg-type]  # a double
    received: list[str] = []
    while messages := SqsSpool(sqs, url).receive():
        received += [record for message in messages for record in decode_spool_batch(message.body).records]
    assert sorted(received) == sorted(lines(30_000))


def test_messages_that_sqs_keeps_failing_are_not_kept(sqs: Any) -> None:
    spool = SqsSpool(Unreliable(sqs, 9), "url", sleep=lambda _: None)  # type: ignore[arg-type]  # a double
    with pytest.raises(Unavailable, match="try again"):
        spool.put("lines", ["m x=1 1"], "")


def test_an_error_of_sqs_when_postponing_is_left_to_the_visibility_timeout(sqs: Any, spool: SqsSpool) -> None:
    spool.put("lines", ["m x=1 1"], "")
    (message,) = spool.receive()
    spool.delete(message)
    with pytest.raises(ClientError):
        sqs.change_message_visibility(
            QueueUrl=spool._queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=1
        )
    spool.postpone(message, 1)
