"""The decision on a device's status: pure, the only one, and the same for all.

|                                                 | becomes                                       |
|-------------------------------------------------|-----------------------------------------------|
| never polled                                    | stays as it is                                |
| not polled while others were                    | unknown: not_polled                           |
| not polled, and nobody was                      | unknown: collector_silent (the fleet's event) |
| answered, fewer than M polls in a row           | stays as it is (soft)                         |
| answered M polls in a row                       | online                                        |
| failed, its site's path is lost                 | unknown: path_lost (the site's event)         |
| failed fewer than N polls, or within time-out   | stays as it is (soft)                         |
| failed so, for a reason that is not the device's| unknown: not_measurable                       |
| failed so, and its parent does not answer       | unreachable: parent_down (the parent's event) |
| failed so                                       | offline                                       |
| offline, and fails again                        | stays offline                                 |

Time alone never makes a device offline; only polls that failed do.
"""

from typing import NamedTuple

from netvitals.domain.decision.status import (
    TOLD_BY_ANOTHER,
    Cause,
    Change,
    Monitored,
    Parent,
    SiteState,
    Standing,
    Status,
    StatusSettings,
    Watch,
)
from netvitals.domain.polling.observation import OUR_FAULTS
from netvitals.domain.settings.policy import Policy

NOWHERE = SiteState("")
"""The site of devices that have none: its path is never lost."""
_UP_OR_DOWN = (Status.ONLINE, Status.OFFLINE)


class Surroundings(NamedTuple):
    """What a decision looks at beside the device."""

    now: float
    watch: Watch
    fleet: SiteState
    site: SiteState
    settings: StatusSettings


class _Verdict(NamedTuple):
    status: Status
    cause: Cause
    detail: str
    since: float


def decide(device: Monitored, policy: Policy, around: Surroundings) -> Change | None:
    """What changes about the device's standing; None where nothing does."""
    standing = device.standing
    verdict = _verdict(device, policy, around) or _as_it_stands(device, around.now)
    is_transition = verdict.status is not standing.status
    score = flap_score(standing, around.now, around.settings)
    is_announced = verdict.status is not standing.announced and not (
        verdict.cause in TOLD_BY_ANOTHER
        or in_maintenance(device, around.now)
        or score >= around.settings.flap_threshold
    )
    if not (is_transition or is_announced or verdict.cause is not standing.cause):
        return None
    flapped = is_transition and verdict.status in _UP_OR_DOWN and standing.status in _UP_OR_DOWN
    after = Standing(
        status=verdict.status,
        cause=verdict.cause,
        since=verdict.since if is_transition else standing.since,
        announced=verdict.status if is_announced else standing.announced,
        flap_score=score + 1 if flapped else standing.flap_score,
        flap_at=around.now if flapped else standing.flap_at,
    )
    return Change(device, after, verdict.detail, is_transition, is_announced)


def flap_score(standing: Standing, now: float, settings: StatusSettings) -> float:
    """The score as it has decayed by now; a clock that went back does not make it grow."""
    age = max(0.0, now - standing.flap_at)
    return float(standing.flap_score * 0.5 ** (age / settings.flap_half_life_seconds))


def missing_after_seconds(policy: Policy) -> float:
    """How long a device may be left unpolled; never so short that its own interval would exceed it."""
    return max(policy.missing_timeout_seconds, 2.0 * policy.status_interval_seconds)


def is_failing(device: Monitored) -> bool:
    """Whether the last poll proved something, and that is silence."""
    return device.polls.failures > 0 and device.polls.reason not in OUR_FAULTS


def silent_parent(device: Monitored) -> Parent | None:
    """The parent, where it has not answered since the device was last seen.

    Its own last poll counts, not its status: so a whole branch is found in one run, whatever the order.
    """
    parent = device.parent
    if parent is None or device.id in {parent.id, parent.parent_id}:
        return None
    tried = parent.polls.last_attempt_at or 0.0
    silent = parent.polls.failures > 0 and parent.polls.reason not in OUR_FAULTS
    return parent if silent and tried > (device.polls.last_seen_at or 0.0) else None


def is_hard(device: Monitored, policy: Policy, around: Surroundings) -> bool:
    """Whether enough polls in a row have failed, over a time as long as the device's time-out.

    The last failed poll must lie near the end of that time: polls that stopped before prove nothing.
    """
    polls = device.polls
    if polls.failures < policy.offline_after_failures or polls.last_attempt_at is None:
        return False
    begin = _countdown_began(device, around)
    tried_until = min(polls.last_attempt_at, around.now) - begin
    half_interval = policy.status_interval_seconds / 2  # polls are not punctual to the millisecond
    return (
        around.now - begin >= policy.offline_timeout_seconds
        and tried_until >= policy.offline_timeout_seconds - half_interval
    )


