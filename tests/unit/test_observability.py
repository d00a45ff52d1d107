"""Logs, metrics and traces, as CloudWatch and X-Ray receive them."""

import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from local.lambda_.handlers import Context
from netvitals import observability
from netvitals.adapters.aws.xray import subsegment
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.secret import Secret

CANARY = "canary-8f3a"


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    root.handlers = [each for each in handlers if not isinstance(each, observability._StandardOutput)]
    monkeypatch.setattr(observability._Process, "cold", True)
    yield
    root.handlers = handlers


def invoke(work: Any, request_id: str = "request-1") -> Any:
    return observability.observed(lambda _event, _context: work())("event", Context(request_id=request_id))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_log_line_is_json_with_the_request_and_what_was_added(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("netvitals.anything")
    invoke(lambda: log.warning("the %s", "text", extra={"device_id": "sw-1"}))
    invoke(lambda: log.warning("again"), "request-2")
    first, second = lines(capsys)
    assert (first["level"], first["message"], first["device_id"]) == ("WARNING", "the text", "sw-1")
    assert (first["function_request_id"], first["cold_start"]) == ("request-1", True)
    assert (second["function_request_id"], second["cold_start"]) == ("request-2", False)


def test_the_level_decides_what_is_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETVITALS_LOG_LEVEL", "ERROR")
    log = logging.getLogger("netvitals.anything")
    invoke(lambda: log.warning("quiet"))
    assert lines(capsys) == []
    observability.set_level("DEBUG")
    invoke(lambda: log.debug("loud"))
    assert [line["message"] for line in lines(capsys)] == ["loud"]


@pytest.mark.parametrize(
    "name", ["botocore.credentials", "boto3", "urllib3.connectionpool", "pysnmp", "paramiko.transport"]
)
def test_a_librarys_good_news_is_no_log_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    invoke(lambda: logging.getLogger(name).info("Found credentials in environment variables."))
    assert lines(capsys) == []


def test_what_botocore_warns_of_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    invoke(lambda: logging.getLogger("botocore.credentials").warning("Refreshing credentials failed."))
    assert [line["level"] for line in lines(capsys)] == ["WARNING"]


def test_a_secret_in_a_log_line_does_not_print(capsys: pytest.CaptureFixture[str]) -> None:
    secret = Secret(CANARY)
    log = logging.getLogger("netvitals.anything")
    invoke(lambda: log.error("%s", secret, extra={"token": secret, "nested": {"token": [secret]}}))
    output = capsys.readouterr().out
    assert "Secret(…)" in output
    assert CANARY not in output


def test_a_failure_is_counted_and_logged_without_the_values_of_its_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work() -> None:
        password = "canary-8f3a"
        raise KeyError(len(password))

    with pytest.raises(KeyError):
        invoke(work)
    metric, log = lines(capsys)
    assert (metric["Failures"], metric["reason"]) == ([1.0], "KeyError")
    assert log["level"] == "ERROR"
    assert "raise KeyError(len(password))" in log["exception"]
    assert CANARY not in json.dumps(log)


def test_an_error_that_was_raised_on_purpose_says_all_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work() -> None:
        raise Unavailable("the database can't be used: start it")

    with pytest.raises(Unavailable):
        invoke(work)
    metric, log = lines(capsys)
    assert metric["reason"] == "Unavailable"
    assert log["message"] == "the database can't be used: start it"
    assert "exception" not in log


def test_a_metric_is_one_emf_record_with_the_service_and_the_dimensions_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "dev-collector")
    observability.emit({"DevicesPolled": 3, "PollSeconds": [0.5, 1.5], "JobsExpired": 0})
    observability.emit({"PollsIncomplete": 1}, reason="timeout")
    plain, by_reason = lines(capsys)
    (directive,) = plain["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "netvitals"
    assert directive["Dimensions"] == [["service"]]
    assert {each["Name"]: each["Unit"] for each in directive["Metrics"]} == {
        "DevicesPolled": "Count",
        "PollSeconds": "Seconds",
    }
    assert (plain["service"], plain["DevicesPolled"], plain["PollSeconds"]) == (
        "dev-collector",
        [3.0],
        [0.5, 1.5],
    )
    assert sorted(by_reason["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["reason", "service"]
    assert by_reason["reason"] == "timeout"


def test_nothing_to_tell_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    observability.emit({"JobsExpired": 0, "PollSeconds": []})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("devices", [observability.MAX_VALUES + 1, 100, 101, 300])
def test_of_many_values_a_few_are_written_that_are_spread_alike(
    devices: int, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = [float(n * 7 % devices) for n in range(devices)]
    observability.emit({"DevicesPolled": devices, "PollSeconds": seconds})
    (record,) = lines(capsys)
    values = record["PollSeconds"]
    assert len(values) == observability.MAX_VALUES
    assert (min(values), max(values)) == (min(seconds), max(seconds))
    assert abs(sum(values) / len(values) - sum(seconds) / devices) < devices / 20
    assert record["DevicesPolled"] == [float(devices)]


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(2)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setenv(
            "_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a9;Parent=53995c3f42cd8ad8;Sampled=1"
        )
        yield server


def received(daemon: socket.socket) -> dict[str, Any]:
    header, document = daemon.recv(4096).split(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    decoded: dict[str, Any] = json.loads(document)
    return decoded


def test_a_subsegment_belongs_to_the_invocations_trace(daemon: socket.socket) -> None:
    with subsegment("collect"):
        pass
    document = received(daemon)
    assert (document["type"], document["name"]) == ("subsegment", "collect")
    assert (document["trace_id"], document["parent_id"]) == (
        "1-5759e988-bd862e3fe1be46a9",
        "53995c3f42cd8ad8",
    )
    assert len(document["id"]) == 16
    assert document["start_time"] <= document["end_time"]
    assert "fault" not in document


def test_a_subsegment_in_which_something_was_raised_is_a_fault(daemon: socket.socket) -> None:
    with pytest.raises(KeyError), subsegment("collect"):
        raise KeyError
    assert received(daemon)["fault"] is True


@pytest.mark.parametrize(
    "trace", ["", "Root=1-5759e988-bd862e3fe1be46a9;Parent=53995c3f42cd8ad8;Sampled=0", "nonsense"]
)
def test_an_invocation_that_is_not_sampled_sends_nothing(
    daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, trace: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    with subsegment("collect"):
        pass
    daemon.setblocking(False)  # noqa: FBT003, socket's own
    with pytest.raises(BlockingIOError):
        daemon.recv(4096)
