"""A status store in memory, with the promises of the real one."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from netvitals.domain.decision.status import (
    Change,
    Channel,
    Delivery,
    Monitored,
    OutboxMessage,
    PollingGap,
    Polls,
    SiteState,
)
from netvitals.domain.ports import StatusRun


class MemoryStatusStore:
    """Devices by id, with what runs have left; `history` has (device, before, after, cause)."""

    def __init__(self, *devices: Monitored) -> None:
        self.devices = {device.id: device for device in devices}
        self.gap = PollingGap()
        self.sites: dict[str, SiteState] = {}
        self.messages: list[OutboxMessage] = []
        self.history: list[tuple[str, str, str, str]] = []
        self.busy = False

    def poll(self, device_id: str, at: float, *, answers: bool, reason: str = "timeout") -> None:
        """Count a poll as the real store counts an observation."""
        device = self.devices[device_id]
        before = device.polls
        same = before.successes > 0 if answers else before.failures > 0
        after = Polls(
            last_seen_at=at if answers else before.last_seen_at,
            last_attempt_at=at,
            streak_since=before.streak_since if same else at,
            failures=0 if answers else before.failures + 1,
            successes=before.successes + 1 if answers else 0,
            reason="ok" if answers else reason,
        )
        self.devices[device_id] = msgspec.structs.replace(device, polls=after)

    def run[Result](self, work: Callable[[StatusRun], Result]) -> Result | None:
        if self.busy:
            return None
        run = MemoryStatusRun(self)
        result = work(run)
        run.commit()
        return result

    def deliver(
        self, channel: Channel, send: Callable[[Sequence[OutboxMessage]], Collection[str]], limit: int = 1000
    ) -> Delivery:
        waiting = [message for message in self.messages if message.channel == channel][:limit]
        if not waiting:
            return Delivery()
        taken = set(send(waiting))
        self.messages = [message for message in self.messages if message.id not in taken]
        return Delivery(len(taken), len(waiting) - len(taken))


class MemoryStatusRun:
    def __init__(self, store: MemoryStatusStore) -> None:
        self._store = store
        self._devices = dict(store.devices)
        self._history = list(store.history)
        self._messages = list(store.messages)
        self._kept: tuple[PollingGap, dict[str, SiteState]] = (store.gap, {})

    @property
    def gap(self) -> PollingGap:
        return self._store.gap

    @property
    def newest_attempt_at(self) -> float | None:
        tried = [device.polls.last_attempt_at for device in self._devices.values()]
        return max((at for at in tried if at is not None), default=None)

    @property
    def sites(self) -> Mapping[str, SiteState]:
        return self._store.sites

    def devices(self) -> Iterator[Sequence[Monitored]]:
        listed = sorted(self._store.devices.values(), key=lambda device: (device.site, device.id))
        for start in range(0, len(listed), 7):
            yield listed[start : start + 7]

    def apply(self, changes: Sequence[Change], now: float) -> Collection[str]:  # noqa: ARG002, history has no time here
        for change in changes:
            device = change.device
            self._devices[device.id] = msgspec.structs.replace(device, record=change.after)
            if change.is_transition:
                before, after = device.record.status.value, change.after.status.value
                self._history.append((device.id, before, after, change.after.cause.value))
        return {change.device.id for change in changes}

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        self._messages += messages

    def save(self, gap: PollingGap, sites: Sequence[SiteState]) -> None:
        self._kept = (gap, {site.name: site for site in sites})

    def commit(self) -> None:
        store = self._store
        store.devices, store.history, store.messages = self._devices, self._history, self._messages
        store.gap = self._kept[0]
        store.sites = store.sites | self._kept[1]
