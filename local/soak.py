"""A soak: the demo's pipeline while ticks come late and twice, and what it needs stands still.

Each minute InfluxDB is away for 6 s, PostgreSQL and SQS stand still for 4 s, and both collectors are killed.
Then all that was stored is compared with what must be there: polls, lines, rates, events. Ends with 1 where
something is not as it must be.
"""

import argparse
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from local.demo.environment import Environment, environment
from local.demo.expectations import Reported
from local.demo.scheduler import KINDS, Ledger, Schedule, Scheduler
from netvitals.domain.polling.job import Kind
from netvitals.domain.polling.schedule import due_times
from netvitals.domain.polling.tick import LEAD_SECONDS
from netvitals.reading.points import Points, SeriesKey
from netvitals.reading.rates import Samples, rates

INTERVALS: dict[Kind, int] = {"status": 10, "metrics": 10}
PERIOD, SETTLE_SECONDS, LATEST_SECONDS, STATUS_SECONDS = 60, 150.0, 40.0, 10
TOLERANCE = 0.02
"""Of a rate between two points that are two seconds or more apart."""
SLACK_SECONDS = 10
_POINT_OF = {"status": "ping_status", "metrics": "collect_duration_ms"}
_KILLED = "Runtime.ExitError"


class Disturbance(NamedTuple):
    """Something that begins at a second of each minute, and lasts; what is lost to it alone is excused."""

    at: float
    seconds: float
    what: str
    during: Callable[[Environment], AbstractContextManager[None]]
    excuses: bool = True


@contextmanager
def _influx_away(built: Environment) -> Iterator[None]:
    built.influx.go_away(away=True)
    try:
        yield
    finally:
        built.influx.go_away(away=False)


