from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.storage import MemoryObservations, MemorySpool, ScriptedSink, spooled
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.observation import Observation, Reason
from netvitals.store.outcome import Obstacle, Refusal, WriteOutcome
from netvitals.store.ports import SpoolMessage
from netvitals.usecases.replay import (
    LONGEST_BACKOFF_SECONDS,
    SHORTEST_JITTER,
    Replay,
    ReplayReport,
    backoff_seconds,
)

OBSERVATION = Observation(device_id="sw1", kind="status", attempted_at_ns=1, reachable=True, reason=Reason.OK)


def taken(lines: Sequence[str]) -> WriteOutcome:
    return WriteOutcome(accepted=len(lines))


def not_taken(lines: Sequence[str]) -> WriteOutcome:
    return WriteOutcome(unsent=list(lines), obstacle=Obstacle.SERVER, detail="InfluxDB is in trouble (503)")


class Bench:
    def __init__(self) -> None:
        self.sink = ScriptedSink(taken)
        self.spool, self.rejects, self.observations = MemorySpool(), MemorySpool(), MemoryObservations()
        self.now = 1000.0
        self.replay = Replay(
            self.sink, self.observations, self.spool, self.rejects, self.spool, clock=lambda: self.now
        )

    def run(self, *messages: SpoolMessage) -> ReplayReport:
        return self.replay.run(messages, self.now + 60)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_lines_of_a_batch_are_written_at_once_oldest_first(bench: Bench) -> None:
    report = bench.run(
        spooled("new", "lines", ["m x=3 3"], sent_at=20),
        spooled("old", "lines", ["m x=1 1", "m x=2 2"], sent_at=10),
    )
    assert bench.sink.writes == [["m x=1 1", "m x=2 2", "m x=3 3"]]
    assert (report.points_replayed, report.failed_ids) == (3, [])


def test_a_message_delivered_twice_is_written_once(bench: Bench) -> None:
    bench.run(spooled("a", "lines", ["m x=1 1"]), spooled("b", "lines", ["m x=1 1"]))
    assert bench.sink.writes == [["m x=1 1"]]


def test_what_is_not_taken_stays_and_is_hidden(bench: Bench) -> None:
    bench.sink.outcome = not_taken
    report = bench.run(spooled("a", "lines", ["m x=1 1"]), spooled("b", "lines", ["m x=2 2"]))
    assert report.failed_ids == ["a", "b"]
    assert report.detail == "InfluxDB is in trouble (503)"
    assert set(bench.spool.postponed) == {"a", "b"}


def test_after_an_obstacle_nothing_is_tried_for_a_while_that_grows(bench: Bench) -> None:
    bench.sink.outcome = not_taken
    tried_at = []
    for second in range(600):
        bench.now = 1000.0 + second
        before = len(bench.sink.writes)
        assert bench.run(spooled("a", "lines", ["m x=1 1"])).failed_ids == ["a"]
        tried_at += [second] * (len(bench.sink.writes) - before)
    assert len(tried_at) < 30
    assert tried_at[-1] - tried_at[-2] >= 30


def test_a_success_ends_the_caution(bench: Bench) -> None:
    bench.sink.outcome = not_taken
    bench.run(spooled("a", "lines", ["m x=1 1"]))
    bench.sink.outcome = taken
    bench.now += 2
    for _ in range(3):
        assert bench.run(spooled("a", "lines", ["m x=1 1"])).failed_ids == []


def test_of_a_batch_that_is_partly_taken_the_rest_becomes_a_batch_of_its_own(bench: Bench) -> None:
    bench.sink.outcome = lambda lines: WriteOutcome(
        accepted=1, unsent=list(lines[1:]), obstacle=Obstacle.TIMEOUT, detail="late"
    )
    report = bench.run(spooled("a", "lines", ["m x=1 1", "m x=2 2"]), spooled("b", "lines", ["m x=3 3"]))
    assert report.failed_ids == ["b"]
    assert bench.spool.kept == [("lines", ["m x=2 2"], "timeout")]


def test_a_partly_taken_batch_stays_whole_where_its_rest_can_not_be_spooled(bench: Bench) -> None:
    bench.sink.outcome = lambda lines: WriteOutcome(
        accepted=1, unsent=list(lines[1:]), obstacle=Obstacle.TIMEOUT
    )
    bench.spool.away = True
    assert bench.run(spooled("a", "lines", ["m x=1 1", "m x=2 2"])).failed_ids == ["a"]


def test_refused_lines_are_set_aside_with_the_reason_and_leave_the_spool(bench: Bench) -> None:
    refusal = Refusal("m x=1z 1", "invalid number")
    bench.sink.outcome = lambda lines: WriteOutcome(accepted=len(lines) - 1, refused=[refusal])
    report = bench.run(spooled("a", "lines", ["m x=1z 1", "m x=2 2"]))
    assert (report.points_replayed, report.points_refused, report.failed_ids) == (1, 1, [])
    assert msgspec.json.decode(bench.rejects.records[0], type=Refusal) == refusal


