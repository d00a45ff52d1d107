"""Combine the readings of a poll and the host probe into one answer, with its points."""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import chain
from typing import Any

import msgspec

from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.instances import MEMORY_KEY as INSTANCES
from netvitals.domain.polling.instances import Admitted
from netvitals.domain.polling.job import Job, Kind
from netvitals.domain.polling.observation import OUR_FAULTS, Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Reach

_PRECEDENCE = (
    # Where all protocols fail, the reason that only a person can remove is reported first.
    Reason.INTERNAL,
    Reason.AUTH,
    Reason.HOST_KEY,
    Reason.BAD_CREDENTIAL,
    Reason.BAD_ADDRESS,
    Reason.PARTIAL,
    Reason.PROTOCOL,
    Reason.UNSUPPORTED,
    Reason.REFUSED,
    Reason.UNREACHABLE,
    Reason.TIMEOUT,
    Reason.OK,
)


def has_answer(reading: Reading, kind: Kind) -> bool:
    """Return whether no other protocol need be tried; a status poll needs no more than a reply."""
    if kind == "status" and reading.alive:
        return True
    return bool(reading.points) or reading.reason in {Reason.OK, Reason.PARTIAL}


def is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback


class PollOutcome:
    """Collects readings while a device is polled; its properties are the answer so far."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._asked: list[tuple[str, Reading]] = []
        self._admitted = Admitted()
        self._reach: Reach | None = None
        self._reach_time_ns = 0

    def add_reading(self, protocol: str, reading: Reading) -> None:
        self._asked.append((protocol, reading))

    def add_reach(self, reach: Reach, time_ns: int) -> None:
        self._reach, self._reach_time_ns = reach, time_ns

    @property
    def measured(self) -> list[Point]:
        """Return what all protocols have read, without what the settings leave out."""
        left_out = self.job.settings.vitals.left_out()
        points = chain.from_iterable(reading.points for _, reading in self._asked)
        return [point for point in points if point.metric_name not in left_out] if left_out else list(points)

    def keep(self, admitted: Admitted) -> None:
        """Take the part of `measured` that may be stored; put into the detail what may not."""
        self._admitted = admitted
        text = admitted.detail
        if self._asked and text:
            best = self._by_precedence()[0][1]
            reason = Reason.PARTIAL if best.reason is Reason.OK else best.reason
            best.fail(reason, f"{best.detail}; {text}" if best.detail else text)

    @property
    def replied(self) -> bool:
        """Return whether a protocol got a reply, a refusal included."""
        return any(reading.alive for _, reading in self._asked)

    @property
    def reachable(self) -> bool:
        return self.replied or self._host(alive=True)

    @property
    def dead(self) -> bool:
        """Return whether neither the host probe nor any protocol asked so far got a reply."""
        return not self.replied and self._host(alive=False)

    @property
    def method(self) -> str:
        """Return what proved the device alive, or was tried last: `icmp`, `tcp`, or a protocol."""
        if self.replied:
            return next(protocol for protocol, reading in self._by_precedence() if reading.alive)
        if self._reach is not None and (self._reach.alive or not self._asked):
            return self._reach.method
        return self._asked[-1][0] if self._asked else ""

    @property
    def reason(self) -> Reason:
        """Return the most important reason among the protocols asked, or the host probe's."""
        if not self._asked:
            return self._reason_of_host()
        reason = self._by_precedence()[0][1].reason
        return Reason.UNREACHABLE if reason is Reason.TIMEOUT and self.dead else reason

    @property
    def detail(self) -> str:
        """Return what a person needs to know, with each protocol that failed where none has an answer."""
        if not self._asked:
            return self._reach.detail if self._reach and not self._reach.alive else ""
        best = self._by_precedence()[0][1]
        if has_answer(best, self.job.kind):
            return best.detail
        said = [f"{protocol}: {reading.detail}" for protocol, reading in self._asked if reading.detail]
        if len(self._asked) == 1:
            said = [best.detail] if best.detail else []
        if self._reach is not None and self._reach.alive and not self.replied:
            said.append(f"the host itself answers ({self._reach.method})")
        elif self.dead and self._reach is not None and self._reach.detail:
            said.append(self._reach.detail)
        return "; ".join(said)

    @property
    def memory(self) -> dict[str, Any]:
        """Return the changes for `device_state.memory`."""
        memory = {key: value for _, reading in self._asked for key, value in reading.memory.items()}
        instances = self._admitted.memory
        return memory if instances is None else {**memory, INSTANCES: msgspec.to_builtins(instances)}

    def points(self, duration_ms: float, now_ns: int) -> list[Point]:
        """Return all points of the poll; `now_ns` stamps those that no response brought."""
        own = [*self._ping_points(now_ns)]
        if self.job.kind == "metrics":
            # Not of status polls: their milliseconds in the same series would say nothing of either.
            own.append(Point("collect_ok", int(self.reason is Reason.OK), now_ns))
            own.append(Point("collect_duration_ms", duration_ms, now_ns))
        return own + self._admitted.points

    @property
    def interfaces(self) -> list[InterfaceInfo]:
        """Return the texts about interfaces; the index alone of those that no protocol describes."""
        infos = {info.instance: info for _, reading in self._asked for info in reading.interfaces}
        if self._admitted.refused:
            known = {point.instance for point in self._admitted.points}
            infos = {instance: info for instance, info in infos.items() if instance in known}
        for point in self._admitted.points:
            if point.if_index is not None and point.instance not in infos:
                infos[point.instance] = InterfaceInfo(point.instance, if_index=point.if_index)
        return list(infos.values())

    def _ping_points(self, now_ns: int) -> Iterator[Point]:
        if not self.reachable and not self._anything_sent():
            return
        time_ns = self._reach_time_ns if self._host(alive=True) else now_ns
        yield Point("ping_status", int(self.reachable), time_ns)
        rtt_ms = self._rtt_ms()
        if rtt_ms is not None:
            yield Point("ping_rtt_ms", rtt_ms, time_ns)
        reach = self._reach
        # A host whose firewall drops TCP has lost nothing; one that dropped some of it has.
        if reach is not None and reach.sent and (reach.method == "icmp" or reach.received):
            yield Point("ping_loss_percent", 100.0 * (1 - reach.received / reach.sent), time_ns)

    def _anything_sent(self) -> bool:
        """Return whether a packet went out: a missing credential is no outage of the device."""
        asked = any(reading.reason not in OUR_FAULTS for _, reading in self._asked)
        return asked or self._host(alive=False)

    def _rtt_ms(self) -> float | None:
        if self._reach is not None and self._reach.alive and self._reach.rtt_ms is not None:
            return self._reach.rtt_ms
        return next((reading.rtt_ms for _, reading in self._asked if reading.rtt_ms is not None), None)

    def _host(self, *, alive: bool) -> bool:
        return self._reach is not None and self._reach.alive is alive

    def _reason_of_host(self) -> Reason:
        if self._reach is None or self._reach.alive is None:
            return Reason.UNSUPPORTED
        return Reason.OK if self._reach.alive else Reason.UNREACHABLE

    def _by_precedence(self) -> list[tuple[str, Reading]]:
        """Return the protocols asked, the one whose reading is reported first."""
        if len(self._asked) == 1:
            return self._asked

        def rank(asked: tuple[str, Reading]) -> tuple[bool, int]:
            reading = asked[1]
            return not has_answer(reading, self.job.kind), _PRECEDENCE.index(reading.reason)

        return sorted(self._asked, key=rank)
