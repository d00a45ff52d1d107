"""The template's own alarms, on a CloudWatch as documented, ring for what they are for and no more."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import pytest

from fixtures.cloudwatch import CloudWatch, Series, calculated
from fixtures.queue_metrics import IDLE_SECONDS, QueueMetrics, Seen
from fixtures.storage import MemoryObservations, MemorySpool, ScriptedSink
from fixtures.virtual_sqs import VirtualSpool
from local.aws.cloudformation import GIVEN, Deployed, Resource
from netvitals.domain.polling.schedule import period_seconds
from netvitals.observability import NAMESPACE
from netvitals.store.outcome import Obstacle, WriteOutcome
from netvitals.usecases.replay import Replay

HOUR = 60
"""Minutes."""
POLLED = ("StatusQueue", "MetricsQueue", "SpoolQueue")
SLOWEST = {
    "StatusSchedule": "rate(14 minutes)",
    "MetricsSchedule": "rate(14 minutes)",
    "StatusUpdateSchedule": "rate(14 minutes)",
}
DEFAULTS = dict.fromkeys(SLOWEST, "rate(1 minute)")
UNSAID = [{"spare_periods": 2, "late_seconds": 150}, {"spare_periods": 12, "late_seconds": 0}]
"""What AWS does not say of its evaluations: all of it is tried."""


class Stack:
    """A deployment as CloudWatch sees it: what its functions and queues say, minute by minute."""

    def __init__(self, parameters: Mapping[str, str] = DEFAULTS, **unsaid: int) -> None:
        deployed = Deployed(GIVEN | dict(parameters))
        self.cloud = CloudWatch(deployed.all("CloudWatch::Alarm"), **unsaid)
        queues = [queue.name for queue in deployed.all("SQS::Queue")]
        self.queues = {name: QueueMetrics(self.cloud, name) for name in queues}
        self.messages: dict[str, list[Seen]] = defaultdict(list)
        self.deaf: set[str] = set()
        """Queues whose metrics are missing."""
        self.failing: set[str] = set()
        """Of `status`, `metrics` (ticks of the fan-out), `judging` and `polling`."""
        self.announcement_wait = 0.0
        self._periods = {name: period_seconds(rate) // 60 for name, rate in parameters.items()}
        self.minutes(30)
        self.cloud.rung.clear()  # a stack that has just begun is silent

    @property
    def rung(self) -> set[str]:
        return {name for name, times in self.cloud.rung.items() if times}

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.minute()

    def minute(self) -> None:
        number = self.cloud.now // 60
        if number % self._periods["StatusSchedule"] == 0:
            self._says("fanout", "status", "DevicesRead", 10, kind="status")
        if number % self._periods["MetricsSchedule"] == 0:
            self._says("fanout", "metrics", "DevicesRead", 10, kind="metrics")
        if number % self._periods["StatusUpdateSchedule"] == 0:
            self._says("status", "judging", "DevicesJudged", 10)
            self._says("status", "", "AnnouncementWaitSeconds", self.announcement_wait)
            self.announcement_wait += (
                60 * self._periods["StatusUpdateSchedule"] if self.announcement_wait else 0
            )
        self._says("status-collector", "polling", "DevicesPolled", 20)
        for name in POLLED:
            self.queues[name].used()
        for name in set(self.queues) - self.deaf:
            self.queues[name].publish(self.messages[name])
        self.cloud.now += 60
        self.cloud.evaluate()

    def _says(self, service: str, part: str, metric: str, value: float, **dimensions: str) -> None:
        """Count as `observability.emit` does: no zeros."""
        fails = part in self.failing
        lambda_name = {"fanout": "FanoutFunction", "status": "StatusFunction"}.get(
            service, "StatusCollectorFunction"
        )
        if part:
            self.cloud.put("AWS/Lambda", "Invocations", {"FunctionName": lambda_name}, 1)
            self.cloud.put("AWS/Lambda", "Errors", {"FunctionName": lambda_name}, float(fails))
        if value and not fails:
            names = {"service": f"netvitals-local-{service}", **dimensions}
            self.cloud.put(NAMESPACE, metric, names, value)


@pytest.fixture(params=UNSAID, ids=lambda unsaid: "-".join(map(str, unsaid.values())))
def unsaid(request: pytest.FixtureRequest) -> dict[str, int]:
    return dict(request.param)


# --- The stand-in is as documented


@pytest.mark.parametrize(
    ("points", "wanted", "breaching", "not_breaching"),
    [
        ("0-X-X", 3, "OK", "OK"),
        ("0----", 3, "OK", "OK"),
        ("-----", 3, "ALARM", "OK"),
        ("0XX-X", 3, "ALARM", "ALARM"),
        ("----X", 3, "ALARM", "OK"),
        ("X----", 3, "ALARM", "OK"),
        ("0-X-X", 2, "ALARM", "ALARM"),
        ("00X0X", 2, "ALARM", "ALARM"),
        ("0-X--", 2, "ALARM", "OK"),
        ("----0", 2, "ALARM", "OK"),
        ("----X", 2, "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_in_the_tables_of_the_guide(
    points: str, wanted: int, breaching: str, not_breaching: str
) -> None:
    for treated, expected in (("breaching", breaching), ("notBreaching", not_breaching)):
        alarm = {
            "Namespace": "n",
            "MetricName": "m",
            "Dimensions": [],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": wanted,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": treated,
        }
        cloud = CloudWatch([Resource("Alarm", alarm)], spare_periods=2, late_seconds=0)
        for point in points:
            if point != "-":
                cloud.put("n", "m", {}, float(point == "X"))
            cloud.now += 60
        cloud.evaluate()
        assert cloud.states == {"Alarm": expected}


def test_metric_math_takes_what_is_missing_for_nothing() -> None:
    times = range(0, 300, 60)
    one: Series = {0: 1, 120: 3}
    other: Series = {60: 10}
    assert calculated("one + other", {"one": one, "other": other}, times) == {0: 1, 60: 10, 120: 3}
    assert calculated("SUM(METRICS())", {"one": one, "other": other}, times) == {0: 1, 60: 10, 120: 3}
    assert calculated("FILL(one, REPEAT)", {"one": one}, times) == {0: 1, 60: 1, 120: 3, 180: 3, 240: 3}
    assert calculated("DIFF(FILL(other, 0))", {"other": other}, times) == {60: 10, 120: -10, 180: 0, 240: 0}
    assert calculated("FILL(none, 0)", {"none": {}}, times) == {}


# --- Silence


@pytest.mark.parametrize("parameters", [DEFAULTS, SLOWEST], ids=["each minute", "each 14 minutes"])
def test_nothing_rings_while_all_is_well(parameters: Mapping[str, str], unsaid: dict[str, int]) -> None:
    stack = Stack(parameters, **unsaid)
    stack.minutes(2 * HOUR)
    assert stack.rung == set()
    assert set(stack.cloud.states.values()) == {"OK"}


@pytest.mark.parametrize("parameters", [DEFAULTS, SLOWEST], ids=["each minute", "each 14 minutes"])
@pytest.mark.parametrize(
    ("part", "alarm"),
    [
        ("status", "StatusFanoutSilent"),
        ("metrics", "MetricsFanoutSilent"),
        ("judging", "StatusSilent"),
        ("polling", "NothingPolled"),
    ],
)
def test_what_always_fails_rings_within_the_hour_whatever_its_schedule(
    part: str, alarm: str, parameters: Mapping[str, str], unsaid: dict[str, int]
) -> None:
    stack = Stack(parameters, **unsaid)
    stack.failing.add(part)
    stack.minutes(HOUR)
    silent = {name for name in stack.rung if name.endswith("Silent") or name == "NothingPolled"}
    assert silent == {alarm}
    stack.failing.clear()
    stack.minutes(30)
    assert stack.cloud.states[alarm] == "OK"


# --- The spool


class SpoolAndReplay:
    """The real replay on a spool in virtual time, as SQS's metrics see it; InfluxDB may be away."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.spool = VirtualSpool()
        self.spool.now = stack.cloud.now
        self.away = self.works = True
        self.oldest = 0.0
        self._replay = Replay(
            ScriptedSink(self._outcome),
            MemoryObservations(),
            self.spool,
            MemorySpool(),
            self.spool,
            clock=lambda: self.spool.now,
        )

    def _outcome(self, lines: Sequence[str]) -> WriteOutcome:
        if self.away:
            return WriteOutcome(unsent=list(lines), obstacle=Obstacle.UNREACHABLE, detail="refused")
        return WriteOutcome(accepted=len(lines))

    def minutes(self, count: int, *, spooled: int = 0) -> None:
        for _ in range(count):
            for number in range(spooled):
                self.spool.put("lines", [f"m,t=a x={number} {self.spool.now}"], "away")
            for _ in range(12):
                self._replayed()
                self.spool.now += 5
            self.stack.messages["SpoolQueue"] = [
                Seen(message.sent_at, hidden, message.receive_count)
                for message, hidden in self.spool.messages()
            ]
            self.stack.minute()
            self.oldest = max(self.oldest, self.stack.queues["SpoolQueue"].age)

    def _replayed(self) -> None:
        while self.works and (messages := self.spool.receive()):
            failed = self._replay.run(messages, 1e12).failed_ids
            for message in messages:
                if message.id not in failed:
                    self.spool.delete(message)


