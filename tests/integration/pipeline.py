"""The deployed functions with their queues, in this process: what is around them is real, or moto's."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import psycopg
import pytest
from integration.influxdb import TOKEN, Influx
from integration.snmpd import HOST
from moto import mock_aws

from local.functions import Context, handler_of, sqs_event
from netvitals.wiring.parts import forget, process

COMMUNITY = "canary-community"
REGION = "eu-west-1"


class Pipeline:
    """The deployed functions with their queues, in small."""

    def __init__(self, database_url: str, influx: Influx) -> None:
        self.database_url, self.influx = database_url, influx
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.queues = {
            name: self.sqs.create_queue(QueueName=name)["QueueUrl"]
            for name in ("status", "metrics", "spool", "reject")
        }
        self._secretsmanager = boto3.client("secretsmanager", region_name=REGION)
        self.secrets = {
            name: self._secretsmanager.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]
            for name, value in {
                "credentials": {"lab": {"snmp": {"version": "2c", "community": COMMUNITY}}},
                "influxdb": {
                    "url": influx.url,
                    "token": TOKEN,
                    "org": influx.access.org,
                    "bucket": influx.bucket,
                },
                "database": {"url": database_url},
            }.items()
        }

    def environment(self) -> dict[str, str]:
        return {
            **{f"NETVITALS_{name.upper()}_QUEUE_URL": url for name, url in self.queues.items()},
            **{f"NETVITALS_{name.upper()}_SECRET_ARN": arn for name, arn in self.secrets.items()},
            "NETVITALS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "NETVITALS_ALLOW_LOCAL": "on",
        }

    def add_device(self, device_id: str, port: int, **columns: Any) -> None:
        own = {"snmp": {"port": port, "timeout_seconds": 0.3, "retries": 1}, "ping": {"enabled": False}}
        row = {"ip_address": HOST, "credential": "lab", **columns, "id": device_id}
        row["settings"] = json.dumps({**own, **columns.get("settings", {})})
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "INSERT INTO devices (id, ip_address, device_type, credential, settings)"
                " VALUES (%(id)s, %(ip_address)s, 'network', %(credential)s, %(settings)s)",
                row,
            )

    def tick(self, kind: str, scheduled_at: float | None = None) -> dict[str, int]:
        """A window that ends now and in which every device is due once: nothing has to be waited for."""
        period = 300 if kind == "metrics" else 60
        start = datetime.fromtimestamp(scheduled_at or int(time.time()) - period + 1, UTC)
        event = {
            "kind": kind,
            "schedule": f"rate({period // 60} minute{'s' * (period > 60)})",
            "scheduled_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        report: dict[str, int] = handler_of("fanout")(event, Context())
        return report

    def collect(self, kind: str) -> Any:
        return handler_of("collector")(sqs_event(self.received(kind), kind), Context())

    def received(self, queue: str) -> list[Any]:
        messages: list[Any] = []
        while found := self._receive(queue):
            messages += found
        assert messages
        return messages

    def _receive(self, queue: str) -> list[Any]:
        answer = self.sqs.receive_message(
            QueueUrl=self.queues[queue], MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def put_secret(self, name: str, value: Any) -> None:
        self._secretsmanager.put_secret_value(SecretId=self.secrets[name], SecretString=json.dumps(value))


@pytest.fixture
def pipeline(database_url: str, influx: Influx, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        pipeline = Pipeline(database_url, influx)
        for name, value in pipeline.environment().items():
            monkeypatch.setenv(name, value)
        forget()
        yield pipeline
        process().database.close()
        forget()
