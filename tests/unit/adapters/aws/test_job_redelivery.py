"""Messages that SQS is asked to deliver again at once."""

import boto3
import pytest
from moto import mock_aws

from netvitals.adapters.aws.job_redelivery import SqsRedelivery
from netvitals.domain.ports import QueueMessage


@mock_aws
def test_messages_that_sqs_does_not_deliver_at_once_are_told(caplog: pytest.LogCaptureFixture) -> None:
    sqs = boto3.client("sqs", region_name="eu-central-1")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a job")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    known = QueueMessage("known", message["Body"], receipt=message["ReceiptHandle"])
    SqsRedelivery(sqs, url).redeliver([known, QueueMessage("gone", "", receipt="no receipt")], 0)
    assert [text.partition(":")[0] for text in caplog.messages] == [
        "1 messages are delivered again only after their visibility timeout"
    ]
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
