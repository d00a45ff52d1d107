"""Samples in a real `device_samples`."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.samples import PostgresSampleStore
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.domain.polling.changes import Sample, Samples
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.domain.ports import SampleRecord
from netvitals.domain.settings.secret import Secret

pytestmark = pytest.mark.integration

START = 1_795_449_600


def samples(due_at: int, value: float = 5) -> Samples:
    series = {"net_bytes_in": {"Gi1/0/1": Sample(value, due_at * 10**9 + 1, 1, held=False)}}
    return Samples(due_at=due_at, full_at=due_at, address="10.0.0.1", series=series)


def record(due_at: int, read_at: int | None, device_id: str = "a") -> SampleRecord:
    return SampleRecord(device_id, read_at, samples(due_at))


def read(database: Database, device_ids: list[str]) -> dict[str, Samples | None]:
    """Return the samples of the devices that have a state, as a collector reads them."""
    state = PostgresObservationStore(database)
    state.record(
        [
            Observation(
                device_id=each,
                kind="metrics",
                attempted_at_ns=START * 10**9,
                reachable=True,
                reason=Reason.OK,
            )
            for each in device_ids
        ]
    )
    return {each: known.samples for each, known in state.known(device_ids, samples=True).items()}


@pytest.fixture
def store(database: Database) -> PostgresSampleStore:
    return PostgresSampleStore(database)


def test_samples_come_back_as_they_were(store: PostgresSampleStore, database: Database) -> None:
    assert store.record([record(START, None), record(START, None, "b")]) == {"a", "b"}
    assert read(database, ["a", "b", "c"]) == {"a": samples(START), "b": samples(START), "c": None}


def test_samples_follow_those_that_were_read(store: PostgresSampleStore, database: Database) -> None:
    store.record([record(START, None)])
    assert store.record([record(START + 300, START)]) == {"a"}
    assert read(database, ["a"]) == {"a": samples(START + 300)}


def test_a_poll_that_was_overtaken_replaces_nothing(store: PostgresSampleStore, database: Database) -> None:
    store.record([record(START, None)])
    store.record([record(START + 600, START)])
    assert store.record([record(START + 300, START)]) == frozenset()
    assert read(database, ["a"]) == {"a": samples(START + 600)}


def test_a_poll_that_could_not_read_replaces_nothing(store: PostgresSampleStore, database: Database) -> None:
    store.record([record(START, None)])
    assert store.record([record(START + 300, None), record(START, None, "b")]) == {"b"}
    assert read(database, ["a"]) == {"a": samples(START)}


def test_samples_too_many_to_be_remembered_are_not_recorded_and_cost_no_other_device(
    store: PostgresSampleStore,
) -> None:
    many = {f"{i * i * 7919:x}" * 9: Sample(i * i, START + i * i, i, held=False) for i in range(40_000)}
    endless = SampleRecord(
        "b", None, Samples(due_at=START, full_at=START, address="", series={"net_bytes_in": many})
    )
    assert store.record([endless, record(START, None)]) == {"a"}


def test_what_somebody_else_wrote_there_is_no_sample(database: Database) -> None:
    insert = "INSERT INTO device_samples VALUES ('a', 1, 1, %s)"
    database.run(lambda cursor: cursor.execute(insert, [b"nonsense"]))
    assert read(database, ["a"]) == {"a": None}


def test_of_two_polls_compared_with_the_same_samples_one_is_recorded(
    store: PostgresSampleStore, database_url: str
) -> None:
    store.record([record(START, None, f"d{number}") for number in range(50)])
    other = PostgresSampleStore(Database(lambda: Secret(database_url)))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.record, [record(START + 300, START, f"d{n}") for n in range(50)])
        second = pool.submit(other.record, [record(START + 600, START, f"d{n}") for n in reversed(range(50))])
        assert len(first.result()) + len(second.result()) == 50