@contextmanager
def _postgres_stopped(built: Environment) -> Iterator[None]:
    _signal_postgres(built, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal_postgres(built, signal.SIGCONT)


def _signal_postgres(built: Environment, sent: signal.Signals) -> None:
    folder = built.database_url.rpartition("host=")[2]
    postmaster = int(Path(folder, "data", "postmaster.pid").read_text().split()[0])
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = stat.read_text().rpartition(")")[2].split()
        if int(stat.parent.name) == postmaster or int(fields[1]) == postmaster:
            os.kill(int(stat.parent.name), sent)


@contextmanager
def _queues_stopped(built: Environment) -> Iterator[None]:
    built.cloud.aws.answers.clear()
    try:
        yield
    finally:
        built.cloud.aws.answers.set()


def _killed(name: str) -> Callable[[Environment], AbstractContextManager[None]]:
    @contextmanager
    def during(built: Environment) -> Iterator[None]:
        built.functions[name].kill()
        yield

    return during


DISTURBANCES = (
    Disturbance(8, 6, "InfluxDB is away", _influx_away, excuses=False),
    Disturbance(20, 4, "PostgreSQL stands still", _postgres_stopped),
    Disturbance(32, 4, "SQS stands still", _queues_stopped),
    Disturbance(44, 1, "a metrics collector is killed", _killed("collector-metrics")),
    Disturbance(50, 1, "a status collector is killed", _killed("collector-status")),
)


def disturb(built: Environment, minutes: int) -> list[tuple[float, float]]:
    """Let the disturbances happen minute by minute; return the times that they excuse."""
    excused, began_at = [], time.time()
    for minute in (began_at + number * PERIOD for number in range(minutes)):
        for each in DISTURBANCES:
            time.sleep(max(0.0, minute + each.at - time.time()))
            print(f"{time.time() - minute:5.1f} s  {each.what}", flush=True)
            began = time.time()
            with each.during(built):
                time.sleep(each.seconds)
            if each.excuses:
                excused.append((began, time.time()))
        time.sleep(max(0.0, minute + PERIOD - time.time()))
    return excused


def points_of(built: Environment, metric: str) -> dict[SeriesKey, Samples]:
    """Return all points of a metric."""
    ids = [device.id for device in built.devices]
    return Points(built.influx.influxql).window(ids, [metric], 0, time.time())


def missing_polls(
    built: Environment,
    schedules: Sequence[Schedule],
    excused: list[tuple[float, float]],
    until: float,
    ledger: Ledger,
) -> Iterator[str]:
    """Yield the due polls of devices of which no point tells.

    Excused are those that a disturbance cost, and those to which this machine came too late: what has
    expired by then, or has a newer poll behind it, is rightly dropped.
    """
    due_polls = lost = late = 0
    for schedule in schedules:
        kind = schedule.kind
        polled = points_of(built, _POINT_OF[kind])
        reach = INTERVALS[kind] + SLACK_SECONDS
        window = max(0, min(schedule.end, int(until)) - SLACK_SECONDS - schedule.first)
        for device in built.devices:
            times = [at / 1e9 for at, _ in polled.get(SeriesKey(device.id, _POINT_OF[kind], ""), ())]
            for due in due_times(device.id, kind, INTERVALS[kind], schedule.first, window):
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
    shift, compared = time.time() - time.monotonic(), 0
    stored = {metric: points_of(built, metric) for metric in ("net_bytes_in", "net_bytes_out")}
    for device in (each for each in built.devices if each.steady):  # a satellite's answer is 280 ms old
        for (metric, instance), expected in device.simulated.expected.items():
            if not isinstance(expected, Reported) or expected.truth is None:
                continue
            for rate in rates(stored[metric].get(SeriesKey(device.id, metric, instance), ())):
                start, end = rate.start_ns / 1e9, rate.end_ns / 1e9
                if end - start < 2 or rate.per_second is None:  # a wrap
                    continue
                compared += 1
                grown = rate.per_second * (end - start)
                known = expected.truth(end - shift) - expected.truth(start - shift)
                if abs(grown - known) > TOLERANCE * known + 1:
                    yield f"{device.hostname} {metric} {instance}: {grown:.0f} bytes for {known:.0f}"
    print(f"rates: {compared} compared with the traffic")


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
    retention = minutes * PERIOD + 2 * SETTLE_SECONDS + LEAD_SECONDS
    with environment(INTERVALS["metrics"], "everything", retention) as built:
        first, fanout = int(time.time()) // PERIOD * PERIOD, built.functions["fanout"]
        schedules = [
            Schedule(kind, first, fanout, lead=LEAD_SECONDS, latest=LATEST_SECONDS, twice=0.25)
            for kind in KINDS
        ]
        with Scheduler(built.cloud, built.functions, schedules, STATUS_SECONDS) as scheduler:
            time.sleep(LEAD_SECONDS)  # until the first jobs are due
            excused = disturb(built, minutes)
            until = time.time()
            scheduler.stop_polling()
            settled = time.monotonic() + SETTLE_SECONDS
            while built.cloud.depth("spool") and time.monotonic() < settled:
                time.sleep(1)
        ledger = scheduler.ledger
        faults = [fault for fault in ledger.faults if _KILLED not in fault]
        faults += [*missing_polls(built, schedules, excused, until, ledger), *wrong_rates(built)]
        return [*faults, *lost_lines(built), *wrong_events(built)]


def minutes_in(text: str) -> int:
    """Return a whole number of minutes, 1 or more.

    Raises:
        argparse.ArgumentTypeError: the text is none.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of minutes: give 1 or more")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("minutes", type=minutes_in, nargs="?", default=10)
    minutes = parser.parse_args(arguments).minutes
    if os.environ.get("DATABASE_URL"):
        parser.error("it stops and kills a PostgreSQL of its own: unset DATABASE_URL")
    faults = soak(minutes)
    print(*faults, sep="\n")
    print(f"soak: {minutes} minutes, {f'FAILED: {len(faults)} faults' if faults else 'ok'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