def _countdown_began(device: Monitored, around: Surroundings) -> float:
    """Since when the device's silence counts against it."""
    polls, standing, watch = device.polls, device.standing, around.watch
    began = [polls.last_seen_at or 0.0]
    if not around.site.lost:
        began.append(around.site.since)
    if device.parent is not None and device.parent.polls.failures == 0:
        began.append(device.parent.polls.streak_since or 0.0)
    if polls.streak_since is not None and polls.streak_since <= watch.interrupted_at:
        began.append(watch.resumed_at)
    if standing.cause in {Cause.NOT_POLLED, Cause.COLLECTOR_SILENT}:
        began.append(standing.since or 0.0)
    return max(began)


def _verdict(device: Monitored, policy: Policy, around: Surroundings) -> _Verdict | None:
    """What the polls say, or None where they say nothing new."""
    polls = device.polls
    if polls.last_attempt_at is None:
        return None
    missed = _if_missed(polls.last_attempt_at, policy, around)
    if missed is not None:
        return missed
    if polls.failures == 0:
        enough = polls.successes >= policy.online_after_successes
        return _answered(device, around.now) if enough else None
    return _if_failing(device, policy, around)


def _if_missed(tried_at: float, policy: Policy, around: Surroundings) -> _Verdict | None:
    patience = missing_after_seconds(policy)
    counted_from = max(tried_at, around.watch.resumed_at, 0.0 if around.fleet.lost else around.fleet.since)
    if around.fleet.lost and around.now - counted_from > patience:
        cause = Cause.COLLECTOR_SILENT
    elif min(around.now, around.watch.newest_attempt_at or 0.0) - counted_from > patience:
        cause = Cause.NOT_POLLED
    else:
        return None
    return _Verdict(Status.UNKNOWN, cause, f"not polled for {around.now - tried_at:.0f} s", around.now)


def _if_failing(device: Monitored, policy: Policy, around: Surroundings) -> _Verdict | None:
    standing = device.standing
    if standing.status is Status.OFFLINE and standing.cause is not Cause.PATH_LOST:
        return None
    if around.site.lost and is_failing(device):
        return _behind_lost_path(device, around)
    return _down(device, around.now) if is_hard(device, policy, around) else None


def _behind_lost_path(device: Monitored, around: Surroundings) -> _Verdict | None:
    if device.standing.status is Status.UNREACHABLE:
        return None
    status = Status.OFFLINE if around.settings.site_marks_offline else Status.UNKNOWN
    detail = f"the path to site {around.site.name} is lost"
    return _Verdict(status, Cause.PATH_LOST, detail, device.polls.streak_since or around.now)


def _down(device: Monitored, now: float) -> _Verdict:
    """What a device is that has failed for long enough."""
    since = device.polls.streak_since or now
    if not is_failing(device):
        detail = f"can't be polled: {device.polls.reason}"
        return _Verdict(Status.UNKNOWN, Cause.NOT_MEASURABLE, detail, since)
    parent = silent_parent(device)
    if parent is not None:
        return _Verdict(Status.UNREACHABLE, Cause.PARENT_DOWN, f"unreachable via {parent.id}", since)
    return _Verdict(Status.OFFLINE, Cause.NO_ANSWER, _silence(device, now), since)


def _answered(device: Monitored, now: float) -> _Verdict:
    since = device.polls.streak_since or now
    return _Verdict(Status.ONLINE, Cause.ANSWERED, "answers", since)


def _silence(device: Monitored, now: float) -> str:
    polls = device.polls
    seen = "never seen" if polls.last_seen_at is None else f"last seen {now - polls.last_seen_at:.0f} s ago"
    return f"{polls.failures} polls failed ({polls.reason or 'no reason given'}), {seen}"


def _as_it_stands(device: Monitored, now: float) -> _Verdict:
    """No change of status; it may be time to announce one that was held back."""
    standing = device.standing
    detail = _silence(device, now) if standing.status is Status.OFFLINE else standing.cause.value
    return _Verdict(standing.status, standing.cause, detail, standing.since or now)


def in_maintenance(device: Monitored, now: float) -> bool:
    return device.maintenance_until is not None and now < device.maintenance_until
