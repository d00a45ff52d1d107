"""The decision on a device's status: its truth table, and what holds for everything in it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvitals.domain.decision.liveness import Context, decide, flap_score, is_hard
from netvitals.domain.decision.outages import fleet_after, gap_after, site_after
from netvitals.domain.decision.status import (
    Cause,
    Change,
    Monitored,
    Parent,
    PollingGap,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.status import StatusSettings

NOW = 1_795_449_600.0
POLICY = Policy()
"""30 s between polls, offline after 90 s and 2 failures, missed after 300 s."""
ONLINE = StatusRecord(Status.ONLINE, Cause.ANSWERED, NOW - 9000, Status.ONLINE)
OFFLINE = StatusRecord(Status.OFFLINE, Cause.NO_ANSWER, NOW - 9000, Status.OFFLINE)
UNREACHABLE = StatusRecord(Status.UNREACHABLE, Cause.PARENT_DOWN, NOW - 9000, Status.ONLINE)
NEW = StatusRecord()


def answering(successes: int = 100, ago: float = 5, since: float = 9000) -> Polls:
    return Polls(NOW - ago, NOW - ago, NOW - since, 0, successes, "ok")


def failing(failures: int = 4, seen: float | None = 125, ago: float = 5, reason: str = "timeout") -> Polls:
    last_seen_at = None if seen is None else NOW - seen
    return Polls(last_seen_at, NOW - ago, NOW - ago - 30 * (failures - 1), failures, 0, reason)


def unpolled(ago: float, failures: int = 0) -> Polls:
    return failing(failures, ago + 120, ago) if failures else answering(ago=ago)


def context(**changes: Any) -> Context:
    usual = Context(
        NOW,
        PollingGap(last_run_at=NOW - 60, newest_attempt_at=NOW),
        SiteState(""),
        SiteState("hq"),
        StatusSettings(),
    )
    return usual._replace(**changes)


def device(polls: Polls, record: StatusRecord = ONLINE, **more: Any) -> Monitored:
    return Monitored(id="sw-1", polls=polls, record=record, site="hq", **more)


def outcome(change: Change | None) -> tuple[str, str] | None:
    return None if change is None else (change.after.status.value, change.after.cause.value)


LOST_SITE = context(site=SiteState("hq", lost=True, since=NOW - 100))
SILENT_FLEET = context(
    fleet=SiteState("", lost=True, since=NOW - 400), gap=PollingGap(NOW - 60, NOW - 400, is_quiet=True)
)
DOWN_PARENT = Parent("core", failing())
SOFT_PARENT = Parent("core", failing(1, seen=35))
UP_PARENT = Parent("core", answering())
RETURNED_PARENT = Parent("core", answering(1, since=5))
PARENT_IN_DOUBT = Parent("core", failing(reason="bad_credential"))
UNPOLLED_PARENT = Parent("core", failing(seen=700, ago=500), not_polled_since=NOW - 200)
PARENT_POLLED_AGAIN = Parent("core", failing(), not_polled_since=NOW - 200)
BEHIND_PARENT = device(failing(), UNREACHABLE, parent=DOWN_PARENT)
BEHIND_RETURNED_PARENT = device(failing(), UNREACHABLE, parent=RETURNED_PARENT)
THREE_GOOD = Policy(online_after_successes=3)


def row(
    name: str,
    given_device: Monitored,
    expected: tuple[str, str] | None,
    policy: Policy = POLICY,
    where: Context | None = None,
) -> Any:
    return pytest.param(given_device, expected, policy, where or context(), id=name)


STAYS = None
UP = ("online", "answered")
DOWN = ("offline", "no_answer")
BEHIND = ("unreachable", "parent_down")
CUT_OFF = ("unknown", "path_lost")
MISSED = ("unknown", "not_polled")
OUR_SILENCE = ("unknown", "collector_silent")
NO_TELLING = ("unknown", "not_measurable")


@pytest.mark.parametrize(
    ("given_device", "expected", "policy", "where"),
    [
        row("never polled", device(Polls(), NEW), STAYS),
        row("seen for the first time", device(answering(1), NEW), UP),
        row("still online", device(answering()), STAYS),
        row("one poll failed", device(failing(1, seen=35)), STAYS),
        row("enough failed, time-out not over", device(failing(3, seen=80)), STAYS),
        row("time-out over, too few failed", device(failing(1, seen=125)), STAYS),
        row("failed for long enough", device(failing()), DOWN),
        row("never seen, time-out not over", device(failing(3, None), NEW), STAYS),
        row("never seen, failed for long enough", device(failing(4, None), NEW), DOWN),
        row("enabled again, time-out not over", device(failing(), monitored_since=NOW - 80), STAYS),
        row("enabled again, failed for long enough", device(failing(), monitored_since=NOW - 91), DOWN),
        row("enabled again, not yet polled", device(unpolled(9000), monitored_since=NOW - 299), STAYS),
        row("enabled again, not polled", device(unpolled(9000), monitored_since=NOW - 301), MISSED),
        row("still offline", device(failing(), OFFLINE), STAYS),
        row("seen again", device(answering(1), OFFLINE), UP),
        row("seen again, not often enough", device(answering(2), OFFLINE), STAYS, THREE_GOOD),
        row("seen again often enough", device(answering(3), OFFLINE), UP, THREE_GOOD),
        row("others polled, this not", device(unpolled(301)), MISSED),
        row("an offline one not polled", device(unpolled(301, 9), OFFLINE), MISSED),
        row("not polled for a short time", device(unpolled(299)), STAYS),
        row("nobody polled", device(unpolled(400)), OUR_SILENCE, where=SILENT_FLEET),
        row("polls stopped while it failed", device(failing(2, 340, 270)), STAYS),
        row("credential missing", device(failing(reason="bad_credential")), NO_TELLING),
        row("address denied", device(failing(reason="bad_address")), NO_TELLING),
        row("path lost", device(failing(1, seen=35)), CUT_OFF, where=LOST_SITE),
        row("path lost, answers nevertheless", device(answering()), STAYS, where=LOST_SITE),
        row("path lost, was down before", device(failing(), OFFLINE), STAYS, where=LOST_SITE),
        row("path lost, behind a parent", BEHIND_PARENT, STAYS, where=LOST_SITE),
        row("path lost, parent is back", BEHIND_RETURNED_PARENT, CUT_OFF, where=LOST_SITE),
        row("parent down", device(failing(), parent=DOWN_PARENT), BEHIND),
        row("parent failing", device(failing(), parent=SOFT_PARENT), BEHIND),
        row("parent up", device(failing(), parent=UP_PARENT), DOWN),
        row("parent can't be polled", device(failing(), parent=PARENT_IN_DOUBT), DOWN),
        row("parent just returned", device(failing(), UNREACHABLE, parent=RETURNED_PARENT), STAYS),
        row("parent long returned", device(failing(), UNREACHABLE, parent=UP_PARENT), DOWN),
        row("parent down, was down before", device(failing(), OFFLINE, parent=DOWN_PARENT), STAYS),
        row("parent no longer polled", device(failing(seen=600), parent=UNPOLLED_PARENT), DOWN),
        row("parent polled again", device(failing(), parent=PARENT_POLLED_AGAIN), BEHIND),
        row(
            "a circle",
            device(failing(), parent=DOWN_PARENT),
            DOWN,
            where=context(circular=frozenset({"sw-1"})),
        ),
        row("unreachable and back", device(answering(1), UNREACHABLE), UP),
    ],
)
def test_the_truth_table(
    given_device: Monitored, expected: tuple[str, str] | None, policy: Policy, where: Context
) -> None:
    assert outcome(decide(given_device, policy, where)) == expected


@pytest.mark.parametrize(
    ("given_device", "announced"),
    [
        (device(failing()), True),
        (device(answering(1), OFFLINE), True),
        (device(unpolled(301)), True),
        (device(failing(), maintenance_until=NOW + 1), False),
        (device(failing(), maintenance_until=NOW - 1), True),
        (device(failing(), parent=DOWN_PARENT), False),
        (device(answering(1), UNREACHABLE), False),
    ],
)
def test_only_what_somebody_has_to_know_is_announced(given_device: Monitored, announced: bool) -> None:  # noqa: FBT001, a column of the table
    change = decide(given_device, POLICY, context())
    assert change is not None
    assert change.is_transition
    assert change.is_announced is announced


def test_what_maintenance_kept_back_is_announced_when_it_ends() -> None:
    during = decide(device(failing(), maintenance_until=NOW + 1), POLICY, context())
    assert during is not None
    later = decide(device(failing(), during.after, maintenance_until=NOW - 1), POLICY, context())
    assert later is not None
    assert (later.is_transition, later.is_announced) == (False, True)
    assert decide(device(failing(), later.after), POLICY, context()) is None


def test_an_outage_within_maintenance_is_never_announced() -> None:
    during = decide(device(failing(), maintenance_until=NOW + 1), POLICY, context())
    assert during is not None
    back = decide(device(answering(1), during.after, maintenance_until=NOW - 1), POLICY, context())
    assert back is not None
    assert (back.is_transition, back.is_announced) == (True, False)


def test_flapping_is_announced_a_few_times_and_once_more_when_it_has_settled() -> None:
    record, announced, now = ONLINE, 0, NOW
    for n in range(20):
        polls = Polls(now - 125, now - 5, now - 95, 4, 0) if n % 2 == 0 else Polls(now, now, now, 0, 1)
        change = decide(device(polls, record), POLICY, context(now=now, gap=PollingGap(now, now)))
        assert change is not None
        record, announced, now = change.after, announced + change.is_announced, now + 120
    assert record.status is Status.ONLINE
    assert announced == 4
    polls = Polls(now, now, now - 120, 0, 5)
    while record.announced is not record.status:
        change = decide(device(polls, record), POLICY, context(now=now, gap=PollingGap(now, now)))
        record = change.after if change else record
        polls, now = Polls(now, now, now - 120, 0, 5), now + 60
        assert now < NOW + 20 * 120 + 4 * 900
    assert decide(device(polls, record), POLICY, context(now=now, gap=PollingGap(now, now))) is None


def test_the_flap_score_halves_with_its_half_life() -> None:
    record = StatusRecord(flap_score=4.0, flap_at=NOW)
    assert flap_score(record, NOW + 900, StatusSettings()) == pytest.approx(2.0)
    assert flap_score(record, NOW - 900, StatusSettings()) == 4.0


def test_a_device_polled_seldom_is_not_missed_between_two_polls() -> None:
    seldom = Policy(status_interval_seconds=900, offline_timeout_seconds=2700)
    assert decide(device(unpolled(1000)), seldom, context()) is None


def test_a_restored_database_takes_no_device_offline_before_it_was_tried_for_its_whole_time_out() -> None:
    day = 86_400.0
    gap = PollingGap(NOW - 60, NOW - 1, resumed_at=NOW - 60)
    old_failure = Polls(NOW - day - 60, NOW - 5, NOW - day, 2, 0)
    assert decide(device(old_failure), POLICY, context(gap=gap)) is None
    later = context(gap=PollingGap(NOW - 60, NOW - 1, resumed_at=NOW - 95))
    assert outcome(decide(device(old_failure), POLICY, later)) == ("offline", "no_answer")


def test_devices_are_unknown_after_silence_only_for_as_long_as_it_lasts_and_nobody_hears_of_it() -> None:
    unknown = decide(device(unpolled(400)), POLICY, SILENT_FLEET)
    assert unknown is not None
    assert not unknown.is_announced
    back = decide(device(answering(401, ago=1), unknown.after), POLICY, context())
    assert back is not None
    assert (outcome(back), back.is_announced) == (("online", "answered"), False)


def test_a_device_that_died_in_a_silence_is_offline_a_whole_time_out_after_it() -> None:
    unknown = StatusRecord(Status.UNKNOWN, Cause.COLLECTOR_SILENT, NOW - 60, Status.ONLINE)
    polls = Polls(NOW - 1000, NOW - 5, NOW - 35, 2, 0)
    assert decide(device(polls, unknown), POLICY, context()) is None


# --- sites and the fleet


def members(*groups: tuple[int, Polls]) -> list[tuple[Monitored, Policy]]:
    polls = [each for count, each in groups for _ in range(count)]
    return [(Monitored(id=f"d{n}", polls=p, record=ONLINE, site="hq"), POLICY) for n, p in enumerate(polls)]


@pytest.mark.parametrize(
    ("name", "groups", "lost"),
    [
        ("all fail", [(10, failing())], True),
        ("nearly all fail", [(9, failing()), (1, answering())], True),
        ("some still soft", [(1, failing()), (9, failing(1, seen=35))], True),
        ("most fail", [(8, failing()), (2, answering())], False),
        ("too few", [(2, failing())], False),
        ("none for long enough", [(10, failing(1, seen=35))], False),
        ("the others were not polled since", [(3, failing()), (7, answering(ago=200))], True),
        ("not measurable", [(10, failing(reason="bad_credential"))], False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_site_is_lost_when_nearly_all_that_was_up_fails_together(
    name: str,  # noqa: ARG001, the row's id
    groups: list[tuple[int, Polls]],
    lost: bool,  # noqa: FBT001, a column of the table
) -> None:
    assert site_after(SiteState("hq"), members(*groups), context()).lost is lost


def test_devices_that_were_down_before_have_no_vote() -> None:
    dead = [(Monitored(id=f"x{n}", polls=failing(), record=OFFLINE, site="hq"), POLICY) for n in range(9)]
    site = site_after(SiteState("hq"), [*dead, *members((1, failing()), (2, answering()))], context())
    assert not site.lost


def test_children_of_a_dead_parent_are_no_lost_path() -> None:
    children = [
        (Monitored(id=f"c{n}", polls=failing(), record=ONLINE, site="hq", parent=DOWN_PARENT), POLICY)
        for n in range(20)
    ]
    assert not site_after(SiteState("hq"), [*children, *members((1, failing()))], context()).lost


def test_a_site_under_maintenance_is_no_lost_path() -> None:
    muted = [
        (
            Monitored(id=f"c{n}", polls=failing(), record=ONLINE, site="hq", maintenance_until=NOW + 1),
            POLICY,
        )
        for n in range(20)
    ]
    assert not site_after(SiteState("hq"), muted, context()).lost


def test_a_lost_path_recovers_when_devices_answer_and_gives_the_others_their_whole_time_out() -> None:
    lost = SiteState("hq", lost=True, since=NOW - 100)
    fleet = members((8, failing()), (2, answering(1)))
    site = site_after(lost, fleet, context(site=lost))
    assert site == SiteState("hq", lost=False, since=NOW)
    behind = StatusRecord(Status.UNKNOWN, Cause.PATH_LOST, NOW - 100, Status.ONLINE)
    assert decide(device(failing(), behind), POLICY, context(site=site)) is None
    long_back = context(site=SiteState("hq", since=NOW - 100))
    assert outcome(decide(device(failing(), behind), POLICY, long_back)) == ("offline", "no_answer")


def test_a_lost_path_marks_devices_offline_where_the_operator_wants_it_without_events_of_their_own() -> None:
    wanted = LOST_SITE._replace(settings=StatusSettings(site_marks_offline=True))
    change = decide(device(failing()), POLICY, wanted)
    assert change is not None
    assert (outcome(change), change.is_announced) == (("offline", "path_lost"), False)
    alone = decide(device(failing(), change.after), POLICY, context())
    assert alone is not None
    assert (outcome(alone), alone.is_announced) == (("offline", "no_answer"), True)


def test_a_quiet_fleet_is_silent_after_its_patience_and_back_with_the_first_poll() -> None:
    settings = StatusSettings()
    gap, fleet = PollingGap(NOW - 60, NOW - 61, shortest_timeout_seconds=300), SiteState("")
    lost_at = None
    for minute in range(10):
        now = NOW + 60 * minute
        gap = gap_after(gap, now, NOW - 61, settings)
        fleet = fleet_after(fleet, gap, now, settings)
        lost_at = lost_at or (now if fleet.lost else None)
    assert lost_at == NOW + 240
    gap = gap_after(gap, NOW + 600, NOW + 599, settings)
    assert (gap.resumed_at, gap.is_quiet) == (NOW + 600, False)
    assert fleet_after(fleet, gap, NOW + 600, settings) == SiteState("", lost=False, since=NOW + 600)


def test_a_gap_in_polling_that_began_before_the_first_run_ends_with_the_next_poll() -> None:
    gap = gap_after(PollingGap(), NOW, NOW - 500, StatusSettings())
    assert gap.is_quiet
    assert gap_after(gap, NOW + 60, NOW + 50, StatusSettings()).resumed_at == NOW + 60


@pytest.mark.parametrize("jump", [-86_400.0, -600.0, 600.0, 86_400.0])
def test_a_clock_that_jumps_between_two_runs_is_an_interruption(jump: float) -> None:
    gap = gap_after(PollingGap(NOW, NOW - 1), NOW + 60 + jump, NOW - 1, StatusSettings())
    assert gap.resumed_at == NOW + 60 + jump


# --- what holds for everything

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