def test_points_that_wait_ring_within_the_hour_though_the_oldest_message_never_looks_old(
    unsaid: dict[str, int],
) -> None:
    stack = Stack(DEFAULTS, **unsaid)
    spool = SpoolAndReplay(stack)
    spool.minutes(50, spooled=2)
    assert stack.rung == set()
    spool.minutes(13, spooled=2)
    assert stack.rung == {"SpoolBacklog"}
    spool.minutes(HOUR, spooled=2)
    assert spool.oldest < 600, "the age leaves out what was received three times"
    assert len(stack.cloud.rung["SpoolBacklog"]) == 1
    spool.away = False
    spool.minutes(HOUR)
    assert stack.cloud.states["SpoolBacklog"] == "OK"


def test_one_batch_that_waits_rings_too_and_so_does_one_that_nothing_tries(unsaid: dict[str, int]) -> None:
    for works in (True, False):
        stack = Stack(DEFAULTS, **unsaid)
        spool = SpoolAndReplay(stack)
        spool.works = works
        spool.minutes(1, spooled=1)
        spool.minutes(62)
        assert stack.rung == {"SpoolBacklog"}


def test_a_store_that_is_away_for_half_an_hour_does_not_ring(unsaid: dict[str, int]) -> None:
    stack = Stack(DEFAULTS, **unsaid)
    spool = SpoolAndReplay(stack)
    spool.minutes(30, spooled=2)
    spool.away = False
    spool.minutes(HOUR)
    assert stack.rung == set()


