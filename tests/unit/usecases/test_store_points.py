import msgspec
import pytest

from fixtures.storage import MemoryObservations, MemorySpool, ScriptedSink
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.store.outcome import Obstacle, Refusal, WriteOutcome
from netvitals.usecases.store_points import StoreObservations, StorePoints

LINES = ["m x=1 1", "m x=2 2", "m x=3 3"]
PARTLY = WriteOutcome(
    accepted=1,
    refused=[Refusal(LINES[1], "invalid number")],
    unsent=[LINES[2]],
    obstacle=Obstacle.TIMEOUT,
    detail="InfluxDB did not answer in time",
)
OBSERVATION = Observation(
    device_id="sw1",
    kind="status",
    attempted_at_ns=1,
    reachable=True,
    reason=Reason.OK,
    memory={"cpu": [1, 2]},
)


def test_every_line_is_written_spooled_or_set_aside_with_the_reason() -> None:
    spool, rejects = MemorySpool(), MemorySpool()
    report = StorePoints(ScriptedSink(lambda _: PARTLY), spool, rejects).keep(LINES, deadline=100)
    assert (report.written, report.spooled, report.refused) == (1, 1, 1)
    assert report.detail == "InfluxDB did not answer in time"
    assert spool.kept == [("lines", [LINES[2]], "InfluxDB did not answer in time")]
    assert msgspec.json.decode(rejects.records[0], type=Refusal) == PARTLY.refused[0]


def test_what_can_not_be_set_aside_is_spooled_to_be_refused_again() -> None:
    spool = MemorySpool()
    report = StorePoints(ScriptedSink(lambda _: PARTLY), spool, MemorySpool(away=True)).keep(LINES, 100)
    assert sorted(spool.records) == sorted(LINES[1:])
    assert (report.spooled, report.refused) == (2, 0)


def test_a_line_that_is_kept_nowhere_is_an_error() -> None:
    store = StorePoints(ScriptedSink(lambda _: PARTLY), MemorySpool(away=True), MemorySpool())
    with pytest.raises(Unavailable):
        store.keep(LINES, 100)


def test_the_spool_is_left_some_of_the_time() -> None:
    sink = ScriptedSink(lambda lines: WriteOutcome(accepted=len(lines)))
    StorePoints(sink, MemorySpool(), MemorySpool(), reserve_seconds=5).keep(LINES, 100)
    assert sink.deadlines == [95]


def test_observations_that_the_database_does_not_take_are_spooled_whole() -> None:
    spool = MemorySpool()
    assert StoreObservations(MemoryObservations(away=True), spool).keep([OBSERVATION]) == 1
    assert [msgspec.json.decode(record, type=Observation) for record in spool.records] == [OBSERVATION]


def test_observations_that_are_kept_nowhere_are_an_error() -> None:
    with pytest.raises(Unavailable):
        StoreObservations(MemoryObservations(away=True), MemorySpool(away=True)).keep([OBSERVATION])
