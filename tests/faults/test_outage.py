"""InfluxDB is away for an hour while 1,000 devices are polled at the default intervals.

The hour passes on a virtual clock, the points are real: they are written to a real InfluxDB behind a
proxy that refuses connections, through the collector's and the replay's own code. A status poll gives 2
points every 30 s and a metrics poll 6 every 5 min (on a switch with 48 ports they are about 400).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest

from fixtures.influxdb import Influx
from fixtures.storage import MemoryObservations, MemorySpool
from fixtures.virtual_sqs import VirtualSpool
from local.proxy import HttpProxy
from netvitals.domain.polling.point import Point
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.store.access import InfluxAccess
from netvitals.store.influx.sink import MAX_LINES, InfluxSink
from netvitals.store.line_protocol import encode
from netvitals.store.outcome import WriteOutcome
from netvitals.usecases.replay import Replay
from netvitals.usecases.store_points import StorePoints

START = 1_763_910_000
DEVICES = 1000
PER_INVOCATION = 50
STATUS = ("ping_status", "ping_rtt_ms")
METRICS = (
    "cpu_percent",
    "memory_percent",
    "temperature_celsius",
    "disk_percent",
    "net_bytes_in",
    "net_bytes_out",
)
OUTAGE = range(60, 3660)
REPLAY_PROCESSES = 2
STEP_SECONDS = 0.5
"""A replay of one batch takes so long."""


def polled(second: int) -> Iterator[list[str]]:
    """The lines of each invocation of the collector that is due at this second."""
    if second % 30:
        return
    names = STATUS + METRICS if second % 300 == 0 else STATUS
    for first in range(0, DEVICES, PER_INVOCATION):
        yield [line for n in range(first, first + PER_INVOCATION) for line in lines_of(n, second, names)]


def lines_of(device: int, second: int, names: tuple[str, ...]) -> list[str]:
    at = (START + second) * 10**9 + device
    return encode(f"device-{device:04}", [Point(name, (device + second) % 2, at) for name in names])


class CountedSink:
    """A sink that tells of every request, and loses no time between retries."""

    def __init__(self, access: InfluxAccess, retries: int, tried: Callable[[], None]) -> None:
        settings = InfluxSettings(retries=retries, timeout_seconds=30)
        self._tried = tried
        self._sink = InfluxSink(lambda: access, settings, sleep=lambda _: tried())

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:
        assert len(lines) <= MAX_LINES, "more than one request"
        self._tried()
        return self._sink.write(lines, deadline)


class World:
    def __init__(self, influx: Influx, proxy: HttpProxy) -> None:
        self.spool, self.rejects = VirtualSpool(), MemorySpool()
        self.proxy = proxy
        access = msgspec.structs.replace(influx.access, url=f"http://127.0.0.1:{proxy.port}")
        self.attempts: Counter[tuple[str, int]] = Counter()

        def sink(who: str, retries: int) -> CountedSink:
            return CountedSink(access, retries, lambda: self.attempts.update([(who, int(self.spool.now))]))

        self.store = StorePoints(sink("collector", 3), self.spool, self.rejects)
        self.replays = [
            Replay(
                sink("replay", 0),
                MemoryObservations(),
                self.spool,
                self.rejects,
                self.spool,
                clock=lambda: self.spool.now,
            )
            for _ in range(REPLAY_PROCESSES)
        ]

    def replay(self) -> None:
        for replay in self.replays:
            messages = self.spool.receive()
            if messages:
                # The sink reads the real clock, the replay the virtual one.
                failed = replay.run(messages, time.monotonic() + 60).failed_ids
                for message in messages:
                    if message.id not in failed:
                        self.spool.delete(message)

    def per_second(self, who: str, seconds: range) -> float:
        return sum(self.attempts[who, second] for second in seconds) / len(seconds)


@pytest.mark.integration
@pytest.mark.timeout(900)
def test_an_hour_s_outage_loses_no_point_of_a_thousand_devices(
    influx: Influx, capsys: pytest.CaptureFixture[str]
) -> None:
    with HttpProxy(influx.server.server_port) as proxy:
        world = World(influx, proxy)
        expected, deepest, second = 0, 0, 0
        while second < OUTAGE.stop or len(world.spool):
            assert second < OUTAGE.stop + 1200, "the spool does not empty"
            if second == OUTAGE.start:
                proxy.refuse()
            if second == OUTAGE.stop:
                proxy.listen()
            for lines in polled(second):
                expected += len(lines)
                world.store.keep(lines, time.monotonic() + 60)
            for half in range(int(1 / STEP_SECONDS)):
                world.spool.now = second + half * STEP_SECONDS
                world.replay()
            deepest = max(deepest, len(world.spool))
            second += 1
    catch_up = range(OUTAGE.stop, second)
    for name in STATUS + METRICS:
        check_every_point_of(influx, name, second)
    (row,) = influx.query("SELECT count(value) FROM device_metrics")
    assert row["count"] == expected
    assert world.rejects.kept == []
    peak = max(world.attempts["replay", second] for second in catch_up)
    with capsys.disabled():
        print(  # noqa: T201, a report
            f"\noutage of 1 h, {DEVICES} devices, {expected} points: 0 missing"
            f"\n{deepest} messages in the spool, empty {len(catch_up)} s after the outage"
            f"\nrequests/s in the outage: {world.per_second('collector', OUTAGE):.2f} of the collector, "
            f"{world.per_second('replay', OUTAGE):.2f} of the replay"
            f"\nin the catch-up: {world.per_second('replay', catch_up):.2f} of the replay, {peak} at most"
        )


def check_every_point_of(influx: Influx, name: str, seconds: int) -> None:
    """Read one metric back: value and time of every poll of every device."""
    step = 30 if name in STATUS else 300
    rows = influx.query(f"SELECT device_id, value FROM device_metrics WHERE metric_name = '{name}'")  # noqa: S608, a name of this test
    assert {(row["device_id"], row["time"], row["value"]) for row in rows} == {
        (f"device-{n:04}", (START + second) * 10**9 + n, (n + second) % 2)
        for second in range(0, seconds, step)
        for n in range(DEVICES)
    }
