"""Alarms about netvitals itself: each queue and function has one, and silence is one too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.aws.cloudformation import EVERYTHING, Deployed
from netvitals.observability import NAMESPACE

SILENCE = ("StatusFanoutSilent", "MetricsFanoutSilent", "StatusSilent", "NothingPolled")
ROOT = Path(__file__).parents[2]


def watched(metric: str, dimension: str) -> set[str]:
    """What the alarms on a metric look at."""
    return {
        each["Value"].removesuffix(".QueueName")
        for alarm in Deployed().all("CloudWatch::Alarm")
        for part in [alarm.properties, *(part["MetricStat"]["Metric"] for part in stats(alarm.properties))]
        if part.get("MetricName") == metric
        for each in part["Dimensions"]
        if each["Name"] == dimension
    }


def stats(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for part in alarm.get("Metrics", []) if "MetricStat" in part]


def test_every_queue_that_keeps_what_went_wrong_has_an_alarm_on_all_that_lies_there() -> None:
    queues = {queue.name for queue in Deployed().all("SQS::Queue")}
    kept = {name for name in queues if name.endswith("DeadLetters")} | {"RejectQueue", "SpoolQueue"}
    assert watched("ApproximateNumberOfMessagesVisible", "QueueName") == kept
    assert watched("ApproximateNumberOfMessagesNotVisible", "QueueName") == kept


def test_every_job_queue_has_an_alarm_on_its_backlog() -> None:
    assert watched("ApproximateAgeOfOldestMessage", "QueueName") == {"StatusQueue", "MetricsQueue"}


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_has_an_alarm_on_its_failures(metric: str) -> None:
    functions = {function.name for function in Deployed().all("Lambda::Function")}
    assert watched(metric, "FunctionName") == functions


@pytest.mark.parametrize("name", SILENCE)
def test_silence_is_an_alarm_after_as_long_as_the_parameter_says(name: str) -> None:
    alarm = Deployed({"SilenceAlarmMinutes": "20"})[name]
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, "20")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_schedules_that_are_disabled_are_no_silence() -> None:
    names = {alarm.name for alarm in Deployed({"ScheduleState": "DISABLED"}).all("CloudWatch::Alarm")}
    assert names & set(SILENCE) == set()
    assert len(names) > 10


def test_only_silence_treats_missing_data_as_breaching() -> None:
    for alarm in Deployed().all("CloudWatch::Alarm"):
        expected = "breaching" if alarm.name in SILENCE else "notBreaching"
        assert alarm.properties["TreatMissingData"] == expected, alarm.name


OUTCOMES = {
    "StatusFanoutSilent": ("fanout", "FanoutFunction"),
    "MetricsFanoutSilent": ("fanout", "FanoutFunction"),
    "StatusSilent": ("status", "StatusFunction"),
    "NothingPolled": ("collector", "StatusCollectorFunction"),
    "AnnouncementsRefused": ("status", "StatusFunction"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_alarm_on_an_outcome_looks_where_the_function_counts(name: str) -> None:
    deployed = Deployed()
    alarm = deployed[name]
    code, function = OUTCOMES[name]
    service = deployed[function]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert alarm["Namespace"] == NAMESPACE
    assert alarm["Dimensions"][0] == {"Name": "service", "Value": service}
    source = (ROOT / f"functions/{code}/app.py").read_text()
    assert f'"{alarm["MetricName"]}"' in source
    for dimension in alarm["Dimensions"][1:]:
        assert f"{dimension['Name']}=" in source


def test_every_alarm_on_a_metric_of_our_own_is_one_on_an_outcome() -> None:
    ours = {a.name for a in Deployed().all("CloudWatch::Alarm") if a.properties.get("Namespace") == NAMESPACE}
    assert ours == set(OUTCOMES)


@pytest.mark.parametrize(("reserve", "expected"), [("off", (None, None)), ("on", (4, 2))])
def test_concurrency_is_reserved_for_ticks_only_where_it_is_asked_for(
    reserve: str, expected: tuple[int | None, int | None]
) -> None:
    """A new account has ten in all, and AWS refuses a reservation that leaves less than a hundred."""
    deployed = Deployed({"ReserveConcurrency": reserve})
    reserved = [
        deployed[name].get("ReservedConcurrentExecutions") for name in ("FanoutFunction", "StatusFunction")
    ]
    assert tuple(reserved) == expected
    for name in ("StatusCollectorFunction", "MetricsCollectorFunction", "ReplayFunction"):
        assert "ReservedConcurrentExecutions" not in deployed[name]


def test_alarms_go_to_an_existing_topic_or_to_an_address_or_nowhere() -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:pager"
    for parameters, actions in (
        ({"AlarmTopicArn": topic}, [topic]),
        ({"AlarmEmail": "noc@example.net"}, ["AlarmTopic"]),
        ({}, None),
    ):
        for alarm in Deployed(parameters).all("CloudWatch::Alarm"):
            assert alarm.properties.get("AlarmActions") == actions
    subscription = [{"Protocol": "email", "Endpoint": "noc@example.net"}]
    assert Deployed(EVERYTHING)["AlarmTopic"]["Subscription"] == subscription


def test_every_alarm_tells_a_person_what_is_wrong() -> None:
    for alarm in Deployed().all("CloudWatch::Alarm"):
        assert len(alarm.properties["AlarmDescription"]) > 30
        assert alarm.properties["AlarmDescription"].endswith(".")
