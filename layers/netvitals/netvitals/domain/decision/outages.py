"""Decide on outages of a site's path and of the collector itself."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from netvitals.domain.decision.liveness import (
    Context,
    in_maintenance,
    is_failing,
    is_hard,
    silent_parent,
)
from netvitals.domain.decision.status import Cause, Monitored, PollingGap, SiteState, Status
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.status import StatusSettings

CLOCK_TOLERANCE_SECONDS = 60.0
"""Seconds by which the clocks of two runs may differ."""


class Votes(NamedTuple):
    """Numbers of a site's devices that fail and that answer, as evidence about its path."""

    failing: int
    answering: int
    last_seen_at: float
    """Time at which the last device that has failed for its timeout was seen: the path was there then."""


def site_after(site: SiteState, members: Sequence[tuple[Monitored, Policy]], context: Context) -> SiteState:
    """Return whether the path to a site is lost, by the votes of all its devices.

    A path is lost when nearly all that was up fails together: devices that were down before, are under
    maintenance, or behind a silent parent have no vote, and neither has one that was not polled since.
    Only an answer ends that: votes that are gone, as by a maintenance, do not mean that the path is back.
    """
    votes = _votes(site, members, context)
    if site.lost and not votes.answering:
        return site
    settings = context.settings
    lost = votes.failing >= settings.site_minimum_devices and votes.failing >= settings.site_lost_fraction * (
        votes.failing + votes.answering
    )
    if lost == site.lost:
        return site
    return SiteState(site.name, lost, votes.last_seen_at or context.now if lost else context.now)


def _votes(site: SiteState, members: Sequence[tuple[Monitored, Policy]], context: Context) -> Votes:
    failing = [
        (device, policy)
        for device, policy in members
        if is_failing(device)
        and not _was_down(device)
        and not in_maintenance(device, context.now)
        and silent_parent(device, context) is None
    ]
    if site.lost:
        path_seen_at = site.since
    else:
        proved = [device for device, policy in failing if is_hard(device, policy, context)]
        if not proved:
            return Votes(0, 0, 0.0)
        path_seen_at = max(device.polls.last_seen_at or 0.0 for device in proved)
    tried_since = [device for device, _ in failing if (device.polls.last_attempt_at or 0.0) > path_seen_at]
    answering = sum(
        1
        for device, _ in members
        if device.polls.failures == 0 and (device.polls.last_seen_at or 0.0) > path_seen_at
    )
    return Votes(len(tried_since), answering, path_seen_at)


def _was_down(device: Monitored) -> bool:
    return device.record.status is Status.OFFLINE and device.record.cause is not Cause.PATH_LOST


def gap_after(
    gap: PollingGap, now: float, newest_attempt_at: float | None, settings: StatusSettings
) -> PollingGap:
    """Return the record of gaps as of a run at `now`."""
    seen = msgspec.structs.replace(gap, last_run_at=now, newest_attempt_at=newest_attempt_at)
    quiet_after = gap.quiet_after_seconds or settings.silence_seconds / 2
    quiet = newest_attempt_at is not None and now - newest_attempt_at > quiet_after
    if gap.last_run_at is None:
        return msgspec.structs.replace(seen, is_quiet=quiet)
    if gap.newest_attempt_at is None and newest_attempt_at is not None:  # no device was enabled
        return msgspec.structs.replace(seen, resumed_at=now, is_quiet=quiet)
    elapsed = now - gap.last_run_at
    if elapsed > settings.silence_seconds or elapsed < -CLOCK_TOLERANCE_SECONDS:
        return msgspec.structs.replace(seen, resumed_at=now, is_quiet=quiet)
    if gap.is_quiet and not quiet:
        return msgspec.structs.replace(seen, resumed_at=now, is_quiet=False)
    return msgspec.structs.replace(seen, is_quiet=quiet)


def fleet_after(fleet: SiteState, gap: PollingGap, now: float, settings: StatusSettings) -> SiteState:
    """Return whether the fleet is polled at all; one that never was is new, and not silent."""
    newest = gap.newest_attempt_at
    if newest is None:
        return fleet
    timeout = max(settings.silence_seconds, gap.shortest_timeout_seconds or 0.0)
    if fleet.lost:
        # The newest poll may be an old one: recorded late, or of a device that is enabled again.
        is_polled = newest > fleet.since and now - newest <= timeout
        return SiteState(fleet.name, lost=False, since=now) if is_polled else fleet
    if now - max(newest, gap.resumed_at) > timeout:
        return SiteState(fleet.name, lost=True, since=newest)
    return fleet
