"""The status in a few thousand histories of small fleets; `make fuzz` plays others, and more of them."""

import pytest

from fixtures.status_model import Judge, history

HISTORIES = 250


@pytest.mark.parametrize("first", [number * HISTORIES for number in range(12)])
def test_no_history_of_a_fleet_breaks_what_the_guide_promises(first: int) -> None:
    judges = {seed: history(seed) for seed in range(first, first + HISTORIES)}
    assert {seed: judge.broken for seed, judge in judges.items() if judge.broken} == {}
    assert sum(judge.decisions for judge in judges.values()) > 100 * HISTORIES


def test_histories_have_every_kind_of_change_in_them() -> None:
    """A world in which nothing happens would keep every promise."""
    judges = [history(seed) for seed in range(150)]
    became = {cause for judge in judges for cause in causes(judge)}
    assert became >= {
        "answered",
        "no_answer",
        "parent_down",
        "path_lost",
        "not_polled",
        "not_measurable",
        "collector_silent",
    }


def causes(judge: Judge) -> set[str]:
    return {cause for _, _, _, cause in judge.world.store.history}
