"""Whatever happens between the collector, InfluxDB and the queues: every point that was measured is in
InfluxDB exactly once, at its own time, or its line is on the reject queue with the reason.

The real InfluxDB and moto's SQS stand behind proxies that misbehave.
"""

import time
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

import boto3
import msgspec
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from fixtures.influxdb import Influx
from fixtures.storage import MemoryObservations
from local import http_faults as faults
from local.http_faults import POISON, Fault
from local.proxy import HttpProxy
from netvitals.adapters.aws.spool import SqsSpool
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.point import Point
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.store.influx.sink import InfluxSink
from netvitals.store.line_protocol import encode
from netvitals.store.outcome import Refusal, StoreReport
from netvitals.store.ports import SpoolMessage
from netvitals.store.spool_batch import decode_spool_batch
from netvitals.usecases.replay import Replay, ReplayReport
from netvitals.usecases.store_points import StorePoints

pytestmark = pytest.mark.integration

NOW = 1_763_913_600_123_456_789
PATIENCE_SECONDS = 20
"""With an answer that comes, on a busy machine."""
HANGS: dict[Fault | None, float] = {faults.stall: 1, faults.stall_after: 1, faults.drip: 1}
"""How long answers are waited for, in seconds, where none comes."""
Duration = Literal["short", "long"]


class Case(NamedTuple):
    fault: Fault | None
    """None: connections are refused."""
    retried: bool = True
    """A single occurrence is overcome at once, without the spool."""


def quoted(poisoned: list[tuple[int, str]]) -> object:
    texts = "\n".join(f"unable to parse '{line}': bad" for _, line in poisoned)
    return {"code": "invalid", "message": f"partial write: {texts} dropped=0"}


def first_quoted(poisoned: list[tuple[int, str]]) -> object:
    return {"code": "invalid", "message": f"unable to parse '{poisoned[0][1]}': bad", "line": 1}


def numbered(poisoned: list[tuple[int, str]]) -> object:
    return {"code": "invalid", "message": "; ".join(f"line {number}: bad" for number, _ in poisoned)}


def listed(poisoned: list[tuple[int, str]]) -> object:
    data = [{"original_line": line, "line_number": n, "error_message": "bad"} for n, line in poisoned]
    return {"error": "partial write of line protocol occurred", "data": data}


def counted(poisoned: list[tuple[int, str]]) -> object:
    return {"message": f"partial write: field type conflict: is type integer dropped={len(poisoned)}"}


def mute(_: list[tuple[int, str]]) -> object:
    return {"code": "invalid", "message": "something is wrong"}


