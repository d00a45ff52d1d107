"""Outages that are larger than a device: a lost site, a gap in polling."""

import pytest

from fixtures.decision import (
    DOWN_PARENT,
    LOST_SITE,
    NOW,
    OFFLINE,
    ONLINE,
    POLICY,
    answering,
    context,
    device,
    failing,
    outcome,
)
from netvitals.domain.decision.liveness import decide
from netvitals.domain.decision.outages import fleet_after, gap_after, site_after
from netvitals.domain.decision.status import (
    Cause,
    Monitored,
    PollingGap,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.status import StatusSettings


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


@pytest.mark.parametrize(
    "fleet",
    [
        [
            (
                Monitored(id=f"c{n}", polls=failing(), record=ONLINE, site="hq", maintenance_until=NOW + 1),
                POLICY,
            )
            for n in range(20)
        ],
        members((2, failing())),
        members((20, failing(reason="bad_credential"))),
    ],
    ids=["all are put under maintenance", "most are taken out of the inventory", "their credential is wrong"],
)
def test_a_lost_path_is_not_back_before_a_device_answers(fleet: list[tuple[Monitored, Policy]]) -> None:
    lost = SiteState("hq", lost=True, since=NOW - 100)
    assert site_after(lost, fleet, context(site=lost)) is lost
    assert not site_after(lost, [*fleet, *members((3, answering()))], context(site=lost)).lost


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
