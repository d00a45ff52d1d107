"""The state of devices in memory and in PostgreSQL: the same observations, in any order, give the same."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.status_store import MemoryStateStore
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.domain.decision.status import Polls
from netvitals.domain.polling.observation import Observation, Reason

pytestmark = pytest.mark.integration

START = 1_700_000_040
DEVICES = 300
OBSERVATIONS = 24


def polled(chance: random.Random, device_id: str) -> Observation:
    """A poll of either kind, for one of few due times, of whatever outcome."""
    due_at = START + 30 * chance.randrange(12)
    reason = Reason.OK if chance.random() < 0.5 else chance.choice([Reason.TIMEOUT, Reason.BAD_CREDENTIAL])
    return Observation(
        device_id=device_id,
        kind=chance.choice(["status", "metrics"]),
        attempted_at_ns=int((due_at + chance.choice([0, 0.5, chance.random() * 60])) * 1e9),
        due_at=chance.choice([0, due_at, due_at, due_at, due_at + 10_000]),
        reachable=reason is Reason.OK,
        reason=reason,
    )


def deliveries(chance: random.Random) -> list[list[Observation]]:
    """What is observed of all devices: late, repeated, in batches of any size."""
    made = [polled(chance, f"d{n}") for n in range(DEVICES) for _ in range(OBSERVATIONS)]
    made.sort(key=lambda each: each.attempted_at_ns + chance.randrange(120) * 10**9)
    made += chance.sample(made, len(made) // 5)
    batches = []
    while made:
        size = chance.randrange(1, 400)
        batches.append(made[:size])
        made = made[size:]
    return batches


def state_of(database: Database) -> dict[str, tuple[Polls, int | None, int | None]]:
    query = (
        "SELECT device_id, extract(epoch FROM last_seen_at)::float8, "
        " extract(epoch FROM last_attempt_at)::float8,"
        " extract(epoch FROM streak_since)::float8, failures, successes, reason,"
        " extract(epoch FROM status_due_at)::int, extract(epoch FROM metrics_due_at)::int FROM device_state"
    )
    rows: list[tuple[Any, ...]] = database.run(lambda cursor: cursor.execute(query.encode()).fetchall())
    return {row[0]: (Polls(*row[1:7]), row[7], row[8]) for row in rows}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_memory_and_postgresql_end_in_the_same_state(
    seed: int, database_url: str, open_database: Callable[[str], Database]
) -> None:
    database, memory = open_database(database_url), MemoryStateStore()
    real = PostgresObservationStore(database)
    for batch in deliveries(random.Random(seed)):  # noqa: S311, repeatable
        real.record(batch)
        memory.record(batch)
    expected = {
        device_id: (polls, *(memory.due.get((device_id, kind)) or None for kind in ("status", "metrics")))
        for device_id, polls in memory.polls.items()
    }
    assert state_of(database) == expected
