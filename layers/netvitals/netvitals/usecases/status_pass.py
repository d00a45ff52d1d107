"""Run the status decision once over the whole fleet."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from math import inf

import msgspec

from netvitals.domain.decision.announcement import Digest, device_event, site_event
from netvitals.domain.decision.liveness import (
    NO_SITE,
    Context,
    decide,
    missing_after_seconds,
    quiet_after_seconds,
)
from netvitals.domain.decision.outages import fleet_after, gap_after, site_after
from netvitals.domain.decision.status import (
    Change,
    Channel,
    Monitored,
    OutboxMessage,
    PollingGap,
    SiteState,
    Status,
)
from netvitals.domain.inventory.circles import circles
from netvitals.domain.polling.schedule import phase
from netvitals.domain.ports import StatusRun
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.status import StatusSettings
from netvitals.usecases.status_points import point_line, point_message

FLEET = SiteState("")
NAMED_CHANGES = 200
"""Most changes that a report names; further ones are counted."""
BATCH = 1000
"""Changes, or messages, that are written at a time."""


class StatusReport(msgspec.Struct):
    """Counts of one run."""

    busy: bool = False
    """True where another run was at work: this one decided nothing."""
    devices: int = 0
    statuses: dict[str, int] = {}
    """Devices by status."""
    transitions: int = 0
    announced: int = 0
    changes: list[str] = []
    """Texts such as `sw-1: online → offline: 3 polls failed …`, at most `NAMED_CHANGES`."""
    sites_lost: int = 0
    """Sites with devices whose path is lost now."""
    fleet_silent: bool = False
    """True where no device is being polled: then the collector's alarm rings."""
    bad_rows: int = 0
    """Devices whose settings can't be used; their status is decided with the package's defaults."""
    heartbeats: int = 0
    points_published: int = 0
    events_published: int = 0
    digests_published: int = 0
    unpublished: int = 0
    """Points, events and digests that were not accepted; the next run sends them again."""
    announcement_wait_seconds: float = 0.0
    """Age of the oldest event or digest that was not accepted."""


class StatusPass:
    """Decides on all devices once, and writes the changes and the messages that announce them."""

    def __init__(
        self,
        run: StatusRun,
        now: float,
        settings: StatusSettings,
        policy_of: Callable[[Monitored], Policy | None],
    ) -> None:
        self._run = run
        self._now = now
        self._settings = settings
        self._policy_of = policy_of
        run.note_monitored(now)
        self._last_run_at = run.gap.last_run_at
        self._gap = gap_after(run.gap, now, run.newest_attempt_at, settings)
        before = run.sites.get("", FLEET)
        self._fleet = fleet_after(before, self._gap, now, settings)
        self._sites = [] if self._fleet is before else [self._fleet]
        self._circular = frozenset(chain.from_iterable(circles(run.parents_of_failing)))
        self._shortest_timeout = self._quiet_after = inf
        self._changes: list[Change] = []
        self._statuses: Counter[str] = Counter()
        self._digest = Digest()
        self.heartbeats: list[str] = []
        self.report = StatusReport()

    def run(self, channels: Collection[Channel]) -> None:
        """Decide on every device; messages go into the outbox for these channels only."""
        self._channels = channels
        for members in _by_site(self._run.devices()):
            self._site(members)
        self._apply()
        for site in self._sites:
            self._announce_site(site)
        digest = self._digest.message(self._now)
        if digest is not None:
            self._enqueue([digest])
        self._run.save(self._gap_for_the_next_run(), self._sites)
        self.report.statuses = dict(self._statuses)
        self.report.fleet_silent = self._fleet.lost

    def _gap_for_the_next_run(self) -> PollingGap:
        if self._quiet_after == inf:  # no device has settings that can be used
            return msgspec.structs.replace(self._gap, shortest_timeout_seconds=None, quiet_after_seconds=None)
        return msgspec.structs.replace(
            self._gap, shortest_timeout_seconds=self._shortest_timeout, quiet_after_seconds=self._quiet_after
        )

    def _site(self, devices: Sequence[Monitored]) -> None:
        """Decide on the devices of one site, or on some of those that have none."""
        name = devices[0].site
        members = [(device, self._policy_for(device)) for device in devices]
        before = self._run.sites.get(name, SiteState(name)) if name else NO_SITE
        context = Context(self._now, self._gap, self._fleet, before, self._settings, self._circular)
        if name:
            site = site_after(before, members, context)
            context = context._replace(site=site)
            self.report.sites_lost += site.lost
            if site is not before:
                self._sites.append(site)
        changes = [change for device, policy in members if (change := decide(device, policy, context))]
        self._count(
            devices, {change.device.id: change.after.status for change in changes if change.is_transition}
        )
        self._changes += changes
        if len(self._changes) >= BATCH:
            self._apply()

    def _policy_for(self, device: Monitored) -> Policy:
        policy = self._policy_of(device)
        if policy is None:
            self.report.bad_rows += 1
            return Policy()
        self._shortest_timeout = min(self._shortest_timeout, missing_after_seconds(policy))
        self._quiet_after = min(self._quiet_after, quiet_after_seconds(policy))
        return policy

    def _apply(self) -> None:
        if not self._changes:
            return
        applied = self._run.apply(self._changes, self._now)
        messages: list[OutboxMessage] = []
        for change in self._changes:
            if change.device.id in applied:
                messages += self._messages(change)
        self._enqueue(messages)
        self._changes.clear()

    def _messages(self, change: Change) -> Iterator[OutboxMessage]:
        if change.is_transition:
            self.report.transitions += 1
            if len(self.report.changes) < NAMED_CHANGES:
                self.report.changes.append(_described(change))
            yield point_message(change, self._now)
        if change.is_announced:
            self.report.announced += 1
            self._digest.add(change)
            yield device_event(change, self._now)

    def _announce_site(self, site: SiteState) -> None:
        self._digest.add_site(site)
        self._enqueue([site_event(site, self._now)])

    def _enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        kept = [message for message in messages if message.channel in self._channels]
        if kept:
            self._run.enqueue(kept)

    def _count(self, devices: Sequence[Monitored], changed: Mapping[str, Status]) -> None:
        self.report.devices += len(devices)
        for device in devices:
            status = changed.get(device.id, device.record.status)
            self._statuses[status.value] += 1
            if device.id not in changed and self._is_due(device.id):
                self.heartbeats.append(point_line(device.id, status, self._now))

    def _is_due(self, device_id: str) -> bool:
        """Return whether a heartbeat fell due since the run before, each device at its own second."""
        every = self._settings.heartbeat_seconds
        offset = phase(device_id, "heartbeat", every)
        return (
            self._last_run_at is None or (self._now - offset) // every > (self._last_run_at - offset) // every
        )


def _by_site(chunks: Iterator[Sequence[Monitored]]) -> Iterator[list[Monitored]]:
    """Yield the devices of each site together, and those without a site in chunks."""
    waiting: list[Monitored] = []
    for chunk in chunks:
        for device in chunk:
            if waiting and (waiting[0].site != device.site or (not device.site and len(waiting) >= BATCH)):
                yield waiting
                waiting = []
            waiting.append(device)
    if waiting:
        yield waiting


def _described(change: Change) -> str:
    device = change.device
    return f"{device.id}: {device.record.status} → {change.after.status}: {change.detail}"
