"""The play: devices that come and go and an InfluxDB that is away for a while, while the pipeline runs."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from local.demo.environment import Stage
from local.demo.reading import View, points, states
from local.demo.scheduler import Drive
from local.demo.ui import Screen
from local.demo.verdict import Verdict, judge, survey
from local.influx.client import Unreadable

SHORTEST_SECONDS, LONGEST_SECONDS = 40.0, 75.0
"""It ends between these two, as soon as everything is as it must be; what is not by then has failed."""
SETTLE_SECONDS = 8.0
"""What storing may take after the last poll."""


class Scene(NamedTuple):
    """Something that happens so many seconds after the beginning."""

    at: float
    text: str
    act: Callable[[Stage], None]
    is_possible: Callable[[Stage], bool] = lambda _: True


def _plug(*devices: str, in_: bool) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        for role in stage.roles:
            if role.hostname in devices:
                role.part.plug(in_=in_)

    return act


def _influx(*, away: bool) -> Callable[[Stage], None]:
    return lambda stage: stage.influx.go_away(away=away)


SCENES = (
    Scene(7, "InfluxDB is away", _influx(away=True), lambda stage: stage.influx.is_own),
    Scene(12, "InfluxDB is back", _influx(away=False), lambda stage: stage.influx.is_own),
    Scene(14, "lobby-sw loses its power, lobby-phone with it", _plug("lobby-sw", "lobby-phone", in_=False)),
    Scene(22, "kiosk-sw is plugged in", _plug("kiosk-sw", in_=True)),
)


class Play:
    """Runs on a stage until it has come to its end; where it is watched, until it is interrupted."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage, self._screen = stage, screen
        self._started_ns = time.time_ns()
        self._drive = Drive(stage.cloud, stage.functions, self._started_ns // 10**9)
        self._scenes = [scene for scene in SCENES if scene.is_possible(stage)]
        self._view = View([])

    def run(self) -> Verdict:
        """The whole play, and whether it ended as it must."""
        with self._drive:
            started = time.monotonic()
            while not self._is_over(time.monotonic() - started):
                self._go_on(time.monotonic() - started)
            return self._settled()

    def watch(self) -> Verdict:
        """The same without an end of its own, and what there was when it was interrupted."""
        with self._drive:
            started = time.monotonic()
            try:
                while True:
                    self._go_on(time.monotonic() - started)
            except KeyboardInterrupt:
                self._screen.say("stopping when what is under way has ended")
        return survey(self._view, self._drive.ledger)

    def _is_over(self, elapsed: float) -> bool:
        as_it_must_be = all(
            (state.status, state.reason) == (role.status, role.reason)
            for role, state in zip(self._stage.roles, self._view.states, strict=False)
        )
        is_calm = as_it_must_be and not self._scenes and not self._view.spooled
        return elapsed > LONGEST_SECONDS or (elapsed > SHORTEST_SECONDS and is_calm)

    def _go_on(self, elapsed: float) -> None:
        while self._scenes and self._scenes[0].at <= elapsed:
            scene = self._scenes.pop(0)
            scene.act(self._stage)
            self._screen.say(scene.text, "bold magenta")
        self._look()
        time.sleep(1)

    def _look(self) -> None:
        """Read everything back, show it, and tell what has changed."""
        stage, before, notice = self._stage, self._view, ""
        try:
            found = points(stage.influx, self._started_ns)
        except Unreadable:
            found, notice = before.points, "InfluxDB does not answer"
        known = states(stage.database)
        spooled = stage.cloud.depth("spool")
        self._view = View([known[role.id] for role in stage.roles], found, spooled, notice)
        self._screen.show(self._view)
        if spooled and not before.spooled:
            self._screen.say("what InfluxDB does not take goes to the spool", "yellow")
        if before.spooled and not spooled:
            self._screen.say("the spool is empty: what it held has been replayed", "green")
        self._tell_events()

    def _tell_events(self) -> None:
        messages = self._stage.cloud.receive("events")
        for message in messages:
            self._screen.say(*_told(msgspec.json.decode(message["Body"])["detail"]))
        self._stage.cloud.delete("events", messages)

    def _settled(self) -> Verdict:
        """Let what was begun come to its end, then compare."""
        self._drive.stop_polling()
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            self._look()
            verdict = judge(
                self._stage.roles, self._view, self._stage.influx, self._drive.ledger, self._started_ns
            )
            if not verdict.faults or time.monotonic() > deadline:
                return verdict
            time.sleep(0.5)


def _told(detail: Any) -> tuple[str, str]:
    """An event of the bus in a line, and its style; docs/status.md describes what it holds."""
    device = detail["device"]["hostname"] if detail["device"] else detail["site"] or "fleet"
    text = f"{device}: {detail['before']} → {detail['after']}"
    if detail["after"] in ("online", "reachable", "polled"):
        return text, "green"
    return f"{text}: {detail['detail']}", "red"
