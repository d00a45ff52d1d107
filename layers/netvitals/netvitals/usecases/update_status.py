"""Decide the status of every device, and tell the world what changed."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from math import inf
from time import monotonic
from typing import Any

import msgspec

from netvitals.domain.announcement import (
    Digest,
    device_event,
    point_letter,
    point_line,
    site_event,
)
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.liveness import NOWHERE, Surroundings, decide, missing_after_seconds
from netvitals.domain.outages import fleet_after, site_after, watch_after
from netvitals.domain.policy import Policy
from netvitals.domain.ports import PointSink, Publisher, StatusRun, StatusStore
from netvitals.domain.schedule import phase
from netvitals.domain.status import (
    Change,
    Channel,
    Letter,
    Monitored,
    SiteState,
    Status,
    StatusSettings,
)

type Send = Callable[[Sequence[Letter]], Collection[str]]

FLEET = SiteState("")
NAMED_CHANGES = 200
"""Changes that a report names; the others it counts."""
_BATCH = 1000


class StatusReport(msgspec.Struct):
    """What a run found and did."""

    busy: bool = False
    """Another run was at work, so this one decided nothing."""
    devices: int = 0
    statuses: dict[str, int] = {}
    """Devices by status."""
    transitions: int = 0
    announced: int = 0
    changes: list[str] = []
    """`sw-1: online → offline: 3 polls failed …`, the first `NAMED_CHANGES` of them."""
    sites_lost: int = 0
    """Sites whose path is lost now."""
    fleet_silent: bool = False
    """Nobody polls any device: the alarm on ourselves."""
    bad_rows: int = 0
    """Devices whose settings can't be used; they are judged by the package's defaults."""
    heartbeats: int = 0
    points_published: int = 0
    events_published: int = 0
    digests_published: int = 0
    unpublished: int = 0
    """Points, events and digests that were not taken, and wait for the next run."""


class UpdateStatus:
    """`policy` says how long a device may be silent; no publisher, no letters of its kind.

    A transition, its row of history, its point, and its event are written in one transaction. They are
    published after that, and again by later runs until they were taken: at least once, each time under the
    same id (events) or the same time (points).
    """

    def __init__(
        self,
        *,
        store: StatusStore,
        policy: Callable[[str, Mapping[str, Any]], Policy],
        sink: PointSink,
        complain: Callable[[str], None],
        settings: StatusSettings | None = None,
        events: Publisher | None = None,
        digests: Publisher | None = None,
    ) -> None:
        self._store = store
        self._policy = lru_cache(maxsize=4096)(_from_json(policy))
        self._sink = sink
        self._complain = complain
        self._settings = settings or StatusSettings()
        self._events = events
        self._digests = digests

    def run(self, now: float, deadline: float = inf) -> StatusReport:
        """Decide as of `now` (seconds since the epoch), then publish until `deadline` (`time.monotonic`).

        Raises:
            Unavailable: the database can't be used; what was decided before that stays decided.
        """
        decided = self._store.run(lambda run: self._decide(run, float(now)))
        report = StatusReport(busy=True) if decided is None else decided.report
        # Alarms first: an InfluxDB that does not answer may take all the time there is.
        if self._events is not None:
            report.events_published = self._publish("event", self._events.send, report, deadline)
        if self._digests is not None:
            report.digests_published = self._publish("digest", self._digests.send, report, deadline)
        report.points_published = self._publish("point", self._writing(deadline), report, deadline)
        if decided is not None:
            report.heartbeats = self._beat(decided.heartbeats, deadline)
        return report

    def _decide(self, run: StatusRun, now: float) -> "_Deciding":
        deciding = _Deciding(run, now, self._settings, self._policy_of)
        deciding.all(self._channels())
        if deciding.report.bad_rows:
            self._complain(f"{deciding.report.bad_rows} devices have settings that can't be used")
        return deciding

    def _channels(self) -> set[Channel]:
        """What anybody listens to."""
        wanted: dict[Channel, object] = {"point": self._sink, "event": self._events, "digest": self._digests}
        return {channel for channel, publisher in wanted.items() if publisher is not None}

    def _policy_of(self, device: Monitored) -> Policy | None:
        try:
            return self._policy(device.device_type, device.settings)
        except ConfigurationError:
            return None

    def _beat(self, lines: Sequence[str], deadline: float) -> int:
        """A heartbeat that is not taken is not kept: the next one says as much."""
        taken = 0
        for start in range(0, len(lines), _BATCH * 5):
            outcome = self._sink.write(lines[start : start + _BATCH * 5], deadline)
            taken += outcome.accepted
            if outcome.unsent:
                self._complain(f"heartbeats were not written: {outcome.detail}")
                break
        return taken

    def _writing(self, deadline: float) -> Send:
        def write(letters: Sequence[Letter]) -> Collection[str]:
            outcome = self._sink.write([letter.body for letter in letters], deadline)
            for refusal in outcome.refused:  # InfluxDB would refuse it for ever: it is done with
                self._complain(f"a status was refused: {refusal.reason}: {refusal.line[:200]}")
            unsent = set(outcome.unsent)
            if unsent:
                self._complain(f"{len(unsent)} statuses were not written and are kept: {outcome.detail}")
            return {letter.id for letter in letters if letter.body not in unsent}

        return write

    def _publish(self, channel: Channel, send: Send, report: StatusReport, deadline: float) -> int:
        """Publish all there is, as long as some of it is taken, and leave the rest to the next run."""
        published = 0
        while True:
            delivery = self._store.deliver(channel, send, _BATCH)
            published += delivery.published
            if not delivery.published or monotonic() >= deadline:
                report.unpublished += delivery.left
                return published


class _Deciding:
    """One pass over all devices."""

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
        self._last_run_at = run.watch.last_run_at
        self._watch = watch_after(run.watch, now, run.newest_attempt_at, settings)
        before = run.sites.get("", FLEET)
        self._fleet = fleet_after(before, self._watch, now, settings)
        self._sites = [] if self._fleet is before else [self._fleet]
        self._lost = {name for name, site in run.sites.items() if name and site.lost}
        self._patience = inf
        self._changes: list[Change] = []
        self._statuses: Counter[str] = Counter()
        self._digest = Digest()
        self.heartbeats: list[str] = []
        self.report = StatusReport()

    def all(self, channels: Collection[Channel]) -> None:
        self._channels = channels
        for members in _by_site(self._run.devices()):
            self._site(members)
        self._apply()
        for site in self._sites:
            self._tell_site(site)
        digest = self._digest.letter(self._now)
        if digest is not None:
            self._post([digest])
        patience = None if self._patience == inf else self._patience
        self._run.keep(msgspec.structs.replace(self._watch, patience_seconds=patience), self._sites)
        self.report.statuses = dict(self._statuses)
        self.report.sites_lost = len(self._lost)
        self.report.fleet_silent = self._fleet.lost

    def _site(self, devices: Sequence[Monitored]) -> None:
        """Decide on the devices of one site, or on some of those that have none."""
        name = devices[0].site
        members = [(device, self._policy_for(device)) for device in devices]
        before = self._run.sites.get(name, SiteState(name)) if name else NOWHERE
        around = Surroundings(self._now, self._watch, self._fleet, before, self._settings)
        if name:
            site = site_after(before, members, around)
            around = around._replace(site=site)
            if site is not before:
                self._sites.append(site)
                (self._lost.add if site.lost else self._lost.discard)(name)
        changes = [change for device, policy in members if (change := decide(device, policy, around))]
        self._count(devices, {change.device.id: change.after.status for change in changes})
        self._changes += changes
        if len(self._changes) >= _BATCH:
            self._apply()

    def _policy_for(self, device: Monitored) -> Policy:
        policy = self._policy_of(device)
        if policy is None:
            self.report.bad_rows += 1
            return Policy()
        self._patience = min(self._patience, missing_after_seconds(policy))
        return policy

    def _apply(self) -> None:
        if not self._changes:
            return
        applied = self._run.apply(self._changes, self._now)
        letters: list[Letter] = []
        for change in self._changes:
            if change.device.id in applied:
                letters += self._tell(change)
        self._post(letters)
        self._changes.clear()

    def _tell(self, change: Change) -> Iterator[Letter]:
        if change.is_transition:
            self.report.transitions += 1
            if len(self.report.changes) < NAMED_CHANGES:
                self.report.changes.append(_described(change))
            yield point_letter(change, self._now)
        if change.is_announced:
            self.report.announced += 1
            self._digest.add(change)
            yield device_event(change, self._now)

    def _tell_site(self, site: SiteState) -> None:
        self._digest.add_site(site)
        self._post([site_event(site, self._now)])

    def _post(self, letters: Sequence[Letter]) -> None:
        kept = [letter for letter in letters if letter.channel in self._channels]
        if kept:
            self._run.post(kept)

    def _count(self, devices: Sequence[Monitored], changed: Mapping[str, Status]) -> None:
        self.report.devices += len(devices)
        for device in devices:
            status = changed.get(device.id, device.standing.status)
            self._statuses[status.value] += 1
            if device.id not in changed and self._is_due(device.id):
                self.heartbeats.append(point_line(device.id, status, self._now))

    def _is_due(self, device_id: str) -> bool:
        """Whether a heartbeat fell due since the run before, each device at its own second."""
        every = self._settings.heartbeat_seconds
        offset = phase(device_id, "heartbeat", every)
        return (
            self._last_run_at is None or (self._now - offset) // every > (self._last_run_at - offset) // every
        )


def _by_site(chunks: Iterator[Sequence[Monitored]]) -> Iterator[list[Monitored]]:
    """The devices of each site together; those that have no site in chunks, as they come."""
    waiting: list[Monitored] = []
    for chunk in chunks:
        for device in chunk:
            if waiting and (waiting[0].site != device.site or (not device.site and len(waiting) >= _BATCH)):
                yield waiting
                waiting = []
            waiting.append(device)
    if waiting:
        yield waiting


def _described(change: Change) -> str:
    device = change.device
    return f"{device.id}: {device.standing.status} → {change.after.status}: {change.detail}"


def _from_json(
    policy: Callable[[str, Mapping[str, Any]], Policy],
) -> Callable[[str, str], Policy]:
    """The policy for overrides as JSON text, which can be remembered."""

    def of(device_type: str, settings: str) -> Policy:
        try:
            overrides = msgspec.json.decode(settings) if settings else {}
        except (msgspec.DecodeError, RecursionError):
            overrides = None
        if not isinstance(overrides, Mapping):
            raise ConfigurationError("settings are no JSON object")
        return policy(device_type, overrides)

    return of
