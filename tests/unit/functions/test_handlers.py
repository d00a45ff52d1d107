"""The functions' handlers: what they take, what they return, and what they count."""

import json
import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.lambda_.handlers import FUNCTIONS, Context, module_of, sqs_event
from netvitals.domain.errors import ConfigurationError, Unavailable
from netvitals.domain.ports import QueueMessage
from netvitals.domain.protocols import PROTOCOLS
from netvitals.usecases.collect import CollectReport
from netvitals.usecases.fan_out import FanOutReport
from netvitals.usecases.replay import ReplayReport
from netvitals.usecases.status_pass import StatusReport
from netvitals.wiring.parts import Parts

TICK = {"kind": "status", "schedule": "rate(1 minute)", "scheduled_time": "2026-11-23T16:00:00Z"}
MESSAGES = [{"MessageId": name, "ReceiptHandle": f"receipt-{name}", "Body": f"body-{name}"} for name in "ab"]


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield
    root.handlers = handlers


class UseCase:
    """Keeps what it is given, and does `work` with it."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work, self.given = work, list[Any]()

    def run(self, *given: Any) -> Any:
        self.given = list(given)
        return self.work(*given)


class UseCaseOfALoop(UseCase):
    async def run(self, *given: Any) -> Any:
        return super().run(*given)


class OnePart(Parts):
    """Parts that have the one use case."""

    def __init__(self, use_case: UseCase) -> None:
        super().__init__({})
        self._use_case = use_case

    def use(self, make: Any) -> Any:  # noqa: ARG002, whatever is asked for
        return self._use_case


def invoke(function: str, use_case: UseCase, event: Any, seconds: float = 60) -> Any:
    module = module_of(function)
    module.__dict__["process"] = lambda: OnePart(use_case)
    return module.handler(event, Context(seconds))


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [
        {key: value for key, value in record.items() if key not in {"_aws", "service"}}
        for record in records
        if "_aws" in record
    ]


def test_fan_out_runs_the_tick_and_returns_what_it_counted(capsys: pytest.CaptureFixture[str]) -> None:
    use_case = UseCase(lambda _: FanOutReport(devices=3, jobs=4, messages=2, bad_rows=1))
    assert invoke("fanout", use_case, TICK)["jobs"] == 4
    assert (use_case.given[0].kind, use_case.given[0].period) == ("status", 60)
    (record,) = metrics(capsys)
    assert record == {
        "kind": "status",
        "DevicesRead": [3],
        "JobsSent": [4],
        "RowsRejected": [1],
    }


def test_a_paused_tick_is_counted_as_that_and_as_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("fanout", UseCase(lambda _: FanOutReport(paused=1)), TICK)["jobs"] == 0
    assert metrics(capsys) == [{"kind": "status", "Paused": [1]}]


@pytest.mark.parametrize(
    "event",
    [None, {}, {**TICK, "kind": "mischief"}, {**TICK, "schedule": "cron(* * * * ? *)"}, {**TICK, "x": 1}],
)
def test_an_event_that_is_no_tick_is_a_loud_and_counted_failure(
    event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError):
        invoke("fanout", UseCase(lambda _: FanOutReport()), event)
    assert metrics(capsys) == [{"Failures": [1], "reason": "ConfigurationError"}]


def test_the_collector_hands_over_the_batch_and_names_the_messages_that_come_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = CollectReport(
        devices_polled=3,
        devices_unreachable=1,
        points_written=40,
        points_spooled=2,
        points_refused=1,
        points_invalid=1,
        jobs_expired=1,
        jobs_rejected=1,
        jobs_failed=1,
        poll_seconds=[0.5, 1.5, 2.5],
        reasons=Counter({"ok": 2, "timeout": 1}),
        failed_ids=["b"],
    )
    use_case = UseCaseOfALoop(lambda *_: report)
    assert invoke("collector", use_case, sqs_event(MESSAGES)) == {
        "batchItemFailures": [{"itemIdentifier": "b"}]
    }
    assert use_case.given[0] == [
        QueueMessage("a", "body-a", "receipt-a"),
        QueueMessage("b", "body-b", "receipt-b"),
    ]
    counted, by_reason = metrics(capsys)
    assert counted == {
        "DevicesPolled": [3],
        "DevicesUnreachable": [1],
        "PointsWritten": [40],
        "LinesSpooled": [2],
        "LinesRefused": [1],
        "PointsInvalid": [1],
        "JobsExpired": [1],
        "JobsRejected": [1],
        "JobsFailed": [1],
        "PollSeconds": [0.5, 1.5, 2.5],
    }
    assert by_reason == {"reason": "timeout", "PollsIncomplete": [1]}


@pytest.mark.parametrize("function", ["collector", "replay"])
def test_the_deadline_is_the_end_of_the_invocation(function: str) -> None:
    if function == "collector":
        use_case: UseCase = UseCaseOfALoop(lambda *_: CollectReport())
    else:
        use_case = UseCase(lambda *_: ReplayReport())
    before = time.monotonic()
    invoke(function, use_case, sqs_event(MESSAGES), seconds=100)
    assert before + 99 < use_case.given[1] <= time.monotonic() + 100


@pytest.mark.parametrize("function", ["collector", "replay"])
def test_a_fault_of_the_whole_batch_is_raised_so_that_all_its_messages_come_again(
    function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise Unavailable("secret can't be read")

    with pytest.raises(Unavailable):
        invoke(function, (UseCaseOfALoop if function == "collector" else UseCase)(fail), sqs_event(MESSAGES))
    assert metrics(capsys) == [{"Failures": [1], "reason": "Unavailable"}]


def test_replay_gives_each_message_with_its_age_and_attempts(capsys: pytest.CaptureFixture[str]) -> None:
    use_case = UseCase(lambda *_: ReplayReport(points_replayed=9, failed_ids=["a"]))
    attributes = {"ApproximateReceiveCount": "4", "SentTimestamp": "1700000000500"}
    event = sqs_event([{**MESSAGES[0], "Attributes": attributes}])
    assert invoke("replay", use_case, event) == {"batchItemFailures": [{"itemIdentifier": "a"}]}
    (message,) = use_case.given[0]
    assert (message.id, message.body, message.receipt) == ("a", "body-a", "receipt-a")
    assert (message.receive_count, message.sent_at) == (4, 1700000000.5)
    assert metrics(capsys) == [{"PointsReplayed": [9], "SpoolMessagesKept": [1]}]


def test_status_logs_each_change_and_counts_devices_by_status(capsys: pytest.CaptureFixture[str]) -> None:
    report = StatusReport(
        devices=5,
        statuses={"online": 4, "offline": 1},
        transitions=1,
        changes=["sw-1: online → offline: silent"],
    )
    result = invoke("status", UseCase(lambda *_: report), {"scheduled_time": "x"})
    assert result == {"devices": 5, "statuses": {"online": 4, "offline": 1}, "transitions": 1}
    output = capsys.readouterr().out
    assert '"message":"sw-1: online → offline: silent"' in output
    assert '"status":"offline"' in output


def modules_of(function: str) -> set[str]:
    """What importing a function imports, in a process with no environment at all."""
    code = "import json, sys, app; print(json.dumps(sorted(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=FUNCTIONS / function,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(found.stdout))


NEVER = {
    "click",
    "rich",
    "moto",
    "paramiko",
    "winrm",
    "pysnmp",
    "icmplib",
    "yaml",
    "netvitals.cli",
    "requests",
}
"""What no function needs when it starts: other protocols come with the first device that speaks them."""
NEEDLESS = {
    "fanout": {"influxdb_client", "netvitals.usecases.collect"},
    "collector": {"netvitals.usecases.fan_out", "netvitals.usecases.update_status"},
    "status": {"netvitals.usecases.collect", "netvitals.usecases.fan_out"},
    "replay": {"netvitals.usecases.collect", "netvitals.usecases.fan_out"},
}


@pytest.mark.parametrize("function", NEEDLESS)
def test_importing_a_function_imports_what_it_needs_and_reads_no_variable(function: str) -> None:
    imported = modules_of(function)
    assert not imported & (NEVER | NEEDLESS[function])
    assert {"boto3", "psycopg"} <= imported  # while Lambda lends a whole processor, not at the first event


@pytest.mark.parametrize("function", ["fanout", "status", "replay"])
def test_a_function_that_polls_nothing_imports_what_protocols_are_and_no_collector(function: str) -> None:
    of_protocols = {name for name in modules_of(function) if name.startswith("netvitals.collectors.")}
    packages = {protocol.collector.rpartition(".")[0] for protocol in PROTOCOLS.values()}
    assert of_protocols == packages | {f"{package}.protocol" for package in packages}
