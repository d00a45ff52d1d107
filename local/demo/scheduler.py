"""Start the functions, as EventBridge Scheduler and Lambda's event source mappings do."""

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

from local.demo.cloud import Cloud
from local.lambda_.handlers import sqs_event
from local.lambda_.sandbox import FunctionError, Sandbox
from netvitals.domain.polling.job import Kind, decode_jobs

PERIOD_SECONDS = 60
"""Of `rate(1 minute)`, the finest that EventBridge Scheduler has."""
KINDS: tuple[Kind, ...] = ("status", "metrics")
STATUS_SECONDS = 4.0
"""Between two decisions; its schedule would say a minute."""
_LOOK_SECONDS = 0.3


class Ledger:
    """The polls that were asked for, by device, and what went wrong on the way."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._polls: dict[tuple[str, Kind], set[int]] = defaultdict(set)
        self._newest: dict[tuple[str, Kind], int] = defaultdict(int)
        self._doubtful: dict[tuple[str, Kind], set[int]] = defaultdict(set)
        self._lock = threading.Lock()

    def asked(self, body: str) -> None:
        """Note the newest due time of each device: older ones need not be polled any more."""
        with self._lock:
            for job in decode_jobs(body).jobs:
                newest = self._newest[job.device_id, job.kind]
                self._newest[job.device_id, job.kind] = max(job.due_at, newest)

    def polled(self, body: str, ended_at: float) -> None:
        """Note that a message's jobs were done; those expired or overtaken by then may have been dropped."""
        with self._lock:
            for job in decode_jobs(body).jobs:
                of_device = (job.device_id, job.kind)
                self._polls[of_device].add(job.due_at)
                if ended_at > job.expires_at or job.due_at < self._newest[of_device]:
                    self._doubtful[of_device].add(job.due_at)

    def polls(self, device_id: str, kind: Kind) -> range:
        """Return how many polls there were, as a range: doubtful ones may have been dropped."""
        with self._lock:
            most = len(self._polls[device_id, kind])
            return range(most - len(self._doubtful[device_id, kind]), most + 1)

    def doubtful(self, device_id: str, kind: Kind) -> set[int]:
        """Return the due times whose jobs were expired or overtaken when this machine got to them."""
        with self._lock:
            return set(self._doubtful[device_id, kind])


class Loop:
    """A step repeated in a thread; what it raises is a fault in the ledger, and the loop goes on."""

    def __init__(self, step: Callable[[], None], seconds: float, ledger: Ledger) -> None:
        self._step, self._seconds, self._ledger = step, seconds, ledger
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the step under way has ended."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._step()
            except Exception as error:  # noqa: BLE001, the demo must end and say so, whatever it was
                self._ledger.faults.append(f"{type(error).__name__}: {error}")
            self._stop.wait(self._seconds)


class EventSource:
    """Gives a queue's messages to a function, and deletes those that it does not report as failed."""

    def __init__(self, cloud: Cloud, queue: str, function: Sandbox, ledger: Ledger) -> None:
        self._cloud, self._queue, self._function, self._ledger = cloud, queue, function, ledger

    def step(self) -> None:
        messages = self._cloud.receive(self._queue)
        if not messages:
            return
        polls = self._queue in KINDS
        for message in messages if polls else ():
            self._ledger.asked(message["Body"])
        answer = invoked(self._function, sqs_event(messages, self._queue))
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        done = [message for message in messages if message["MessageId"] not in failed]
        for message in done if polls else ():
            self._ledger.polled(message["Body"], time.time())
        self._cloud.delete(self._queue, done)


class Schedule:
    """Fires the tick of each minute from `first` on, in seconds since the epoch.

    It comes late by up to `latest` seconds, and with the probability `twice` a second time.
    """

    def __init__(
        self, kind: Kind, first: int, fanout: Sandbox, *, lead: int = 0, latest: float = 0, twice: float = 0
    ) -> None:
        self.kind, self.first, self.end = kind, first + lead, first + lead
        """The due times from `first` to `end` were handed out."""
        self._fanout, self._lead, self._latest, self._twice = fanout, lead, latest, twice
        self._scheduled, self._fires_at = first, float(first)

    def step(self) -> None:
        if time.time() < self._fires_at:
            return
        event = {
            "kind": self.kind,
            "schedule": "rate(1 minute)",
            "scheduled_time": _text(self._scheduled),
            "lead": self._lead,
        }
        self._scheduled, self.end = self._scheduled + PERIOD_SECONDS, self.end + PERIOD_SECONDS
        self._fires_at = self._scheduled + random.uniform(0, self._latest)  # noqa: S311, no secret
        for _ in range(2 if random.random() < self._twice else 1):  # noqa: S311, no secret
            report = invoked(self._fanout, event)
            if report["bad_rows"]:
                raise FunctionError(f"fan-out found {report['bad_rows']} unusable devices")


class Scheduler:
    """Fires schedules, reads queues and starts the status function while it is entered."""

    def __init__(
        self,
        cloud: Cloud,
        functions: dict[str, Sandbox],
        schedules: Sequence[Schedule],
        status_seconds: float = STATUS_SECONDS,
    ) -> None:
        self.ledger = Ledger()
        self._polling = [self._loop(schedule.step) for schedule in schedules]
        self._polling += [self._source(cloud, kind, functions[f"collector-{kind}"]) for kind in KINDS]
        self._rest = [
            self._source(cloud, "spool", functions["replay"]),
            self._loop(partial(_decide, functions["status"]), status_seconds),
        ]

    def __enter__(self) -> Self:
        for loop in (*self._polling, *self._rest):
            loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_polling()
        for loop in self._rest:
            loop.stop()

    def stop_polling(self) -> None:
        """Return when the last poll has ended and is stored or spooled."""
        for loop in self._polling:
            loop.stop()

    def _loop(self, step: Callable[[], None], seconds: float = _LOOK_SECONDS) -> Loop:
        return Loop(step, seconds, self.ledger)

    def _source(self, cloud: Cloud, queue: str, function: Sandbox) -> Loop:
        return self._loop(EventSource(cloud, queue, function, self.ledger).step)


def _decide(status: Sandbox) -> None:
    invoked(status, {"scheduled_time": _text(int(time.time()))})


def invoked(function: Sandbox, event: Any) -> Any:
    """Return what a function makes of an event; raises FunctionError."""
    return function.invoke(json.dumps(event).encode()).value()


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