# --- Jobs


@pytest.mark.parametrize(
    ("queue", "alarm"), [("StatusQueue", "StatusBacklog"), ("MetricsQueue", "MetricsBacklog")]
)
def test_jobs_that_no_collector_takes_ring(queue: str, alarm: str, unsaid: dict[str, int]) -> None:
    stack = Stack(DEFAULTS, **unsaid)
    for _ in range(25):
        stack.messages[queue].append(Seen(stack.cloud.now))
        stack.minute()
    assert stack.rung == {alarm}


def test_jobs_that_wait_for_their_second_do_not_ring(unsaid: dict[str, int]) -> None:
    stack = Stack(DEFAULTS, **unsaid)
    for _ in range(30):
        stack.messages["StatusQueue"] = [Seen(stack.cloud.now - 120), Seen(stack.cloud.now)]
        stack.minute()
    assert stack.rung == set()


# --- Dead letters

LETTERS = {
    "StatusDeadLetters": "StatusDeadLettersGrow",
    "MetricsDeadLetters": "MetricsDeadLettersGrow",
    "SpoolDeadLetters": "SpoolDeadLettersGrow",
    "ScheduleDeadLetters": "ScheduleDeadLettersGrow",
    "RejectQueue": "RejectsGrow",
}


@pytest.fixture(params=LETTERS)
def letters(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_each_dead_letter_rings_however_many_lie_there(letters: str, unsaid: dict[str, int]) -> None:
    stack = Stack(DEFAULTS, **unsaid)
    for number in range(2):
        stack.messages[letters].append(Seen(stack.cloud.now))
        stack.minutes(20)
        assert stack.rung == {LETTERS[letters]}
        assert len(stack.cloud.rung[LETTERS[letters]]) == number + 1
        stack.minutes(15)
        assert stack.cloud.states[LETTERS[letters]] == "OK"


def test_a_queue_that_was_idle_for_long_rings_for_its_first_dead_letter(letters: str) -> None:
    stack = Stack()
    stack.messages[letters].append(Seen(stack.cloud.now))
    stack.minutes(20)
    stack.messages[letters].clear()
    stack.cloud.now += IDLE_SECONDS + 1800
    stack.messages[letters].append(Seen(stack.cloud.now))
    stack.minutes(40)
    assert len(stack.cloud.rung[LETTERS[letters]]) == 2


def hidden(messages: Sequence[Seen]) -> Iterator[Seen]:
    for message in messages:
        yield message._replace(hidden=not message.hidden, receives=message.receives + 1)


def test_letters_that_are_looked_at_sent_back_or_not_told_of_for_a_minute_do_not_ring(
    unsaid: dict[str, int],
) -> None:
    stack = Stack(DEFAULTS, **unsaid)
    queue = "StatusDeadLetters"
    stack.messages[queue] = [Seen(stack.cloud.now) for _ in range(5)]
    stack.minutes(HOUR)
    stack.cloud.rung.clear()
    for _ in range(4):
        stack.messages[queue] = [*hidden(stack.messages[queue])]
        stack.minutes(5)
    stack.deaf.add(queue)
    stack.minute()
    stack.deaf.clear()
    stack.minutes(30)
    stack.messages[queue] = stack.messages[queue][:2]
    stack.minutes(20)
    stack.messages[queue] = []
    stack.minutes(20)
    assert stack.rung == set()


# --- Announcements


@pytest.mark.parametrize("parameters", [DEFAULTS, SLOWEST], ids=["each minute", "each 14 minutes"])
def test_an_announcement_that_nobody_takes_rings(
    parameters: Mapping[str, str], unsaid: dict[str, int]
) -> None:
    stack = Stack(parameters, **unsaid)
    stack.announcement_wait = 1.0
    stack.minutes(45)
    assert stack.rung == {"AnnouncementsRefused"}
    stack.announcement_wait = 0.0
    stack.minutes(HOUR)
    assert stack.cloud.states["AnnouncementsRefused"] == "OK"


def test_an_announcement_that_is_taken_at_the_third_attempt_does_not_ring(unsaid: dict[str, int]) -> None:
    stack = Stack(DEFAULTS, **unsaid)
    stack.announcement_wait = 1.0
    stack.minutes(3)
    stack.announcement_wait = 0.0
    stack.minutes(HOUR)
    assert stack.rung == set()
