"""EventBridge Scheduler's part: invoke the targets of the stack's schedules, which LocalStack only keeps."""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local.localstack.cloud import Cloud

LATE_SECONDS = 60
"""How late every tick comes: as late as it may, so that polls are due from now on and not in a minute."""
_DECISION_SECONDS = 4.0
"""Between two decisions about status; its schedule says a minute."""


class Schedule(NamedTuple):
    name: str
    """Its logical id, as far as LocalStack keeps it: FanoutFunctionStatusTick."""
    expression: str
    enabled: bool
    function: str
    input: str


class Scheduler:
    """Fires what is asked for, and the decisions about status by itself."""

    def __init__(self, cloud: Cloud, stack: str) -> None:
        self._stack = stack
        self._scheduler, self._functions = cloud.client("scheduler"), cloud.client("lambda")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._decide, daemon=True)
        self.faults: list[str] = []

    def start(self) -> None:
        """Have status decided every few seconds from now on."""
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def schedules(self) -> list[Schedule]:
        """Return the stack's schedules, as they are now."""
        found = []
        for page in self._scheduler.get_paginator("list_schedules").paginate():
            for each in page["Schedules"]:
                made = self._scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
                name = made["Name"].removeprefix(f"{self._stack}-").rpartition("-")[0]
                target = made["Target"]
                enabled = made["State"] == "ENABLED"
                found.append(
                    Schedule(name, made["ScheduleExpression"], enabled, target["Arn"], target["Input"])
                )
        return found

    def fire(self, beginning: str, scheduled: float | None = None) -> Any:
        """Fire the schedule whose name begins so, with its own input; return what its function answers.

        Raises:
            RuntimeError: it is disabled, or its function failed.
        """
        (schedule,) = (each for each in self.schedules() if each.name.startswith(beginning))
        if not schedule.enabled:
            raise RuntimeError(f"schedule {schedule.name} is disabled")
        at = time.time() - LATE_SECONDS if scheduled is None else scheduled
        text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = schedule.input.replace("<aws.scheduler.scheduled-time>", text)
        answer = self._functions.invoke(FunctionName=schedule.function, Payload=payload.encode())
        said = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise RuntimeError(f"{schedule.name}: {said}")
        return said

    def _decide(self) -> None:
        while not self._stop.wait(_DECISION_SECONDS):
            try:
                self.fire("StatusFunction", time.time())
            except Exception as error:  # noqa: BLE001, whoever waits for a status is told why it never came
                self.faults.append(f"{type(error).__name__}: {error}")