REFUSALS = {
    "version 1 quotes all and writes the rest": Case(faults.refuse_poison(quoted, write_rest=True)),
    "version 2 quotes one and writes nothing": Case(faults.refuse_poison(first_quoted, write_rest=False)),
    "version 3 numbers them and writes nothing": Case(faults.refuse_poison(numbered, write_rest=False)),
    "version 3 lists them and writes the rest": Case(faults.refuse_poison(listed, write_rest=True)),
    "types conflict": Case(faults.refuse_poison(counted, write_rest=True, status=422)),
    "nobody says which": Case(faults.refuse_poison(mute, write_rest=False)),
}
COMMON = {
    "refused": Case(None),
    "reset before": Case(faults.reset_unread),
    "reset after": Case(faults.reset_after),
    "stall before": Case(faults.stall),
    "stall after": Case(faults.stall_after),
    "drip": Case(faults.drip),
    "truncate": Case(faults.truncate),
    "garbage": Case(faults.garbage),
    "500": Case(faults.answer(500, b"<html>oh</html>")),
    "503": Case(faults.said(503, "unavailable", "try later")),
    "503 not UTF-8": Case(faults.answer(503, b"\xff\xfe")),
}
INFLUX = (
    COMMON
    | {
        "429": Case(faults.said(429, "too many requests", "slow down")),
        "429 for 0.1 s": Case(faults.answer(429, Retry_After="0.1")),
        "429 for an hour": Case(faults.answer(429, Retry_After="3600"), retried=False),
        "429 until a date": Case(
            faults.answer(429, Retry_After="Fri, 31 Dec 2199 23:59:59 GMT"), retried=False
        ),
        "401": Case(faults.said(401, "unauthorized", "unauthorized access")),
        "403": Case(faults.said(403, "forbidden", "insufficient permissions")),
        "404": Case(faults.said(404, "not found", "bucket not found"), retried=False),
        "413": Case(faults.too_large_over(1500)),
        "302": Case(faults.answer(302, Location="http://127.0.0.1:1/"), retried=False),
    }
    | REFUSALS
)
QUEUE = COMMON | {
    "truncate late": Case(faults.truncate_late),
    "throttled": Case(faults.answer(400, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}')),
    "denied": Case(faults.answer(403, b'{"__type": "AccessDenied", "message": "no"}')),
}
FLEET = [
    (f"sw{device}", Point("net_bytes_in", device * 1000 + n, NOW + n * 10**9, instance=f"Gi1/0/{n}"))
    for device in range(4)
    for n in range(10)
]
BAD = [("sw9", Point("net_bytes_in", n, NOW + n, instance=POISON)) for n in range(3)]


class Hurried(SqsSpool):
    """Messages that are put off come back at once."""

    def postpone(self, message: SpoolMessage, seconds: int) -> None:
        assert seconds >= 15
        super().postpone(message, 0)


class Scene:
    """A collector's way to InfluxDB with a proxy on each stretch."""

    def __init__(self, influx: Influx, to_influx: HttpProxy, to_queue: HttpProxy) -> None:
        self.influx, self.to_influx, self.to_queue = influx, to_influx, to_queue
        access = msgspec.structs.replace(influx.access, url=f"http://127.0.0.1:{to_influx.port}")
        self._access = access
        self.refreshed = 0
        self._client = partial(
            boto3.client, "sqs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        straight = self._client(endpoint_url=f"http://127.0.0.1:{to_queue.upstream}")
        self.spool = Hurried(straight, self._queue(straight, "spool"))
        self.rejects = SqsSpool(straight, self._queue(straight, "rejects"))
        self.rounds = 0
        self.heal_when_asleep = False
        self.wait_for_answers(PATIENCE_SECONDS)

    def wait_for_answers(self, seconds: float) -> None:
        """Make anew what waits so long for an answer of InfluxDB or of the queue."""
        self.seconds = seconds
        settings = InfluxSettings(
            timeout_seconds=seconds, retries=2, backoff_initial_seconds=0.01, backoff_maximum_seconds=0.02
        )
        sink = InfluxSink(lambda: self._access, settings, self._refresh, sleep=self._sleep)
        patience = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 3})
        through = self._client(endpoint_url=f"http://127.0.0.1:{self.to_queue.port}", config=patience)
        self.store = StorePoints(
            sink, SqsSpool(through, self.spool._queue_url), self.rejects, reserve_seconds=1
        )
        self.replay = Replay(
            sink,
            MemoryObservations(),
            self.spool,
            self.rejects,
            self.spool,
            clock=lambda: time.monotonic() + 1000 * self.rounds,
        )

    @staticmethod
    def _queue(client: Any, name: str) -> str:
        url: str = client.create_queue(QueueName=f"{name}-{uuid.uuid4().hex}")["QueueUrl"]
        return url

    def _refresh(self) -> bool:
        self.refreshed += 1
        return self.refreshed == 1

    def _sleep(self, seconds: float) -> None:
        if self.heal_when_asleep:
            self.to_influx.heal()
        time.sleep(seconds)

    def inflict(self, proxy: HttpProxy, case: Case, duration: Duration) -> None:
        self.wait_for_answers(HANGS.get(case.fault, PATIENCE_SECONDS))
        if case.fault is not None:
            proxy.inflict(case.fault, 1 if duration == "short" else 1_000_000)
        else:
            proxy.refuse()
            self.heal_when_asleep = duration == "short"

    def keep(self, lines: list[str]) -> StoreReport:
        return self.store.keep(lines, time.monotonic() + 1 + 3 * self.seconds)

    def replay_once(self) -> ReplayReport:
        self.rounds += 1
        messages = self.spool.receive()
        report = self.replay.run(messages, time.monotonic() + 30)
        for message in messages:
            if message.id not in report.failed_ids:
                self.spool.delete(message)
        return report

    def drain(self) -> None:
        self.to_influx.heal()
        self.wait_for_answers(PATIENCE_SECONDS)
        for _ in range(10):
            if self.spool.depth() == (0, 0):
                return
            self.replay_once()
        raise AssertionError("the spool does not empty")

    def stored(self) -> dict[tuple[str, str, int], float]:
        """What InfluxDB holds; a second point for the same key would be an error."""
        rows = self.influx.query("SELECT value FROM device_metrics GROUP BY *")
        found = {(row["device_id"], row["instance"], row["time"]): row["value"] for row in rows}
        assert len(found) == len(rows)
        return found

    def rejected(self) -> list[Refusal]:
        records: list[str] = []
        while messages := self.rejects.receive():
            records += [record for message in messages for record in decode_spool_batch(message.body).records]
        return [msgspec.json.decode(record, type=Refusal) for record in records]


