"""The scenario: devices come and go and InfluxDB is away for a while, while the pipeline runs."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec

from local.demo.environment import Environment
from local.demo.reading import View, points
from local.demo.result import Result, check, summary
from local.demo.scheduler import KINDS, PERIOD_SECONDS, Schedule, Scheduler
from local.demo.ui import Screen
from netvitals.domain.errors import Unavailable
from netvitals.reading.devices import InventoryReader

SHORTEST_SECONDS, LONGEST_SECONDS = 40.0, 180.0
"""The shortest and longest run: it ends as soon as all is as expected, and fails after the longest."""
PATIENCE_SECONDS = 60.0
"""How long a busy machine may take until what a step needs has been seen."""
SETTLE_SECONDS = 30.0
"""How long storing may take after the last poll."""


class Step(NamedTuple):
    """Something that happens so many seconds after the beginning."""

    at: float
    text: str
    act: Callable[[], None]
    is_ready: Callable[[View], object] = lambda _: True
    """True once what the step needs has been seen; it is waited for during `PATIENCE_SECONDS` at most."""


def _steps(environment: Environment) -> list[Step]:
    """Return what happens, in order; InfluxDB is taken away only where it is the demo's own."""
    plug = {device.hostname: device.simulated.plug for device in environment.devices}

    def cut_the_lobby_off() -> None:
        plug["lobby-sw"](in_=False)
        plug["lobby-phone"](in_=False)

    go_away = environment.influx.go_away
    away = [
        Step(7, "InfluxDB is away", partial(go_away, away=True)),
        Step(12, "InfluxDB is back", partial(go_away, away=False), lambda view: view.spooled),
    ]
    return [
        *(away if environment.influx.own else ()),
        Step(14, "lobby-sw loses its power, lobby-phone with it", cut_the_lobby_off, _lobby_is_measured),
        Step(22, "kiosk-sw is plugged in", partial(plug["kiosk-sw"], in_=True), _kiosk_is_offline),
    ]


def _lobby_is_measured(view: View) -> bool:
    lobby = [device.id for device in view.devices if device.hostname.startswith("lobby-")]
    return all("cpu_percent" in view.points.vitals.get(device, ()) for device in lobby)


def _kiosk_is_offline(view: View) -> bool:
    return any(device.hostname == "kiosk-sw" and device.status == "offline" for device in view.devices)


class Scenario:
    """Runs the steps to their end or, where it is watched, until it is interrupted."""

    def __init__(self, environment: Environment, screen: Screen) -> None:
        self._environment, self._screen = environment, screen
        self._started_ns = time.time_ns()
        # The window that is under way began a while ago, so that the next one is soon seen to begin.
        first = self._started_ns // 10**9 - PERIOD_SECONDS * 3 // 4
        schedules = [Schedule(kind, first, environment.functions["fanout"]) for kind in KINDS]
        self._scheduler = Scheduler(environment.cloud, environment.functions, schedules)
        self._steps = _steps(environment)
        self._view = View([])

    def run(self) -> Result:
        """Run the whole scenario and check how it ended."""
        with self._scheduler:
            started = time.monotonic()
            while not self._is_over(time.monotonic() - started):
                self._go_on(time.monotonic() - started)
            return self._settled()

    def watch(self, seconds: float = math.inf) -> Result:
        """Run until interrupted, or for so long, and return what there was then."""
        with self._scheduler:
            started = time.monotonic()
            try:
                while not self._screen.has_gone() and (elapsed := time.monotonic() - started) < seconds:
                    self._go_on(elapsed)
            except KeyboardInterrupt:
                self._screen.say("stopping when what is under way has ended")
        if not self._screen.has_gone():
            self._look()  # at what ended only now
        return summary(self._view, self._scheduler.ledger)

    def _is_over(self, elapsed: float) -> bool:
        as_it_must_be = all(
            (state.status, state.reason) == (device.status, device.reason)
            for device, state in zip(self._environment.devices, self._view.devices, strict=False)
        )
        is_calm = as_it_must_be and not self._steps and not self._view.spooled
        return elapsed > LONGEST_SECONDS or (elapsed > SHORTEST_SECONDS and is_calm)

    def _go_on(self, elapsed: float) -> None:
        while self._steps and self._is_due(self._steps[0], elapsed):
            step = self._steps.pop(0)
            step.act()
            self._screen.say(step.text, "bold magenta")
        self._look()
        time.sleep(1)

    def _is_due(self, step: Step, elapsed: float) -> bool:
        is_ready = step.is_ready(self._view) or elapsed >= step.at + PATIENCE_SECONDS
        return elapsed >= step.at and bool(is_ready)

    def _look(self) -> None:
        """Read everything back, show it, and print what has changed."""
        environment, before, notice = self._environment, self._view, ""
        try:
            ids = [device.id for device in environment.devices]
            found = points(environment.influx.influxql, ids, self._started_ns)
        except Unavailable:
            found, notice = before.points, "InfluxDB does not answer"
        stored = {device.id: device for device in InventoryReader(environment.database).all()}
        spooled = environment.cloud.depth("spool")
        self._view = View([stored[device] for device in ids], found, spooled, notice)
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
                self._environment.influx.influxql,
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
