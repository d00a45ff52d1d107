"""Outages that are not a device's: a lost path to a site, and a collector that polls nobody."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from netvitals.domain.decision.liveness import (
    Surroundings,
    in_maintenance,
    is_failing,
    is_hard,
    silent_parent,
)
from netvitals.domain.decision.status import Cause, Monitored, SiteState, Status, StatusSettings, Watch
from netvitals.domain.settings.policy import Policy

CLOCK_TOLERANCE_SECONDS = 60.0
"""By so much the clocks of two runs may differ."""


class Votes(NamedTuple):
    """What a site's devices say about its path."""

    failing: int
    answering: int
    last_seen_at: float
    """When the last of those that are proved silent was seen: the path was there then."""


def site_after(
    site: SiteState, members: Sequence[tuple[Monitored, Policy]], around: Surroundings
) -> SiteState:
    """Whether the path to a site is lost, in view of all its devices.

    A path is lost when nearly all that was up fails together: devices that were down before, are under
    maintenance, or behind a silent parent have no vote, and neither has one that was not polled since.
    """
    votes = _votes(site, members, around)
    settings = around.settings
    lost = votes.failing >= settings.site_minimum_devices and votes.failing >= settings.site_lost_fraction * (
        votes.failing + votes.answering
    )
    if lost == site.lost:
        return site
    return SiteState(site.name, lost, votes.last_seen_at or around.now if lost else around.now)


def _votes(site: SiteState, members: Sequence[tuple[Monitored, Policy]], around: Surroundings) -> Votes:
    failing = [
        (device, policy)
        for device, policy in members
        if is_failing(device)
        and not _was_down(device)
        and not in_maintenance(device, around.now)
        and silent_parent(device) is None
    ]
    if site.lost:
        there_last = site.since
    else:
        proved = [device for device, policy in failing if is_hard(device, policy, around)]
        if not proved:
            return Votes(0, 0, 0.0)
        there_last = max(device.polls.last_seen_at or 0.0 for device in proved)
    tried_since = [device for device, _ in failing if (device.polls.last_attempt_at or 0.0) > there_last]
    answering = sum(
        1
        for device, _ in members
        if device.polls.failures == 0 and (device.polls.last_seen_at or 0.0) > there_last
    )
    return Votes(len(tried_since), answering, there_last)


def _was_down(device: Monitored) -> bool:
    return device.standing.status is Status.OFFLINE and device.standing.cause is not Cause.PATH_LOST


def watch_after(watch: Watch, now: float, newest_attempt_at: float | None, settings: StatusSettings) -> Watch:
    """The watch as a run at `now` finds it."""
    seen = msgspec.structs.replace(watch, last_run_at=now, newest_attempt_at=newest_attempt_at)
    if watch.last_run_at is None:
        return seen
    patience = watch.patience_seconds or settings.silence_seconds
    quiet = newest_attempt_at is not None and now - newest_attempt_at > patience / 2
    elapsed = now - watch.last_run_at
    if elapsed > settings.silence_seconds or elapsed < -CLOCK_TOLERANCE_SECONDS:
        return msgspec.structs.replace(seen, interrupted_at=watch.last_run_at, resumed_at=now, is_quiet=quiet)
    if quiet and not watch.is_quiet:
        return msgspec.structs.replace(seen, interrupted_at=newest_attempt_at, is_quiet=True)
    if watch.is_quiet and not quiet:
        return msgspec.structs.replace(seen, resumed_at=now, is_quiet=False)
    return seen


def fleet_after(fleet: SiteState, watch: Watch, now: float, settings: StatusSettings) -> SiteState:
    """Whether nobody is being polled; a fleet of which nothing was ever polled is only new."""
    newest = watch.newest_attempt_at
    if newest is None:
        return fleet
    if fleet.lost:
        return SiteState(fleet.name, lost=False, since=now) if newest > fleet.since else fleet
    patience = max(settings.silence_seconds, watch.patience_seconds or 0.0)
    if now - max(newest, watch.resumed_at) > patience:
        return SiteState(fleet.name, lost=True, since=newest)
    return fleet
