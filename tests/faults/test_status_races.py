"""Collectors, replays and status runs at the same time, on a PostgreSQL whose sessions are killed."""

import pytest

from fixtures.status_races import Races

pytestmark = pytest.mark.integration


def test_whoever_meets_whom_and_whoever_is_killed_every_status_and_event_is_right(database_url: str) -> None:
    races = Races(database_url, seed=1)
    races.run(seconds=8)
    assert races.broken == []
    assert min(races.batches, races.runs, races.kills) > 5
    assert len(races.ears.events) > 300
