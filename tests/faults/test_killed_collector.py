"""The collector's process is killed, at each point between poll, write, spool and state, and its messages
come again: no result is lost silently, nothing wrong is written, and what is done twice counts once.

A process of its own runs the real function against a simulated device, a real InfluxDB, a real PostgreSQL and
moto's SQS; a proxy before one of them holds it at the chosen point until it is killed.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from fixtures.influxdb import Influx
from local.aws import server as aws
from local.aws.template import REGION
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from local.devices.snmp_host import AgentThread
from local.http_faults import Exchange
from local.lambda_.handlers import Context, handler_of, sqs_event
from local.proxy import HttpProxy, TcpProxy
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.domain.polling.job import Job, encode_jobs
from netvitals.domain.settings.policy import PollSettings
from netvitals.wiring.parts import forget, process

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
ADDRESSES = ("127.0.13.1", "127.0.13.2", "127.0.13.3")
COLLECTOR = """
import json, sys
from local.lambda_.handlers import Context, handler_of
from netvitals.adapters.postgres import state
state.RECORD_SECONDS = 60  # it is killed before it gives up, on a busy machine as well
handler_of("collector")(json.load(sys.stdin), Context(90))
"""
UPSERT, COMMIT = b"INSERT INTO device_state", b"COMMIT"


class Held(Agent):
    """Says nothing while `held`, and tells that it was asked."""

    def __init__(self, reached: threading.Event) -> None:
        super().__init__(system("device"))
        self.held, self.reached = False, reached

    def receive(self, datagram: bytes) -> list[bytes]:
        if self.held:
            self.reached.set()
            return []
        return list(super().receive(datagram))


class World:
    """What is around the collector, and who watches it."""

    def __init__(self, to_influx: HttpProxy, to_queue: HttpProxy, to_database: TcpProxy) -> None:
        self.to_influx, self.to_queue, self.to_database = to_influx, to_queue, to_database
        self.reached = threading.Event()
        self.agents = {address: Held(self.reached) for address in ADDRESSES}
        self.port = 0
        self.influx: Influx
        self.sqs: Any
        self.spool = ""
        self.direct_url = ""

    def hold(self, exchange: Exchange) -> None:
        self.reached.set()
        exchange.stopped.wait(60)

    def hold_after(self, exchange: Exchange) -> None:
        exchange.forward(exchange.body)
        self.hold(exchange)

    def messages(self) -> dict[str, Any]:
        now = int(time.time())
        jobs = [
            Job(
                kind="metrics",
                device_id=address,
                address=address,
                credential="lab",
                due_at=now,
                expires_at=now + 300,
                settings=PollSettings(snmp=SnmpSettings(port=self.port, timeout_seconds=5)),
            )
            for address in ADDRESSES
        ]
        bodies = {job.device_id: encode_jobs([job]) for job in jobs}
        messages = [{"MessageId": name, "ReceiptHandle": name, "Body": body} for name, body in bodies.items()]
        return sqs_event(messages, "metrics")

    def run_and_kill(self, event: dict[str, Any], beside: "Callable[[World], object]") -> None:
        """Run the collector until it has come to where it is held, and done what it does beside."""
        child = subprocess.Popen(
            [sys.executable, "-c", COLLECTOR],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            text=True,
        )
        try:
            assert child.stdin is not None
            child.stdin.write(json.dumps(event))
            child.stdin.close()
            deadline = time.monotonic() + 60
            while not ((self.reached.is_set() or self.to_database.met.is_set()) and beside(self)):
                assert time.monotonic() < deadline, "the collector did not come so far"
                assert child.poll() is None, "the collector ended by itself"
                time.sleep(0.01)
        finally:
            child.kill()
            child.wait()

    def heal(self) -> None:
        self.to_influx.heal()
        self.to_queue.heal()
        self.to_database.heal()
        for agent in self.agents.values():
            agent.held = False

    def spooled(self) -> list[Any]:
        """What waits in the spool; it stays there, as for a replay that was killed."""
        answer = self.sqs.receive_message(
            QueueUrl=self.spool,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageSystemAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def points(self) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """Times and values by device and metric."""
        found: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for row in self.influx.query("SELECT value FROM device_metrics GROUP BY *"):
            key = row["device_id"], f"{row['metric_name']} {row.get('instance', '')}".strip()
            found.setdefault(key, []).append((row["time"], row["value"]))
        return found

    def states(self) -> list[tuple[str, int, int]]:
        query = "SELECT device_id, failures, successes FROM device_state ORDER BY 1"
        with psycopg.connect(self.direct_url) as connection:
            return connection.execute(query).fetchall()


class Point(NamedTuple):
    """Where the collector is killed."""

    hold: Callable[[World], None]
    beside: Callable[[World], object]
    """What is done on another thread, which the killed process is given time for."""
    written: int
    """How many polls of each device are in InfluxDB in the end: the killed one, and the one after."""
    spools: bool = False
    by_killed: int | None = None
    """How many of them the killed process made; all but the last, unless told otherwise."""


def while_polling(world: World) -> None:
    for agent in world.agents.values():
        agent.held = True


def before_spooling(world: World) -> None:
    world.to_influx.refuse()
    world.to_queue.inflict(world.hold)


def after_spooling(world: World) -> None:
    world.to_influx.refuse()
    world.to_queue.inflict(world.hold_after)


def nothing(_: World) -> bool:
    return True


POINTS = {
    "while polling": Point(while_polling, nothing, written=1),
    "before writing": Point(lambda world: world.to_influx.inflict(world.hold), nothing, 1),
    "after writing": Point(lambda world: world.to_influx.inflict(world.hold_after), nothing, 2),
    "before spooling": Point(before_spooling, nothing, 1),
    "after spooling": Point(after_spooling, nothing, 2, spools=True),
    "before the state": Point(
        lambda world: world.to_database.inflict("stall before", UPSERT), World.points, 2
    ),
    "after the state": Point(lambda world: world.to_database.inflict("stall after", UPSERT), World.points, 2),
    # The poll is done then, and is not made again.
    "after the commit": Point(
        lambda world: world.to_database.inflict("stall after", COMMIT, once_said=UPSERT),
        World.points,
        1,
        by_killed=1,
    ),
}


@pytest.fixture
def world(database_url: str, influx: Influx, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    split = urlsplit(database_url)
    with (
        aws.running() as services,
        HttpProxy(influx.server.server_port) as to_influx,
        HttpProxy(urlsplit(services.url).port or 0) as to_queue,
        TcpProxy(split.port or 5432) as to_database,
    ):
        world = World(to_influx, to_queue, to_database)
        world.influx, world.sqs, world.direct_url = influx, services.client("sqs"), database_url
        world.spool, rejects = (
            world.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("spool", "reject")
        )
        secrets = services.client("secretsmanager")
        credentials = json.dumps({"lab": {"snmp": {"community": "public"}}})
        netloc = split.netloc.replace(f":{split.port}", f":{to_database.port}")
        for name, value in {
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_ENDPOINT_URL": services.url,
            "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{to_queue.port}",
            "DATABASE_URL": urlunsplit(split._replace(netloc=netloc)),
            **influx.variables,
            "INFLUXDB_URL": f"http://127.0.0.1:{to_influx.port}",
            "NETVITALS_CREDENTIALS_SECRET_ARN": secrets.create_secret(Name="c", SecretString=credentials)[
                "ARN"
            ],
            "NETVITALS_SPOOL_QUEUE_URL": world.spool,
            "NETVITALS_REJECT_QUEUE_URL": rejects,
            "NETVITALS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "NETVITALS_ALLOW_LOCAL": "on",
            "PYTHONPATH": str(ROOT),
        }.items():
            monkeypatch.setenv(name, value)
        forget()
        with AgentThread(world.agents) as host:
            world.port = host.port
            yield world
        process().database.close()
        forget()


@pytest.mark.parametrize("name", POINTS)
def test_a_collector_that_is_killed(world: World, name: str) -> None:
    point = POINTS[name]
    event = world.messages()
    began = time.time_ns()
    point.hold(world)
    world.run_and_kill(event, point.beside)
    ended = time.time_ns()
    world.heal()
    assert bool(world.spooled()) == point.spools

    collector, replay = handler_of("collector"), handler_of("replay")
    assert collector(event, Context()) == {"batchItemFailures": []}  # none had been deleted: they come again
    for _ in range(2):
        if messages := world.spooled():
            assert replay(sqs_event(messages, "spool"), Context()) == {"batchItemFailures": []}

    points = world.points()
    assert {device for device, _ in points} == set(ADDRESSES)
    for device in ADDRESSES:
        assert points[device, "ping_status"]
        assert [value for _, value in points[device, "ping_status"]] == [1] * point.written
        uptimes = points[device, "uptime_seconds"]
        assert len(uptimes) == point.written
        # A value stands at the time at which it was true, whichever process wrote it, and however late.
        assert sum(began <= at <= ended for at, _ in uptimes) == (
            point.written - 1 if point.by_killed is None else point.by_killed
        )
    assert Counter(len(values) for values in points.values()).keys() == {point.written}
    assert world.states() == [(device, 0, 1) for device in ADDRESSES]
