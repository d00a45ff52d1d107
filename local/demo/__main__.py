"""The whole pipeline on this machine: `make demo`, and `make demo WATCH=1`, which runs until Ctrl-C.

INFLUXDB_URL with INFLUXDB_TOKEN, INFLUXDB_ORG and INFLUXDB_BUCKET, and DATABASE_URL, name real ones to use.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from rich.markup import escape

from local.demo.drive import Drive
from local.demo.influx import Unreadable
from local.demo.reading import points, states
from local.demo.screen import Screen, View
from local.demo.stage import Stage, stage
from local.demo.verdict import Verdict, judge
from netvitals.domain.errors import NetvitalsError

STATUS_SECONDS = 4.0
METRICS_SECONDS, METRICS_SECONDS_WATCHED = 10, 30
FIRST_SECONDS = 40.0
LAST_SECONDS = 75.0
"""The demo ends between these two, as soon as everything is where it should be; later, it has failed."""
FAULTS_SHOWN = 20
SETTLE_SECONDS = 8.0
"""What storing may take after the last poll."""


class Scene(NamedTuple):
    """Something that happens so many seconds after the beginning."""

    at: float
    text: str
    act: Callable[[Stage], None]


def _plug(device: str, *, in_: bool) -> Callable[[Stage], None]:
    def act(set_: Stage) -> None:
        for role in set_.roles:
            if role.hostname == device or (role.parent_id or "").endswith(f"-{device}"):
                role.part.plug(in_=in_)

    return act


SCENES = (
    Scene(
        11, "scene: lobby-sw loses its power, and lobby-ap behind it is cut off", _plug("lobby-sw", in_=False)
    ),
    Scene(8, "scene: InfluxDB is away", lambda set_: set_.influx.go_away(away=True)),
    Scene(13, "scene: InfluxDB is back", lambda set_: set_.influx.go_away(away=False)),
    Scene(22, "scene: kiosk-sw is plugged in", _plug("kiosk-sw", in_=True)),
)


class Demo:
    """Runs on a stage until it has come to its end, or until it is interrupted."""

    def __init__(self, set_: Stage, screen: Screen) -> None:
        self._stage, self._screen = set_, screen
        self._started_ns = time.time_ns()
        self._drive = Drive(set_.cloud, set_.functions, time.time(), STATUS_SECONDS)
        self._scenes = (
            [*SCENES] if set_.influx.can_be_away else [s for s in SCENES if "InfluxDB" not in s.text]
        )
        self._view = View([])
        self._spooled = 0

    def run(self, *, watch: bool) -> Verdict:
        started = time.monotonic()
        self._screen.start()
        self._drive.start()
        try:
            while watch or not self._is_over(time.monotonic() - started):
                self._act(time.monotonic() - started)
                self._look()
                time.sleep(1)
        except KeyboardInterrupt:
            self._screen.say("stopping")
        return self._end()

    def _is_over(self, elapsed: float) -> bool:
        ended = all(
            (state.status, state.reason) == (role.status, role.reason)
            for role, state in zip(self._stage.roles, self._view.states, strict=False)
        )
        settled = not self._scenes and ended and not self._spooled
        return elapsed > LAST_SECONDS or (settled and elapsed > FIRST_SECONDS)

    def _act(self, elapsed: float) -> None:
        while self._scenes and self._scenes[0].at <= elapsed:
            scene = self._scenes.pop(0)
            scene.act(self._stage)
            self._screen.say(scene.text, "magenta")

    def _look(self) -> None:
        """Read everything back, and tell what the event bus has brought."""
        set_, notice = self._stage, ""
        known = states(set_.database)
        try:
            found = points(set_.influx, self._started_ns)
        except Unreadable:
            found, notice = self._view.points, "InfluxDB does not answer"
        spooled = set_.cloud.depth("spool")
        if spooled and not self._spooled:
            self._screen.say("points that InfluxDB does not take go to the spool", "yellow")
        if self._spooled and not spooled:
            self._screen.say("the spool is empty: its points have been replayed", "green")
        self._spooled = spooled
        ordered = [known[role.id] for role in set_.roles]
        self._view = View(ordered, found, spooled, notice)
        self._screen.show(self._view)
        self._tell_events()

    def _tell_events(self) -> None:
        messages = self._stage.cloud.receive("events")
        for message in messages:
            text, style = _told(msgspec.json.decode(message["Body"])["detail"])
            self._screen.say(text, style)
        self._stage.cloud.delete("events", messages)

    def _end(self) -> Verdict:
        """Let what was begun come to its end, then compare."""
        self._stage.influx.go_away(away=False)
        self._drive.stop_polling()
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            self._look()
            verdict = judge(
                self._stage.roles, states(self._stage.database), self._stage.influx, self._drive.ledger,
                self._started_ns,
            )  # fmt: skip
            if not verdict.faults or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        self._drive.stop()
        return verdict


def _told(detail: Any) -> tuple[str, str]:
    """An event of the bus in a line; its detail is described in docs/status.md."""
    device = detail["device"]["hostname"] if detail["device"] else detail["site"] or "fleet"
    style = "green" if detail["after"] in ("online", "reachable") else "red"
    return f"{device}: {detail['before']} → {detail['after']} ({detail['detail']})", style


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--watch", action="store_true", help="keep running until Ctrl-C")
    watch = parser.parse_args(arguments).watch
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Screen() as screen:
        try:
            verdict = _perform(screen, watch=watch)
        except KeyboardInterrupt:
            verdict = Verdict(0, 0, 0, ["interrupted"])
        except (NetvitalsError, Unreadable, ValueError, RuntimeError, OSError) as error:
            verdict = Verdict(0, 0, 0, [str(error)])
    for fault in verdict.faults[1:FAULTS_SHOWN]:
        screen.line(escape(fault))
    screen.line(escape(str(verdict)))
    return 1 if verdict.faults else 0


def _perform(screen: Screen, *, watch: bool) -> Verdict:
    screen.line("starting PostgreSQL, InfluxDB, AWS, devices and functions …")
    began = time.monotonic()
    with stage(METRICS_SECONDS_WATCHED if watch else METRICS_SECONDS) as set_:
        screen.line(f"ready after {time.monotonic() - began:.0f} s")
        screen.line(f"InfluxDB    {set_.influx.access['url']}")
        screen.line(f"AWS         {set_.cloud.url}")
        screen.line(f"logs        {set_.logs}")
        verdict = Demo(set_, screen).run(watch=watch)
        screen.finish()
        return verdict


if __name__ == "__main__":
    sys.exit(main())