def test_refused_lines_stay_where_they_can_not_be_set_aside(bench: Bench) -> None:
    bench.sink.outcome = lambda lines: WriteOutcome(refused=[Refusal(line, "bad") for line in lines])
    bench.rejects.away = True
    report = bench.run(spooled("a", "lines", ["m x=1z 1"]))
    assert (report.points_refused, report.failed_ids) == (0, ["a"])


@pytest.mark.parametrize("body", ["", "{}", '{"version": 2}', "x" * 300_000])
def test_a_poisoned_batch_is_set_aside_with_the_reason_and_stops_nobody(bench: Bench, body: str) -> None:
    poison = SpoolMessage(id="poison", body=body, receipt="r")
    report = bench.run(poison, spooled("a", "lines", ["m x=1 1"]))
    assert (report.messages_unreadable, report.points_replayed, report.failed_ids) == (1, 1, [])
    set_aside = msgspec.json.decode(bench.rejects.records[0], type=Refusal)
    assert body.startswith(set_aside.line)
    assert "no version 1 spool batch" in set_aside.reason


def test_observations_are_recorded_and_stay_while_the_database_is_away(bench: Bench) -> None:
    message = spooled("a", "observations", [msgspec.json.encode(OBSERVATION).decode()])
    bench.observations.away = True
    assert bench.run(message).failed_ids == ["a"]
    bench.observations.away = False
    report = bench.run(message)
    assert (report.observations_replayed, report.failed_ids) == (1, [])
    assert bench.observations.recorded == [OBSERVATION]


def test_a_database_away_does_not_keep_points_waiting(bench: Bench) -> None:
    bench.observations.away = True
    observation = spooled("a", "observations", [msgspec.json.encode(OBSERVATION).decode()])
    assert bench.run(observation, spooled("b", "lines", ["m x=1 1"])).failed_ids == ["a"]


@pytest.mark.parametrize("content", ["observations", "refusals"])
def test_a_record_that_is_no_observation_poisons_its_batch_only(bench: Bench, content: str) -> None:
    good = msgspec.json.encode(OBSERVATION).decode()
    poison = spooled("a", content, ['{"line": "x", "reason": "y"}'])  # type: ignore[arg-type]  # of the parameters
    report = bench.run(poison, spooled("b", "observations", [good]))
    assert (report.messages_unreadable, report.observations_replayed, report.failed_ids) == (1, 1, [])


@given(st.integers(1, 1000))
def test_a_message_stays_hidden_longer_each_time_up_to_a_bound(count: int) -> None:
    step = min(30 * count, LONGEST_BACKOFF_SECONDS)
    assert int(step * SHORTEST_JITTER) <= backoff_seconds(count) <= step


def nested(depth: int) -> str:
    """An observation that is too deep to be read, or to be written."""
    memory = "[" * depth + "]" * depth
    return msgspec.json.encode(OBSERVATION).decode().replace('"memory":{}', f'"memory":{{"a":{memory}}}')


@pytest.mark.parametrize(
    "bad",
    [
        nested(100_000),
        "[" * 100_000,
        "",
        "null",
        '{"device_id":"\\ud800"}',
        msgspec.json.encode(OBSERVATION)
        .decode()
        .replace('"attempted_at_ns":1', f'"attempted_at_ns":{10**30}'),
        msgspec.json.encode(OBSERVATION).decode().replace('"attempted_at_ns":1', '"attempted_at_ns":-1'),
    ],
    ids=["nested", "only nested", "empty", "null", "surrogate", "far future", "before time"],
)
def test_a_record_that_can_not_be_read_is_set_aside_and_all_others_are_recorded(
    bench: Bench, bad: str
) -> None:
    good = msgspec.json.encode(OBSERVATION).decode()
    report = bench.run(spooled("a", "observations", [good, bad, good]), spooled("b", "observations", [good]))
    assert (report.messages_unreadable, report.observations_replayed, report.failed_ids) == (1, 3, [])
    (record,) = bench.rejects.records
    assert msgspec.json.decode(record, type=Refusal).line == bad[:65536]


def test_a_spool_that_is_away_is_waited_for_once_however_many_messages_there_are(bench: Bench) -> None:
    class Counting(MemorySpool):
        asked = 0

        def put(self, *_: object) -> None:
            self.asked += 1
            raise Unavailable("the spool does not answer")

    spool, rejects = Counting(), Counting()
    bench.sink.outcome = lambda lines: WriteOutcome(
        accepted=1, unsent=[line for line in lines if "rest" in line], obstacle=Obstacle.TIMEOUT
    )
    replay = Replay(bench.sink, bench.observations, spool, rejects, bench.spool, clock=lambda: bench.now)
    poison = [SpoolMessage(id=f"poison {n}", body="", receipt="") for n in range(5)]
    partly = [spooled(f"partly {n}", "lines", [f"m x={n} 1", f"rest x={n} 1"]) for n in range(5)]
    report = replay.run([*poison, *partly], bench.now + 60)
    assert sorted(report.failed_ids) == sorted(message.id for message in [*poison, *partly])
    assert (spool.asked, rejects.asked) == (1, 1)
