"""The scenario: devices come and go and InfluxDB is away for a while, while the pipeline runs."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from local.demo.environment import Environment
from local.demo.reading import View, points, states
from local.demo.result import Result, check, summary
from local.demo.scheduler import Scheduler
from local.demo.ui import Screen
from local.influx.client import Unreadable

SHORTEST_SECONDS, LONGEST_SECONDS = 40.0, 75.0
"""The shortest and longest run: it ends as soon as all is as expected, and fails after the longest."""
SETTLE_SECONDS = 8.0
"""How long storing may take after the last poll."""


class Step(NamedTuple):
    """Something that happens so many seconds after the beginning."""

    at: float
    text: str
    act: Callable[[Environment], None]
    is_possible: Callable[[Environment], bool] = lambda _: True


def _plug(*names: str, in_: bool) -> Callable[[Environment], None]:
    def act(environment: Environment) -> None:
        for device in environment.devices:
            if device.hostname in names:
                device.simulated.plug(in_=in_)

    return act


def _influx(*, away: bool) -> Callable[[Environment], None]:
    return lambda environment: environment.influx.go_away(away=away)


STEPS = (
    Step(7, "InfluxDB is away", _influx(away=True), lambda environment: environment.influx.is_own),
    Step(12, "InfluxDB is back", _influx(away=False), lambda environment: environment.influx.is_own),
    Step(14, "lobby-sw loses its power, lobby-phone with it", _plug("lobby-sw", "lobby-phone", in_=False)),
    Step(22, "kiosk-sw is plugged in", _plug("kiosk-sw", in_=True)),
)


class Scenario:
    """Runs the steps to their end or, where it is watched, until it is interrupted."""

    def __init__(self, environment: Environment, screen: Screen) -> None:
        self._environment, self._screen = environment, screen
        self._started_ns = time.time_ns()
        self._scheduler = Scheduler(environment.cloud, environment.functions, self._started_ns // 10**9)
        self._steps = [step for step in STEPS if step.is_possible(environment)]
        self._view = View([])

    def run(self) -> Result:
        """Run the whole scenario and check how it ended."""
        with self._scheduler:
            started = time.monotonic()
            while not self._is_over(time.monotonic() - started):
                self._go_on(time.monotonic() - started)
            return self._settled()

    def watch(self) -> Result:
        """Run until interrupted and return what there was then."""
        with self._scheduler:
            started = time.monotonic()
            try:
                while not self._screen.has_gone():
                    self._go_on(time.monotonic() - started)
            except KeyboardInterrupt:
                self._screen.say("stopping when what is under way has ended")
        if not self._screen.has_gone():
            self._look()  # at what ended only now
        return summary(self._view, self._scheduler.ledger)

    def _is_over(self, elapsed: float) -> bool:
        as_it_must_be = all(
            (state.status, state.reason) == (device.status, device.reason)
            for device, state in zip(self._environment.devices, self._view.states, strict=False)
        )
        is_calm = as_it_must_be and not self._steps and not self._view.spooled
        return elapsed > LONGEST_SECONDS or (elapsed > SHORTEST_SECONDS and is_calm)

    def _go_on(self, elapsed: float) -> None:
        while self._steps and self._steps[0].at <= elapsed:
            step = self._steps.pop(0)
            step.act(self._environment)
            self._screen.say(step.text, "bold magenta")
        self._look()
        time.sleep(1)

    def _look(self) -> None:
        """Read everything back, show it, and print what has changed."""
        environment, before, notice = self._environment, self._view, ""
        try:
            found = points(environment.influx, self._started_ns)
        except Unreadable:
            found, notice = before.points, "InfluxDB does not answer"
        expected = states(environment.database)
        spooled = environment.cloud.depth("spool")
        self._view = View([expected[device.id] for device in environment.devices], found, spooled, notice)
        self._screen.show(self._view)
        if spooled and not before.spooled:
            self._screen.say("what InfluxDB does not take goes to the spool", "yellow")
        if before.spooled and not spooled:
            self._screen.say("the spool is empty: what it held has been replayed", "green")
        self._tell_events()

    def _tell_events(self) -> None:
        messages = self._environment.cloud.receive("events")
        for message in messages:
            self._screen.say(*_text_of(msgspec.json.decode(message["Body"])["detail"]))
        self._environment.cloud.delete("events", messages)

    def _settled(self) -> Result:
        """Stop polling, wait until all is stored, then check."""
        self._scheduler.stop_polling()
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            self._look()
            result = check(
                self._environment.devices,
                self._view,
                self._environment.influx,
                self._scheduler.ledger,
                self._started_ns,
            )
            if not result.faults or time.monotonic() > deadline:
                return result
            time.sleep(0.5)


def _text_of(detail: Any) -> tuple[str, str]:
    """Return an event's line and its style; docs/status.md describes the event."""
    device = detail["device"]["hostname"] if detail["device"] else detail["site"] or "fleet"
    text = f"{device}: {detail['before']} → {detail['after']}"
    if detail["after"] in ("online", "reachable", "polled"):
        return text, "green"
    return f"{text}: {detail['detail']}", "red"
