"""Decide on a device's status: one pure function for all devices.

|                                                 | becomes                                       |
|-------------------------------------------------|-----------------------------------------------|
| never polled                                    | stays as it is                                |
| not polled while others were                    | unknown: not_polled                           |
| not polled, and nobody was                      | unknown: collector_silent (the fleet's event) |
| answered, fewer than M polls in a row           | stays as it is (soft)                         |
| answered M polls in a row                       | online                                        |
| failed, its site's path is lost                 | unknown: path_lost (the site's event)         |
| failed fewer than N polls, or within timeout    | stays as it is (soft)                         |
| failed so, for a reason that is not the device's| unknown: not_measurable                       |
| failed so, and its parent does not answer       | unreachable: parent_down (the parent's event) |
| failed so                                       | offline                                       |
| offline, and fails again                        | stays offline                                 |
| unreachable, its parent still silent            | stays unreachable, whatever its site          |

Time alone never makes a device offline; only polls that failed do. A device's timeout counts from when it
was last seen, and from no earlier than: the first run that saw it enabled again, the return of its parent or
of its site's path, the end of a gap in polling, and, where it is unknown, its first failure in a row.
"""

from typing import NamedTuple

from netvitals.domain.decision.status import (
    ANNOUNCED_ELSEWHERE,
    Cause,
    Change,
    Monitored,
    Parent,
    PollingGap,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.polling.observation import OUR_FAULTS
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.status import StatusSettings

NO_SITE = SiteState("")
"""The site of devices that have none: its path is never lost."""
_UP_OR_DOWN = {Status.ONLINE, Status.OFFLINE}
_FLAPS = "; it flaps: further outages are not announced until it is steady"


class Context(NamedTuple):
    """All that a decision reads beside the device; times are seconds since the epoch."""

    now: float
    gap: PollingGap
    fleet: SiteState
    site: SiteState
    settings: StatusSettings
    circular: frozenset[str] = frozenset()
    """Failing devices that are their own ancestors: their parents explain nothing."""


class _Decision(NamedTuple):
    """The status that the polls prove; `since` is in seconds since the epoch."""

    status: Status
    cause: Cause
    detail: str
    since: float


def decide(device: Monitored, policy: Policy, context: Context) -> Change | None:
    """Return what changes about the device's record; None where nothing does."""
    record = device.record
    decision = _decision(device, policy, context) or _unchanged(device, context.now)
    is_transition = decision.status is not record.status
    is_announced = _is_announced(device, decision, context)
    flapped = is_transition and _is_flap(device, decision, context)
    score = flap_score(record, context.now, context.settings) + flapped
    flapping = score >= context.settings.flap_threshold and (record.flapping or is_announced)
    after = StatusRecord(
        status=decision.status,
        cause=decision.cause,
        since=record.since
        if (decision.status, decision.cause) == (record.status, record.cause)
        else decision.since,
        announced=decision.status if is_announced else record.announced,
        flap_score=score if flapped else record.flap_score,
        flap_at=context.now if flapped else record.flap_at,
        flapping=flapping,
    )
    if after == record:
        return None
    says_flapping = flapping and not record.flapping
    detail = decision.detail + (_FLAPS if says_flapping else "")
    return Change(device, after, detail, is_transition, is_announced, says_flapping)


def _is_announced(device: Monitored, decision: _Decision, context: Context) -> bool:
    """Return whether an event is due: an outage's end always, an outage not while the device flaps."""
    record = device.record
    if decision.status is record.announced or decision.cause in ANNOUNCED_ELSEWHERE:
        return False
    is_damped = (
        record.flapping
        and decision.status is Status.OFFLINE
        and flap_score(record, context.now, context.settings) >= context.settings.flap_threshold
    )
    return not (is_damped or in_maintenance(device, context.now))


def _is_flap(device: Monitored, decision: _Decision, context: Context) -> bool:
    """Return whether a transition is one between online and offline that is the device's own."""
    record = device.record
    return (
        {decision.status, record.status} == _UP_OR_DOWN
        and not ANNOUNCED_ELSEWHERE & {decision.cause, record.cause}
        and not in_maintenance(device, context.now)
    )


def flap_score(record: StatusRecord, now: float, settings: StatusSettings) -> float:
    """Return the score after its decay until `now`; a clock that went back does not make it grow."""
    age = max(0.0, now - record.flap_at)
    return float(record.flap_score * 0.5 ** (age / settings.flap_half_life_seconds))


def missing_after_seconds(policy: Policy) -> float:
    """Return how long a device may go without a poll: at least two of its own intervals."""
    return max(policy.missing_timeout_seconds, 2.0 * policy.status_interval_seconds)


def quiet_after_seconds(policy: Policy) -> float:
    """Return how long a fleet of such devices may go without any poll before that is a gap."""
    return max(policy.missing_timeout_seconds / 2, 1.5 * policy.status_interval_seconds)


def is_failing(device: Monitored) -> bool:
    """Return whether the last poll failed for a reason that is the device's, and not ours."""
    return device.polls.failures > 0 and device.polls.reason not in OUR_FAULTS


def silent_parent(device: Monitored, context: Context) -> Parent | None:
    """Return the parent where it has not answered since the device was last seen.

    Reads the parent's last poll and not its status, so that the order of decisions does not matter; but one
    that is no longer polled proves nothing.
    """
    parent = device.parent
    if parent is None or device.id in context.circular:
        return None
    tried = parent.polls.last_attempt_at or 0.0
    silent = parent.polls.failures > 0 and parent.polls.reason not in OUR_FAULTS
    since = max(device.polls.last_seen_at or 0.0, parent.not_polled_since or 0.0)
    return parent if silent and tried > since else None


def is_hard(device: Monitored, policy: Policy, context: Context) -> bool:
    """Return whether enough polls in a row have failed, over as long as the device's timeout.

    The last failed poll must lie near the end of that time: polls that stopped before prove nothing.
    """
    polls = device.polls
    if polls.failures < policy.offline_after_failures or polls.last_attempt_at is None:
        return False
    begin = _timeout_began(device, context)
    tried_until = min(polls.last_attempt_at, context.now) - begin
    half_interval = policy.status_interval_seconds / 2  # polls are not punctual to the millisecond
    return (
        context.now - begin >= policy.offline_timeout_seconds
        and tried_until >= policy.offline_timeout_seconds - half_interval
    )


def _timeout_began(device: Monitored, context: Context) -> float:
    """Return since when silence counts towards the device's timeout (seconds since the epoch)."""
    polls, record, gap = device.polls, device.record, context.gap
    began = [polls.last_seen_at or 0.0, device.monitored_since or 0.0, gap.resumed_at]
    if record.status is Status.UNKNOWN:
        began.append(polls.streak_since or 0.0)
    if not context.site.lost:
        began.append(context.site.since)
    if device.parent is not None and device.parent.polls.failures == 0:
        began.append(device.parent.polls.streak_since or 0.0)
    return max(began)


def _decision(device: Monitored, policy: Policy, context: Context) -> _Decision | None:
    """Return the status that the polls prove, or None where they prove no change."""
    polls = device.polls
    if polls.last_attempt_at is None:
        return None
    not_polled = _if_not_polled(device, polls.last_attempt_at, policy, context)
    if not_polled is not None:
        return not_polled
    if polls.failures == 0:
        enough = polls.successes >= policy.online_after_successes
        return _answered(device, context.now) if enough else None
    return _if_failing(device, policy, context)


def _if_not_polled(device: Monitored, tried_at: float, policy: Policy, context: Context) -> _Decision | None:
    timeout = missing_after_seconds(policy)
    counted_from = max(
        tried_at,
        context.gap.resumed_at,
        device.monitored_since or 0.0,
        0.0 if context.fleet.lost else context.fleet.since,
    )
    if context.fleet.lost and context.now - counted_from > timeout:
        cause = Cause.COLLECTOR_SILENT
    elif min(context.now, context.gap.newest_attempt_at or 0.0) - counted_from > timeout:
        cause = Cause.NOT_POLLED
    else:
        return None
    return _Decision(Status.UNKNOWN, cause, f"not polled for {context.now - tried_at:.0f} s", context.now)


def _if_failing(device: Monitored, policy: Policy, context: Context) -> _Decision | None:
    record = device.record
    if record.status is Status.OFFLINE and record.cause is not Cause.PATH_LOST:
        return None
    if context.site.lost and is_failing(device):
        return _behind_lost_path(device, context)
    return _down(device, context) if is_hard(device, policy, context) else None


def _behind_lost_path(device: Monitored, context: Context) -> _Decision | None:
    if device.record.status is Status.UNREACHABLE and silent_parent(device, context):
        return None
    status = Status.OFFLINE if context.settings.site_marks_offline else Status.UNKNOWN
    detail = f"the path to site {context.site.name} is lost"
    return _Decision(status, Cause.PATH_LOST, detail, device.polls.streak_since or context.now)


def _down(device: Monitored, context: Context) -> _Decision:
    """Return the status of a device that has failed for long enough."""
    since = device.polls.streak_since or context.now
    if not is_failing(device):
        detail = f"can't be polled: {device.polls.reason}"
        return _Decision(Status.UNKNOWN, Cause.NOT_MEASURABLE, detail, since)
    parent = silent_parent(device, context)
    if parent is not None:
        return _Decision(Status.UNREACHABLE, Cause.PARENT_DOWN, f"unreachable via {parent.id}", since)
    return _Decision(Status.OFFLINE, Cause.NO_ANSWER, _silence(device, context.now), since)


def _answered(device: Monitored, now: float) -> _Decision:
    since = device.polls.streak_since or now
    return _Decision(Status.ONLINE, Cause.ANSWERED, "answers", since)


def _silence(device: Monitored, now: float) -> str:
    polls = device.polls
    seen = "never seen" if polls.last_seen_at is None else f"last seen {now - polls.last_seen_at:.0f} s ago"
    return f"{polls.failures} polls failed ({polls.reason or 'no reason given'}), {seen}"


def _unchanged(device: Monitored, now: float) -> _Decision:
    """Return the status it has; an announcement that was held back may be due."""
    record = device.record
    detail = _silence(device, now) if record.status is Status.OFFLINE else record.cause.value
    return _Decision(record.status, record.cause, detail, record.since or now)


def in_maintenance(device: Monitored, now: float) -> bool:
    return device.maintenance_until is not None and now < device.maintenance_until
