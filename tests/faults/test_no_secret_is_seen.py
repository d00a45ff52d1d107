"""Whatever fails, no secret is seen: in logs or metrics, in what is spooled, or in what is raised."""

import copy
import json
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from fixtures.influxdb import TOKEN, Influx
from local.lambda_.handlers import Context, handler_of, sqs_event
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.domain.errors import NetvitalsError
from netvitals.domain.polling.job import Job, encode_jobs
from netvitals.domain.settings.policy import PollSettings
from netvitals.store.spool_batch import decode_spool_batch
from netvitals.wiring.parts import forget

REGION = "eu-west-1"
CANARY = "canary-"
"""Every secret below, and the simulated InfluxDB's own token, begins so."""
USM = {"version": "3", "user": "monitor", "auth": "SHA256", "auth_key": "canary-auth-key", "priv": "AES128"}
CREDENTIALS = {
    "v2c": {"snmp": {"community": "canary-community"}},
    "v3": {"snmp": {**USM, "priv_key": "canary-priv-key"}},
    "ssh": {"ssh": {"user": "monitor", "password": "canary-password", "private_key": "canary-private-key"}},
    "winrm": {"winrm": {"user": "monitor", "password": "canary-password"}},
    "no-object": "canary-text",
    "wrong-key": {"snmp": {"comunity": "canary-community"}},
    "key-as-protocol": {"snmp": {**USM, "auth": "canary-auth-key", "priv_key": "canary-priv-key"}},
    "short-key": {"snmp": {**USM, "priv_key": CANARY}},
    "number": {"snmp": {"community": ["canary-community"]}},
}
DATABASE = {"url": "postgresql://netvitals:canary-password@127.0.0.1:1/netvitals"}
"""Nobody listens there."""

type Secrets = dict[str, Any]


def as_it_is(_: Secrets) -> None:
    """The database is away, no device answers, five credentials are malformed."""


def influxdb_refuses_the_token(secrets: Secrets) -> None:
    secrets["influxdb"]["token"] = "canary-revoked"


def influxdb_is_away(secrets: Secrets) -> None:
    secrets["influxdb"]["url"] = "http://127.0.0.1:1"


def influxdbs_address_is_none(secrets: Secrets) -> None:
    secrets["influxdb"]["url"] = "canary-address"


def influxdbs_token_has_a_line_end(secrets: Secrets) -> None:
    secrets["influxdb"]["token"] = "canary-token\ncanary-token"


def the_databases_password_is_not_encoded(secrets: Secrets) -> None:
    secrets["database"]["url"] = "postgresql://netvitals:canary-p@ss/w%ord#@127.0.0.1:1/netvitals"


def the_databases_port_is_a_password(secrets: Secrets) -> None:
    secrets["database"] = {"host": "h", "username": "u", "password": "canary-password", "port": "canary-port"}


def the_credentials_are_cut_short(secrets: Secrets) -> None:
    secrets["credentials"] = '{"v2c": {"snmp": {"community": "canary-comm'


def the_credentials_are_a_list(secrets: Secrets) -> None:
    secrets["credentials"] = [CREDENTIALS["v2c"]]


FAULTS: list[Callable[[Secrets], None]] = [
    as_it_is,
    influxdb_refuses_the_token,
    influxdb_is_away,
    influxdbs_address_is_none,
    influxdbs_token_has_a_line_end,
    the_databases_password_is_not_encoded,
    the_databases_port_is_a_password,
    the_credentials_are_cut_short,
    the_credentials_are_a_list,
]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("NETVITALS_ALLOW_LOCAL", "on")
    monkeypatch.setenv("NETVITALS_LOG_LEVEL", "DEBUG")
    root = logging.getLogger()
    handlers = root.handlers[:]
    forget()
    with mock_aws():
        yield
    forget()
    root.handlers = handlers


def messages() -> list[dict[str, Any]]:
    """A job for each credential, for devices at an address where nothing answers."""
    now = int(time.time())
    return [
        {
            "MessageId": name,
            "ReceiptHandle": name,
            "Body": encode_jobs(
                [
                    Job(
                        kind="metrics",
                        device_id=name,
                        address="127.0.0.1",
                        due_at=now,
                        expires_at=now + 300,
                        credential=name,
                        settings=PollSettings(
                            protocols=(name,) if name in ("ssh", "winrm") else ("snmp",),
                            device_timeout_seconds=1,
                            snmp=SnmpSettings(port=9, timeout_seconds=0.2, retries=0),
                        ),
                    )
                ]
            ),
        }
        for name in CREDENTIALS
    ]


def deploy(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Set up secrets and queues; what is returned gives all that was put on the queues since."""
    manager, sqs = boto3.client("secretsmanager", region_name=REGION), boto3.client("sqs", region_name=REGION)
    for name, value in secrets.items():
        text = value if isinstance(value, str) else json.dumps(value)
        arn = manager.create_secret(Name=name, SecretString=text)["ARN"]
        monkeypatch.setenv(f"NETVITALS_{name.upper()}_SECRET_ARN", arn)
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("spool", "reject")]
    for name, url in zip(("SPOOL", "REJECT", "STATUS", "METRICS"), urls * 2, strict=True):
        monkeypatch.setenv(f"NETVITALS_{name}_QUEUE_URL", url)

    def spooled() -> str:
        bodies = [
            message["Body"]
            for url in urls
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        ]
        return " ".join(f"{json.loads(body)['cause']} {decode_spool_batch(body).records}" for body in bodies)

    return spooled


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("aws")
def test_a_fault_shows_no_secret(
    fault: Callable[[Secrets], None],
    memory_influx: Influx,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    access = {"url": memory_influx.url, "token": TOKEN, "org": "o", "bucket": memory_influx.bucket}
    secrets = copy.deepcopy({"credentials": CREDENTIALS, "influxdb": access, "database": DATABASE})
    fault(secrets)
    spooled = deploy(secrets, monkeypatch)
    raised = ""
    for function, event in {
        "collector": sqs_event(messages()),
        "fanout": {"kind": "status", "schedule": "rate(1 minute)", "scheduled_time": "2026-11-23T16:00:00Z"},
        "status": {},
        "replay": sqs_event([{"MessageId": "x", "ReceiptHandle": "x", "Body": "no spool batch"}]),
    }.items():
        try:
            handler_of(function)(event, Context(30))
        except NetvitalsError as error:
            raised += "".join(traceback.format_exception(error))
    printed = capsys.readouterr()
    seen = printed.out + printed.err + caplog.text + raised + spooled()
    assert "Failures" in seen
    if isinstance(secrets["credentials"], dict):
        assert "wrong-key: bad_credential: " in seen  # what is wrong was told, of each
    assert CANARY not in seen