@pytest.fixture(scope="module")
def moto_port() -> Iterator[int]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def scene(influx: Influx, moto_port: int) -> Iterator[Scene]:
    with (
        HttpProxy(influx.server.server_port) as to_influx,
        HttpProxy(moto_port) as to_queue,
    ):
        yield Scene(influx, to_influx, to_queue)


def lines_of(fleet: list[tuple[str, Point]]) -> list[str]:
    return [line for device, point in fleet for line in encode(device, [point])]


def check_everything_is_accounted_for(scene: Scene, bad: list[str]) -> None:
    assert scene.stored() == {(device, point.instance, point.time_ns): point.value for device, point in FLEET}
    rejected = scene.rejected()
    assert sorted({refusal.line for refusal in rejected}) == sorted(bad)
    assert all(refusal.reason for refusal in rejected)


def poisoned(name: str) -> list[tuple[str, Point]]:
    return BAD if name in REFUSALS else []


def mixed(bad: list[str]) -> list[str]:
    good = lines_of(FLEET)
    return [*bad[:1], *good[:20], *bad[1:2], *good[20:], *bad[2:]]


@pytest.mark.parametrize("duration", ["short", "long"])
@pytest.mark.parametrize("name", INFLUX)
def test_points_survive_a_fault_while_they_are_written(scene: Scene, name: str, duration: Duration) -> None:
    if name in REFUSALS and duration == "short":
        duration = "long"  # a line is refused for what it says, however often it is sent
    bad = lines_of(poisoned(name))
    scene.inflict(scene.to_influx, INFLUX[name], duration)
    report = scene.keep(mixed(bad))
    overcome = name in {*REFUSALS, "413"} or (duration == "short" and INFLUX[name].retried)
    assert (report.spooled == 0) == overcome
    assert report.detail or overcome
    scene.drain()
    check_everything_is_accounted_for(scene, bad)


@pytest.mark.parametrize("duration", ["short", "long"])
@pytest.mark.parametrize("name", QUEUE)
def test_points_survive_a_fault_while_they_are_spooled(scene: Scene, name: str, duration: Duration) -> None:
    lines = lines_of(FLEET)
    scene.to_influx.refuse()
    scene.inflict(scene.to_queue, QUEUE[name], duration)
    try:
        scene.keep(lines)
    except Unavailable:  # the messages go back to their queue, and come again
        scene.to_queue.heal()
        scene.wait_for_answers(PATIENCE_SECONDS)
        scene.keep(lines)
    scene.drain()
    check_everything_is_accounted_for(scene, [])


@pytest.mark.parametrize("duration", ["short", "long"])
@pytest.mark.parametrize("name", INFLUX)
def test_points_survive_a_fault_while_they_are_replayed(scene: Scene, name: str, duration: Duration) -> None:
    bad = lines_of(poisoned(name))
    everything = mixed(bad)
    scene.to_influx.refuse()
    for part in range(0, len(everything), 10):
        scene.keep(everything[part : part + 10])
    scene.to_influx.heal()
    scene.inflict(scene.to_influx, INFLUX[name], "long" if bad else duration)
    for _ in range(2):
        scene.replay_once()
    scene.drain()
    check_everything_is_accounted_for(scene, bad)
