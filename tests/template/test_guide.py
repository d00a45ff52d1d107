"""docs/deploying.md says what the template has, and what it computes is what the numbers give."""

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.aws.cloudformation import TEMPLATE
from local.aws.template import load

monthly_cost: Any = import_module("benchmarks.monthly_cost")  # a program, not a package's module
FLEETS, SILENT_SHARE = monthly_cost.FLEETS, monthly_cost.SILENT_SHARE
GUIDE = (Path(__file__).parents[2] / "docs/deploying.md").read_text()
PARAMETERS = load(TEMPLATE)["Parameters"]


def test_the_tables_are_those_that_are_computed() -> None:
    assert monthly_cost.parameters() in GUIDE
    assert monthly_cost.costs() in GUIDE


def test_every_parameter_is_named_and_no_other() -> None:
    (table,) = re.findall(r"\| group \| parameters \|\n(.*?)\n\n", GUIDE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", table)) == set(PARAMETERS)


@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: str(fleet.devices))
def test_what_is_recommended_is_allowed(fleet: Any) -> None:
    values = {
        "JobsPerMessage": fleet.jobs_per_message,
        "StatusBatchSize": fleet.status.batch,
        "StatusBatchWindowSeconds": fleet.status.window,
        "StatusConcurrency": fleet.status.concurrency,
        "MetricsBatchSize": fleet.metrics.batch,
        "MetricsBatchWindowSeconds": fleet.metrics.window,
        "MetricsConcurrency": fleet.metrics.concurrency,
        "FanoutMemoryMb": fleet.fanout_mb,
    }
    for name, value in values.items():
        assert PARAMETERS[name]["MinValue"] <= value <= PARAMETERS[name]["MaxValue"], name


@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: str(fleet.devices))
def test_what_is_recommended_is_twice_what_is_needed(fleet: Any) -> None:
    for kind, queue, parameter in (
        ("status", fleet.status, "StatusCollectorTimeoutSeconds"),
        ("metrics", fleet.metrics, "MetricsCollectorTimeoutSeconds"),
    ):
        needed = monthly_cost.collecting(fleet, kind, SILENT_SHARE)
        assert queue.concurrency >= 2 * needed.concurrency
        assert PARAMETERS[parameter]["Default"] >= 2 * needed.seconds
    assert PARAMETERS["FanoutTimeoutSeconds"]["Default"] >= 2 * monthly_cost.fan_out_seconds(fleet)


def test_a_device_costs_less_in_a_larger_fleet_and_silence_costs_something() -> None:
    for small, large in pairwise(FLEETS):
        assert (
            sum(monthly_cost.month(large, 0)) / large.devices
            < sum(monthly_cost.month(small, 0)) / small.devices
        )
    for fleet in FLEETS:
        assert sum(monthly_cost.month(fleet, SILENT_SHARE)) > sum(monthly_cost.month(fleet, 0))
