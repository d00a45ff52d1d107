"""What holds for every decision on a device's status."""

from hypothesis import given
from hypothesis import strategies as st

from fixtures.decision import NOW, POLICY
from netvitals.domain.decision.liveness import Context, decide, is_hard
from netvitals.domain.decision.status import (
    Cause,
    Monitored,
    Parent,
    PollingGap,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.status import StatusSettings

moments = st.none() | st.floats(NOW - 1e6, NOW + 1e4)
polls_of = st.builds(
    lambda seen, tried, since, count, good, reason: Polls(
        seen, tried, since, 0 if good else count, count if good else 0, reason
    ),
    moments,
    moments,
    moments,
    st.integers(0, 50),
    st.booleans(),
    st.sampled_from([reason.value for reason in Reason]),
)
records = st.builds(
    StatusRecord,
    st.sampled_from(Status),
    st.sampled_from(Cause),
    moments,
    st.sampled_from(Status),
    st.floats(0, 20),
    st.floats(NOW - 1e5, NOW),
    st.booleans(),
)
parents = st.none() | st.builds(Parent, st.just("core"), polls_of, moments)
devices = st.builds(
    Monitored,
    id=st.just("sw-1"),
    polls=polls_of,
    record=records,
    site=st.just("hq"),
    maintenance_until=moments,
    monitored_since=moments,
    parent=parents,
)
surroundings_of = st.builds(
    Context,
    st.just(NOW),
    st.builds(
        PollingGap,
        st.just(NOW - 60),
        moments,
        st.booleans(),
        st.floats(0, NOW),
        st.none() | st.just(300.0),
        st.none() | st.just(150.0),
    ),
    st.builds(SiteState, st.just(""), st.booleans(), st.floats(0, NOW)),
    st.builds(SiteState, st.just("hq"), st.booleans(), st.floats(0, NOW)),
    st.builds(StatusSettings, site_marks_offline=st.booleans()),
    st.sampled_from([frozenset[str](), frozenset({"sw-1"})]),
)


@given(devices, surroundings_of)
def test_a_decision_once_taken_is_not_taken_again(some: Monitored, where: Context) -> None:
    change = decide(some, POLICY, where)
    if change is not None:
        again = Monitored(
            **{name: getattr(some, name) for name in some.__struct_fields__} | {"record": change.after}
        )
        assert decide(again, POLICY, where) is None


@given(devices, surroundings_of)
def test_no_device_goes_offline_that_was_not_tried_and_failed(some: Monitored, where: Context) -> None:
    change = decide(some, POLICY, where)
    if change is not None and change.is_transition and change.after.status is Status.OFFLINE:
        assert some.polls.last_attempt_at is not None
        assert some.polls.failures >= 1
        if change.after.cause is Cause.NO_ANSWER:
            assert some.polls.failures >= POLICY.offline_after_failures
            assert NOW - (some.polls.last_seen_at or 0) >= POLICY.offline_timeout_seconds


@given(devices, surroundings_of)
def test_no_device_goes_online_that_did_not_answer(some: Monitored, where: Context) -> None:
    change = decide(some, POLICY, where)
    if change is not None and change.is_transition and change.after.status is Status.ONLINE:
        assert some.polls.failures == 0
        assert some.polls.successes >= POLICY.online_after_successes


@given(devices, surroundings_of, st.floats(0, 1e9))
def test_time_alone_takes_no_device_offline(some: Monitored, where: Context, passed: float) -> None:
    """A late run, a paused schedule, a clock that jumps: no new poll, so no new outage beyond its grace."""
    tried_at = some.polls.last_attempt_at or 0.0
    soon = where._replace(now=max(tried_at + POLICY.status_interval_seconds, NOW))
    late = soon._replace(now=soon.now + passed)
    if is_hard(some, POLICY, late):
        assert is_hard(some, POLICY, soon)


@given(devices, surroundings_of)
def test_nobody_hears_of_what_a_parent_a_site_or_the_fleet_explains(some: Monitored, where: Context) -> None:
    change = decide(some, POLICY, where)
    if change is not None and change.after.cause in {
        Cause.PARENT_DOWN,
        Cause.PATH_LOST,
        Cause.COLLECTOR_SILENT,
    }:
        assert not change.is_announced


@given(devices, surroundings_of)
def test_what_was_announced_is_what_is_remembered(some: Monitored, where: Context) -> None:
    change = decide(some, POLICY, where)
    if change is not None:
        told = change.after.status if change.is_announced else some.record.announced
        assert change.after.announced is told
