"""Schedules say what time they stand for, and never catch up with what is past."""

import json

import pytest

from local.aws.cloudformation import Deployed
from netvitals.domain.polling.schedule import period_seconds
from netvitals.domain.polling.tick import tick_from

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
TICKS = {
    "FanoutFunctionStatusTick": "StatusSchedule",
    "FanoutFunctionMetricsTick": "MetricsSchedule",
    "StatusFunctionUpdateTick": "StatusUpdateSchedule",
}


def test_there_are_three_schedules_and_no_more() -> None:
    assert {schedule.name for schedule in Deployed().all("Scheduler::Schedule")} == set(TICKS)


@pytest.mark.parametrize("name", TICKS)
def test_rate_and_state_come_from_parameters(name: str) -> None:
    schedule = Deployed({TICKS[name]: "rate(7 minutes)", "ScheduleState": "DISABLED"})[name]
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(7 minutes)", "DISABLED")
    assert json.loads(schedule["Target"]["Input"])["schedule"] == "rate(7 minutes)"


@pytest.mark.parametrize("name", TICKS)
def test_a_tick_is_delivered_within_its_period_or_kept_as_a_dead_letter(name: str) -> None:
    target = Deployed()[name]["Target"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= period_seconds("rate(1 minute)")
    assert target["RetryPolicy"]["MaximumRetryAttempts"] <= 1
    assert target["DeadLetterConfig"]["Arn"].endswith(":ScheduleDeadLetters")
    assert Deployed()[name]["FlexibleTimeWindow"] == {"Mode": "OFF"}


@pytest.mark.parametrize("function", ["FanoutFunction", "StatusFunction"])
def test_a_tick_that_failed_is_not_run_late_and_is_kept(function: str) -> None:
    config = Deployed()[f"{function}EventInvokeConfig"]
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    assert config["DestinationConfig"]["OnFailure"]["Destination"].endswith(":ScheduleDeadLetters")


@pytest.mark.parametrize("kind", ["status", "metrics"])
def test_the_input_is_a_tick_that_fan_out_takes(kind: str) -> None:
    target = Deployed()[f"FanoutFunction{kind.title()}Tick"]["Target"]
    assert SCHEDULED_TIME in target["Input"]
    tick = tick_from(json.loads(target["Input"].replace(SCHEDULED_TIME, "2026-11-23T16:00:00Z")), 0.0)
    assert tick.kind == kind


def test_the_status_function_hears_what_time_it_stands_for() -> None:
    tick = json.loads(Deployed()["StatusFunctionUpdateTick"]["Target"]["Input"])
    assert tick == {"schedule": "rate(1 minute)", "scheduled_time": SCHEDULED_TIME}
