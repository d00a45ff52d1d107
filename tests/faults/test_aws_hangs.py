"""AWS's services accept and never answer, drip, or say yes to everything: no poll waits, and none is lost.

The real handlers, with AWS behind a proxy for each service; PostgreSQL is real. More kinds of lies are told
to each adapter in `tests/contract/test_aws_away.py`.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import psycopg
import pytest

from fixtures.influxdb import Influx
from fixtures.limits import ends_within
from fixtures.pipeline import COMMUNITY, REGION, Pipeline
from local import http_faults as faults
from local.aws.server import running
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from local.devices.snmp_host import AgentThread
from local.http_faults import Fault
from local.lambda_.handlers import Context, handler_of, sqs_event
from local.proxy import HttpProxy
from netvitals.adapters.aws import clients, secrets_manager, silence
from netvitals.adapters.aws.clients import PATIENCE, RENEWAL, Patience
from netvitals.domain.errors import NetvitalsError
from netvitals.store.spool_batch import decode_spool_batch
from netvitals.wiring import fan_out as wiring_fan_out
from netvitals.wiring.parts import RENEWAL_SECONDS, forget, process

pytestmark = pytest.mark.integration

ADDRESS = "127.0.14.1"
REAL = dict(PATIENCE)
BUCKET = "netvitals-snapshots"
DOCUMENT = "/netvitals/configuration"
SERVICES = {
    "secretsmanager": "SECRETS_MANAGER",
    "ssm": "SSM",
    "sqs": "SQS",
    "s3": "S3",
    "events": "EVENTBRIDGE",
    "sns": "SNS",
}
"""The names by which boto3 and its variables call them."""
LIES: dict[str, Fault] = {
    "hangs": faults.stall,
    "drips": faults.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "says yes to everything": faults.answer(200, b"{}"),
    "is a page": faults.answer(200, b"<html>Please sign in</html>", Content_Type="text/html"),
}


class Polled(NamedTuple):
    answer: dict[str, Any]
    stored_at: float
    """When the observation, which comes after the points, was recorded, on the clock of `time.monotonic`."""
    seconds: float


class Scene:
    """The functions with a proxy in front of each service of AWS, and of InfluxDB."""

    def __init__(
        self,
        pipeline: Pipeline,
        proxies: dict[str, HttpProxy],
        influx: HttpProxy,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.pipeline, self.proxies, self.influx, self._monkeypatch = pipeline, proxies, influx, monkeypatch

    def lie(self, service: str, lie: str) -> None:
        """Let a service misbehave; functions begin anew and hurry with it, while other services have time."""
        # A client of S3 waits a second for leave to send what it puts.
        answer = 2 if service == "s3" else 0.5
        self._have_patience(service, *(_hurried(each, answer) for each in (REAL[service], clients.JOBS)))
        self.proxies[service].inflict(LIES[lie])

    def heal(self, service: str) -> None:
        self._have_patience(service, REAL[service], clients.JOBS)
        self.proxies[service].heal()

    def _have_patience(self, service: str, patience: Patience, with_job_queues: Patience) -> None:
        self._monkeypatch.setitem(clients.PATIENCE, service, patience)
        if service == "sqs":
            self._monkeypatch.setattr(wiring_fan_out, "JOBS", with_job_queues)
        self.begin_anew()

    @staticmethod
    def begin_anew() -> None:
        """Let the next invocation be the first of its process."""
        process().database.close()
        forget()

    def warm(self) -> None:
        """Have each function hold what it needs, by a run in which all is well."""
        self.pipeline.tick("metrics")
        assert self.poll().answer == {"batchItemFailures": []}
        self.run("status", {})

    def run(self, function: str, event: Any, seconds: float = 40) -> Any:
        return handler_of(function)(event, Context(seconds))

    def jobs(self) -> dict[str, Any]:
        return sqs_event(self.pipeline.received("metrics"), "metrics")

    def poll(self, jobs: dict[str, Any] | None = None) -> Polled:
        jobs = jobs or self.jobs()
        with psycopg.connect(self.pipeline.database_url) as connection:
            connection.execute("UPDATE device_state SET metrics_due_at = NULL")  # as if none was polled yet
        began, ahead = time.monotonic(), time.time() - time.monotonic()
        answer = self.run("collector", jobs)
        ended = time.monotonic()
        with psycopg.connect(self.pipeline.database_url) as connection:
            states = connection.execute("SELECT extract(epoch FROM updated_at)::float8 FROM device_state")
            [(recorded_at,)] = states.fetchall()
        return Polled(answer, recorded_at - ahead, ended - began)

    def requests(self, service: str) -> int:
        return len(self.proxies[service].requests)


def _hurried(patience: Patience, answer_seconds: float) -> Patience:
    return patience._replace(connect_seconds=0.5, answer_seconds=answer_seconds)


@pytest.fixture
def scene(database_url: str, memory_influx: Influx, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with running() as aws, ExitStack() as stack:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        to_influx = stack.enter_context(HttpProxy(memory_influx.server.server_port))
        memory_influx.url = f"http://127.0.0.1:{to_influx.port}"
        pipeline = Pipeline(database_url, memory_influx)
        topic = world()
        port = urlsplit(aws.url).port or 0
        proxies = {service: stack.enter_context(HttpProxy(port)) for service in SERVICES}
        for service, name in SERVICES.items():
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", f"http://127.0.0.1:{proxies[service].port}")
        for name, value in {**pipeline.environment(), **environment(topic)}.items():
            monkeypatch.setenv(name, value)
        agent = stack.enter_context(AgentThread({ADDRESS: Agent(system("sw-1"), community=COMMUNITY)}))
        pipeline.add_device("sw-1", agent.port, ip_address=ADDRESS)
        forget()
        yield (scene := Scene(pipeline, proxies, to_influx, monkeypatch))
        scene.begin_anew()


def world() -> str:
    """Make what functions find beside queues and secrets; return the topic's ARN."""
    place: Any = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    boto3.client("ssm").put_parameter(Name=DOCUMENT, Value="{}", Type="String")
    boto3.client("events").create_event_bus(Name="netvitals")
    arn: str = boto3.client("sns").create_topic(Name="people")["TopicArn"]
    return arn


