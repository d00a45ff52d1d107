"""The decision on a device's status: its truth table, and what is announced."""

from typing import Any

import pytest

from fixtures.decision import (
    DOWN_PARENT,
    LOST_SITE,
    NEW,
    NOW,
    OFFLINE,
    ONLINE,
    POLICY,
    SILENT_FLEET,
    UNREACHABLE,
    answering,
    context,
    device,
    failing,
    outcome,
    unpolled,
)
from netvitals.domain.decision.liveness import Context, decide, flap_score
from netvitals.domain.decision.status import (
    Cause,
    Monitored,
    Parent,
    PollingGap,
    Polls,
    Status,
    StatusRecord,
)
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.status import StatusSettings

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
        row("enough failed, timeout not over", device(failing(3, seen=80)), STAYS),
        row("timeout over, too few failed", device(failing(1, seen=125)), STAYS),
        row("failed for long enough", device(failing()), DOWN),
        row("never seen, timeout not over", device(failing(3, None), NEW), STAYS),
        row("never seen, failed for long enough", device(failing(4, None), NEW), DOWN),
        row("enabled again, timeout not over", device(failing(), monitored_since=NOW - 80), STAYS),
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
