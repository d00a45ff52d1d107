"""docs/deploying.md says what the template has, and what it computes is what the numbers give."""

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from local.aws.cloudformation import TEMPLATE
from local.aws.template import load

monthly_cost: Any = import_module("benchmarks.monthly_cost")  # a program, not a package's module
FLEETS, SILENT_SHARE = monthly_cost.FLEETS, monthly_cost.SILENT_SHARE
GUIDE = (Path(__file__).parents[2] / "docs/deploying.md").read_text()
PARAMETERS = load(TEMPLATE)["Parameters"]


def test_the_tables_are_those_that_are_computed() -> None:
    assert monthly_cost.costs() in GUIDE


def test_every_parameter_is_named_and_no_other() -> None:
    (table,) = re.findall(r"\| group \| parameters \|\n(.*?)\n\n", GUIDE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", table)) == set(PARAMETERS)


def test_a_device_costs_less_in_a_larger_fleet_and_silence_costs_something() -> None:
    for small, large in pairwise(FLEETS):
        assert (
            sum(monthly_cost.month(large, 0)) / large.devices
            < sum(monthly_cost.month(small, 0)) / small.devices
        )
    for fleet in FLEETS:
        assert sum(monthly_cost.month(fleet, SILENT_SHARE)) > sum(monthly_cost.month(fleet, 0))