def environment(topic: str) -> dict[str, str]:
    return {
        "NETVITALS_CONFIG_PARAMETER": DOCUMENT,
        "NETVITALS_SNAPSHOT_BUCKET": BUCKET,
        "NETVITALS_EVENT_BUS_NAME": "netvitals",
        "NETVITALS_DIGEST_TOPIC_ARN": topic,
    }


def test_a_poll_takes_no_longer_with_a_secrets_manager_that_hangs(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.warm()
    monkeypatch.setattr(secrets_manager, "MAX_AGE_SECONDS", -1)
    monkeypatch.setattr(secrets_manager, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(silence, "SILENCE_SECONDS", 1)
    events = []
    for _ in range(3):
        scene.pipeline.tick("metrics")
        events.append(scene.jobs())
    before = scene.requests("secretsmanager")
    scene.poll(events[0])
    assert scene.requests("secretsmanager") == before + 3  # of the database, InfluxDB, and the devices

    scene.proxies["secretsmanager"].inflict(faults.stall)
    for event in events[1:]:
        scene.pipeline.forget_polls()
        before = scene.requests("secretsmanager")
        with ends_within(RENEWAL_SECONDS):
            polled = scene.poll(event)
        time.sleep(silence.SILENCE_SECONDS)
        assert polled.answer == {"batchItemFailures": []}
        assert polled.seconds > RENEWAL.answer_seconds
        assert scene.requests("secretsmanager") == before + 1  # one attempt, for all three
        assert polled.stored_at < scene.proxies["secretsmanager"].requests[-1]


def test_a_secret_that_was_rotated_while_secrets_manager_hung_is_known_afterwards(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scene.warm()
    monkeypatch.setattr(secrets_manager, "MAX_AGE_SECONDS", -1)
    monkeypatch.setattr(secrets_manager, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(silence, "SILENCE_SECONDS", 1)
    scene.proxies["secretsmanager"].inflict(faults.stall)
    scene.pipeline.tick("metrics")  # ends with a renewal that hangs
    rotated = {"lab": {"snmp": {"version": "2c", "community": "another"}}}
    scene.pipeline.put_secret("credentials", rotated)
    caplog.clear()
    scene.poll()
    assert "sw-1: " not in caplog.text
    scene.proxies["secretsmanager"].heal()
    time.sleep(1)
    scene.pipeline.tick("metrics")
    assert scene.poll().answer == {"batchItemFailures": []}  # ends with a renewal, at the latest
    scene.pipeline.tick("metrics")
    caplog.clear()
    scene.poll()
    assert "sw-1: timeout" in caplog.text  # the device does not know the new community


@pytest.mark.parametrize("lie", ["hangs", "says yes to everything"])
@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
@pytest.mark.parametrize("function", ["collector", "fanout", "status", "replay"])
def test_a_process_that_begins_with_nothing_says_so_in_time(
    scene: Scene, function: str, service: str, lie: str
) -> None:
    scene.pipeline.tick("metrics")
    events = {
        "collector": scene.jobs(),
        "fanout": {"kind": "status", "schedule": "rate(1 minute)"},
        "status": {},
        "replay": sqs_event([]),
    }
    scene.lie(service, lie)
    patience_with_the_database = 8 if function == "fanout" else 0
    with ends_within(longest(clients.PATIENCE[service]) + patience_with_the_database):
        if (function, service) == ("replay", "secretsmanager"):
            assert scene.run(function, events[function]) == {"batchItemFailures": []}  # nothing to deliver
        elif (function, service) == ("fanout", "secretsmanager"):
            assert scene.run(function, events[function])["devices"] == 1  # by the copy of the inventory
        else:
            with pytest.raises(NetvitalsError):
                scene.run(function, events[function])


@pytest.mark.parametrize("lie", LIES)
def test_points_that_neither_influxdb_nor_the_spool_take_come_again(scene: Scene, lie: str) -> None:
    scene.warm()
    scene.pipeline.tick("metrics")
    event = scene.jobs()
    scene.influx.refuse()
    scene.lie("sqs", lie)
    with ends_within(20):
        answer = scene.run("collector", event)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        record["messageId"] for record in event["Records"]
    ]
    scene.heal("sqs")
    scene.influx.listen()
    assert scene.run("collector", event) == {"batchItemFailures": []}


@pytest.mark.parametrize("lie", LIES)
def test_jobs_are_sent_before_a_bucket_is_waited_for(scene: Scene, lie: str) -> None:
    scene.lie("s3", lie)
    start = scene.pipeline.window("metrics")
    with ends_within(longest(clients.PATIENCE["s3"]) + 5):
        report = scene.pipeline.tick("metrics", start)
    assert (report["jobs"], report["messages"]) == (1, 1)
    assert scene.proxies["sqs"].requests[-1] < scene.proxies["s3"].requests[0]
    assert scene.jobs()["Records"]


@pytest.mark.parametrize("lie", LIES)
def test_jobs_that_a_queue_did_not_take_are_told_of_in_time(scene: Scene, lie: str) -> None:
    scene.pipeline.tick("metrics")
    scene.lie("sqs", lie)
    with ends_within(20), pytest.raises(NetvitalsError, match="of 1 messages 1 were not sent"):
        scene.pipeline.tick("metrics")


@pytest.mark.parametrize("lie", LIES)
def test_without_a_database_a_bucket_that_lies_is_told_of_in_time(
    scene: Scene, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.pipeline.tick("metrics")
    scene.lie("s3", lie)
    scene.pipeline.put_secret("database", {"url": "postgresql://u:p@127.0.0.1:1/d"})
    monkeypatch.setattr("netvitals.usecases.retrying_inventory.PATIENCE_SECONDS", 1)
    start = scene.pipeline.window("metrics")
    with ends_within(15), pytest.raises(NetvitalsError, match="and no snapshot stands in"):
        scene.pipeline.tick("metrics", start)


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("service", ["events", "sns"])
def test_a_status_is_decided_and_written_whatever_its_publishers_do(
    scene: Scene, service: str, lie: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.warm()
    with psycopg.connect(scene.pipeline.database_url) as connection:
        connection.execute(
            "UPDATE device_state SET failures = 9, successes = 0, reason = 'timeout', streak_since = now()"
            " - interval '5 minutes', last_seen_at = now() - interval '10 minutes', last_attempt_at = now()"
        )
    scene.lie(service, lie)
    capsys.readouterr()
    with ends_within(10):
        answer = scene.run("status", {})
    assert answer["statuses"] == {"offline": 1}
    assert unpublished(scene) == {"events": ["event"], "sns": ["digest"]}[service]
    rows = scene.pipeline.influx.query("SELECT * FROM device_status")
    assert rows[-1]["status"] == "offline"

    scene.heal(service)
    scene.run("status", {})
    assert unpublished(scene) == []


def unpublished(scene: Scene) -> list[str]:
    with psycopg.connect(scene.pipeline.database_url) as connection:
        rows = connection.execute("SELECT channel FROM status_outbox WHERE published_at IS NULL")
        return [channel for (channel,) in rows]


@pytest.mark.parametrize("lie", LIES)
def test_a_replay_that_can_not_hide_its_messages_ends_in_time(scene: Scene, lie: str) -> None:
    scene.warm()
    scene.pipeline.tick("metrics")
    scene.influx.refuse()
    assert scene.poll().answer == {"batchItemFailures": []}
    spooled = scene.pipeline.received("spool")
    lines = [record for each in spooled for record in decode_spool_batch(each["Body"]).records]
    assert lines
    scene.lie("sqs", lie)
    event = sqs_event([{**spooled[0], "MessageId": f"{n}"} for n in range(10)], "spool")
    with ends_within(20):
        answer = scene.run("replay", event)
    assert len(answer["batchItemFailures"]) == len(event["Records"])


def longest(patience: Patience) -> float:
    """How long a call may take: its tries, and the pauses between them."""
    return patience.tries * (patience.connect_seconds + patience.answer_seconds) + patience.tries - 1


def test_the_patience_with_each_service_fits_into_the_time_of_an_invocation() -> None:
    """With the numbers that are deployed: the other tests hurry."""
    assert longest(REAL["ssm"]) + longest(REAL["secretsmanager"]) < 20
    assert longest(REAL["sqs"]) < 15  # the collector's flush reserve
    assert longest(REAL["s3"]) < 15
    assert 2 * longest(REAL["events"]) + longest(REAL["sns"]) < 25
    assert longest(RENEWAL) <= RENEWAL_SECONDS
    assert 5 * longest(clients.JOBS) < 30
