"""A soak: the demo's pipeline while ticks come late and twice, and what it needs stands still.

Each minute InfluxDB is away for 6 s, PostgreSQL and SQS stand still for 4 s, and both collectors are killed.
Then all that was stored is compared with what must be there: polls, lines, rates, events. Ends with 1 where
something is not as it must be.
"""

import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from local.demo.environment import Environment, environment
from local.demo.expectations import Reported
from local.demo.scheduler import EventSource, Ledger, Loop, invoked
from local.lambda_.sandbox import Sandbox
from netvitals.domain.polling.job import Kind
from netvitals.domain.polling.schedule import due_times
from netvitals.domain.polling.tick import LEAD_SECONDS

INTERVALS: dict[Kind, int] = {"status": 10, "metrics": 10}
PERIOD, SETTLE_SECONDS, LATEST_SECONDS = 60, 150.0, 40.0
TOLERANCE = 0.02
"""Of a rate between two points that are two seconds or more apart."""
SLACK_SECONDS = 10
_KINDS: tuple[Kind, ...] = ("status", "metrics")
_POINT_OF = {"status": "ping_status", "metrics": "collect_duration_ms"}
_KILLED = "Runtime.ExitError"


class Tick:
    """Fires a schedule's ticks late by up to 40 s, and one in four twice."""

    def __init__(self, kind: Kind, fanout: Sandbox) -> None:
        self._kind, self._fanout = kind, fanout
        self._scheduled = int(time.time()) // PERIOD * PERIOD
        self._fires = time.time()
        self.first = self._scheduled + LEAD_SECONDS
        self.end = self.first
        """The due times from `first` to `end` were handed out."""

    def step(self) -> None:
        if time.time() < self._fires:
            return
        at = datetime.fromtimestamp(self._scheduled, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {"kind": self._kind, "schedule": "rate(1 minute)", "scheduled_time": at}
        for _ in range(random.choice((1, 1, 1, 2))):  # noqa: S311, no secret
            invoked(self._fanout, event)
        self._scheduled += PERIOD
        self.end = self._scheduled + LEAD_SECONDS
        self._fires = self._scheduled + random.uniform(0, LATEST_SECONDS)  # noqa: S311, no secret


class Disturbance(NamedTuple):
    """Something that begins at a second of each minute, and lasts; what is lost to it alone is excused."""

    at: float
    seconds: float
    what: str
    begin: Callable[[Environment], None]
    end: Callable[[Environment], None]
    excuses: bool


def _postgres(sent: signal.Signals) -> Callable[[Environment], None]:
    def act(built: Environment) -> None:
        folder = built.database_url.rpartition("host=")[2]
        postmaster = int(Path(folder, "data", "postmaster.pid").read_text().split()[0])
        for stat in Path("/proc").glob("[0-9]*/stat"):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(stat.parent.name) == postmaster or int(fields[1]) == postmaster:
                os.kill(int(stat.parent.name), sent)

    return act


def _kill(name: str) -> Callable[[Environment], None]:
    return lambda built: built.functions[name].kill()


def _nothing(_: Environment) -> None:
    """Do nothing."""


DISTURBANCES = (
    Disturbance(
        8,
        6,
        "InfluxDB is away",
        lambda built: built.influx.go_away(away=True),
        lambda built: built.influx.go_away(away=False),
        excuses=False,
    ),
    Disturbance(
        20, 4, "PostgreSQL stands still", _postgres(signal.SIGSTOP), _postgres(signal.SIGCONT), excuses=True
    ),
    Disturbance(
        32,
        4,
        "SQS stands still",
        lambda built: built.cloud.aws.answers.clear(),
        lambda built: built.cloud.aws.answers.set(),
        excuses=True,
    ),
    Disturbance(44, 1, "a metrics collector is killed", _kill("collector-metrics"), _nothing, excuses=True),
    Disturbance(50, 1, "a status collector is killed", _kill("collector-status"), _nothing, excuses=True),
)


def disturb(built: Environment, minutes: int) -> list[tuple[float, float]]:
    """Let the disturbances happen minute by minute; return the times that they excuse."""
    excused, began_at = [], time.time()
    for minute in (began_at + number * PERIOD for number in range(minutes)):
        for each in DISTURBANCES:
            time.sleep(max(0.0, minute + each.at - time.time()))
            print(f"{time.time() - minute:5.1f} s  {each.what}", flush=True)
            began = time.time()
            each.begin(built)
            try:
                time.sleep(each.seconds)
            finally:
                each.end(built)
            if each.excuses:
                excused.append((began, time.time()))
        time.sleep(max(0.0, minute + PERIOD - time.time()))
    return excused


def points_of(built: Environment, metric: str) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Return a metric's points by device and instance: time in seconds, and value, in order of time."""
    rows = built.influx.query(f"SELECT value FROM device_metrics WHERE metric_name = '{metric}' GROUP BY *")  # noqa: S608, names of ours
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        series = found.setdefault((row["device_id"], row.get("instance") or ""), [])
        series.append((row["time"] / 1e9, row["value"]))
    return {series: sorted(points) for series, points in found.items()}


def missing_polls(
    built: Environment,
    ticks: dict[Kind, Tick],
    excused: list[tuple[float, float]],
    until: float,
    ledger: Ledger,
) -> Iterator[str]:
    """Yield the due polls of devices of which no point tells.

    Excused are those that a disturbance cost, and those to which this machine came too late: what has
    expired by then, or has a newer poll behind it, is rightly dropped.
    """
    due_polls = lost = late = 0
    for kind, tick in ticks.items():
        polled = points_of(built, _POINT_OF[kind])
        reach = INTERVALS[kind] + SLACK_SECONDS
        window = max(0, min(tick.end, int(until)) - SLACK_SECONDS - tick.first)
        for device in built.devices:
            times = [at for at, _ in polled.get((device.id, ""), ())]
            for due in due_times(device.id, kind, INTERVALS[kind], tick.first, window):
                due_polls += 1
                if any(due - SLACK_SECONDS < at < due + reach for at in times):
                    continue
                lost += 1
                if due in ledger.doubtful(device.id, kind):
                    late += 1
                elif not any(began - reach < due < ended + reach for began, ended in excused):
                    yield f"{device.hostname}: the {kind} poll due at {due} was not made"
    print(f"polls: {due_polls} due, {lost} without a point, {late} of them too late on this machine")


def wrong_rates(built: Environment) -> Iterator[str]:
    """Yield the rates between neighbouring points of counters that are not those of the traffic."""
    shift, rates = time.time() - time.monotonic(), 0
    stored = {metric: points_of(built, metric) for metric in ("net_bytes_in", "net_bytes_out")}
    for device in (each for each in built.devices if each.steady):  # a satellite's answer is 280 ms old
        for (metric, instance), expected in device.simulated.expected.items():
            if not isinstance(expected, Reported) or expected.truth is None:
                continue
            for (start, before), (end, after) in pairwise(stored[metric].get((device.id, instance), ())):
                if end - start < 2 or after < before:  # a wrap
                    continue
                rates += 1
                known = expected.truth(end - shift) - expected.truth(start - shift)
                if abs(after - before - known) > TOLERANCE * known + 1:
                    yield f"{device.hostname} {metric} {instance}: {after - before:.0f} bytes for {known:.0f}"
    print(f"rates: {rates} compared with the traffic")


def lost_lines(built: Environment) -> Iterator[str]:
    """Yield what was spooled and not replayed, or refused; counts come from the functions' own metrics."""
    counted: Counter[str] = Counter()
    for log in built.logs.glob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if '"_aws"' in line:
                record = json.loads(line)
                for metric in record["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                    counted[metric["Name"]] += sum(record[metric["Name"]])
    spooled, replayed = counted["LinesSpooled"], counted["PointsReplayed"]
    written = counted["PointsWritten"]
    print(f"lines: {written:.0f} written at once, {spooled:.0f} spooled, {replayed:.0f} replayed")
    if replayed < spooled:
        yield f"{spooled - replayed:.0f} spooled lines were not replayed"
    if not spooled:
        yield "no line was spooled: InfluxDB was not away"
    for queue in ("spool", "reject"):
        if built.cloud.depth(queue):
            yield f"{built.cloud.depth(queue)} messages are left in the queue {queue}"


def wrong_events(built: Environment) -> Iterator[str]:
    """Yield events that were lost, came twice, or say that a steady device is offline."""
    received: list[dict[str, Any]] = []
    while messages := built.cloud.receive("events"):
        received += [msgspec.json.decode(message["Body"])["detail"] for message in messages]
        built.cloud.delete("events", messages)
    query = "SELECT id FROM status_outbox WHERE channel = 'event'"
    told = {row[0] for row in built.database.run(lambda cursor: cursor.execute(query).fetchall())}
    ids = Counter(event["id"] for event in received)
    print(f"events: {len(told)} announced, {len(received)} received")
    yield from (f"event {each} was not received" for each in told - set(ids))
    yield from (f"event {each} was received {times} times" for each, times in ids.items() if times > 1)
    steady = {device.id for device in built.devices if device.steady and device.status == "online"}
    for event in received:
        if event["device"] and event["device"]["id"] in steady and event["after"] == "offline":
            yield f"{event['device']['id']} was said to be offline: {event['detail']}"


def soak(minutes: int) -> list[str]:
    """Run for so many minutes; return what is wrong."""
    ledger = Ledger()
    with environment(INTERVALS["metrics"], store="everything") as built:
        functions = built.functions
        ticks = {kind: Tick(kind, functions["fanout"]) for kind in _KINDS}
        polling = [Loop(tick.step, 0.5, ledger) for tick in ticks.values()]
        polling += [
            Loop(EventSource(built.cloud, kind, functions[f"collector-{kind}"], ledger).step, 0.2, ledger)
            for kind in _KINDS
        ]
        rest = [
            Loop(EventSource(built.cloud, "spool", functions["replay"], ledger).step, 0.5, ledger),
            Loop(lambda: invoked(functions["status"], {}), 10, ledger),
        ]
        for loop in (*polling, *rest):
            loop.start()
        time.sleep(LEAD_SECONDS)  # until the first jobs are due
        excused = disturb(built, minutes)
        until = time.time()
        for loop in polling:
            loop.stop()
        settled = time.monotonic() + SETTLE_SECONDS
        while built.cloud.depth("spool") and time.monotonic() < settled:
            time.sleep(1)
        for loop in rest:
            loop.stop()
        faults = [fault for fault in ledger.faults if _KILLED not in fault]
        faults += [*missing_polls(built, ticks, excused, until, ledger), *wrong_rates(built)]
        return [*faults, *lost_lines(built), *wrong_events(built)]


def main() -> int:
    minutes = int(sys.argv[1]) if sys.argv[1:] and re.fullmatch(r"\d+", sys.argv[1]) else 10
    faults = soak(minutes)
    print(*faults, sep="\n")
    print(f"soak: {minutes} minutes, {f'FAILED: {len(faults)} faults' if faults else 'ok'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
