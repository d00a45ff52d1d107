"""False offlines on a line that loses packets: `python benchmarks/packet_loss.py [1,000s of device-months]`.

A fifth of all packets is lost, requests and answers alike. Polls try as often as SNMP's settings say, and as
the collector makes them insist after a failure; the status function's own decision judges their outcome, with
default settings, every minute. Time is simulated: polls that a device answers change nothing, so the play
goes from one poll that failed to the next one. Metrics polls are left out; they could only prove a device
alive. First the real SNMP session polls an agent that loses packets, to show that the probability is right.
"""

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from math import log
from pathlib import Path

from sizes import QUICK, given

sys.path.insert(0, str(Path(__file__).parents[1]))

from local.devices.snmp_agent import Agent
from local.devices.snmp_host import AgentThread
from local.devices.snmp_mib import TimeTicks
from netvitals.collectors.snmp.protocol import SNMP, SnmpSettings, insisting
from netvitals.collectors.snmp.wire.faults import NoAnswer
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.domain.decision.liveness import NO_SITE, Context, decide
from netvitals.domain.decision.status import (
    Cause,
    Monitored,
    PollingGap,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.status import StatusSettings

LOSS = 0.2
MONTH_SECONDS = 730 * 3600
(THOUSANDS,) = given((100,), 1)
SESSIONS = 50 if QUICK else 2000
UPTIME = "1.3.6.1.2.1.1.3.0"
ONLINE = StatusRecord(Status.ONLINE, Cause.ANSWERED, 0.0, Status.ONLINE)


def failing(settings: SnmpSettings) -> float:
    """Return the probability that a poll gets no answer: in each try, both packets have to arrive."""
    return float((1 - (1 - LOSS) ** 2) ** (settings.retries + 1))


class Play:
    """One device after another, for a month each, polled by one rule."""

    def __init__(self, policy: Policy, after_failure: SnmpSettings, dice: random.Random) -> None:
        self._policy, self._snmp = policy, SNMP.settings_of(policy)
        self._first, self._next = failing(self._snmp), failing(after_failure)
        self._settings = StatusSettings()
        self._dice = dice
        self.streaks = self.offlines = 0

    def month(self) -> None:
        """Count the false offlines of one device and month."""
        interval, pair = self._policy.status_interval_seconds, self._first * self._next
        polls = MONTH_SECONDS / interval
        # Of two polls that fail one after the other; every poll after one that was answered may begin such.
        while (polls := polls - 1 - int(log(1 - self._dice.random()) / log(1 - pair))) > 0:
            self.streaks += 1
            self.offlines += self._is_taken_for_offline(list(self._streak(interval)))

    def _streak(self, interval: int) -> Iterator[float]:
        """Yield the times of failed polls, two or more, since the device was seen at 0."""
        yield interval
        yield (at := 2 * interval)
        while self._dice.random() < self._next:
            yield (at := at + interval)

    def _is_taken_for_offline(self, failed: list[float]) -> bool:
        """Play the runs of the status function from the device's last answer to its next one."""
        takes = self._snmp.timeout_seconds * (self._snmp.retries + 1)
        now = self._dice.uniform(0, 60)
        while now < failed[-1] + self._policy.status_interval_seconds:
            told = [at for at in failed if at + takes <= now]
            if told and self._decided(told, now):
                return True
            now += 60
        return False

    def _decided(self, failed: list[float], now: float) -> bool:
        zero = time.time()
        polls = Polls(zero, zero + failed[-1], zero + failed[0], failures=len(failed), reason="timeout")
        gap = PollingGap(zero + now - 60, zero + now)
        context = Context(zero + now, gap, SiteState(""), NO_SITE, self._settings)
        change = decide(Monitored("switch", polls, ONLINE), self._policy, context)
        return change is not None and change.after.status is Status.OFFLINE


async def unanswered(address: str, port: int) -> float:
    """Return of how many polls of a real session nothing came back."""
    settings = SnmpSettings(port=port, timeout_seconds=0.1)

    async def is_lost() -> bool:
        security, deadline = CommunitySecurity("2c", Secret("public")), time.monotonic() + 60
        try:
            await SnmpSession(address, security, settings, deadline).get([UPTIME])
        except NoAnswer:
            return True
        return False

    lost = 0
    for _ in range(0, SESSIONS, 50):
        lost += sum(await asyncio.gather(*(is_lost() for _ in range(50))))
    return lost / SESSIONS


def main() -> None:
    policy = Configuration().policy("network", {})
    usual = SNMP.settings_of(policy)
    with AgentThread({"127.46.0.1": Agent({UPTIME: TimeTicks(1)}, loss=1 - (1 - LOSS) ** 2)}) as host:
        real = asyncio.run(unanswered("127.46.0.1", host.port))
    print(f"{LOSS:.0%} of all packets are lost. Of {SESSIONS} polls by the real session {real:.2%} "
          f"have no answer, by calculation {failing(usual):.2%}\n")  # fmt: skip
    print("| after a failure | device-months | two polls in a row fail | false offlines | in 10,000 |")
    print("| --- | ---: | ---: | ---: | ---: |")
    dice = random.Random(20261126)  # noqa: S311, drops datagrams, hides nothing
    for name, snmp, months in (
        ("the same tries", usual, THOUSANDS * 5),
        ("insisting, as it is", insisting(usual), THOUSANDS * 1000),
    ):
        play = Play(policy, snmp, dice)
        for _ in range(months):
            play.month()
        print(f"| {name} | {months:,} | {play.streaks:,} | {play.offlines:,} | "
              f"{play.offlines * 1e4 / months:,.2f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
