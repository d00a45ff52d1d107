"""Every alert rule, asked of a real InfluxDB that holds a known fleet: for whom it fires."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from fixtures import known_fleet as known
from fixtures.influxdb import Influx
from fixtures.known_fleet import FULL
from fixtures.known_stores import NEEDS_INFLUX, RULES, Stores, numbers

pytestmark = NEEDS_INFLUX

FIRING: Mapping[str, set[tuple[str, ...]]] = {
    "offline": {("sw-3",)},
    "cpu": {("sw-1",)},
    "memory": set(),
    "temperature": set(),
    "disk": {("srv-1", "/data")},
    "fan": {("sw-1", "Fan B")},
    "power_supply": {("sw-1", "Power supply B")},
    "filling": {("srv-1", "/log")},
    "errors": {("sw-1", FULL)},
    "utilisation-in": {("sw-1", FULL)},
    "utilisation-out": set(),
    "unreadable": {("sw-4",)},
    "silent": set(),
    "status-silent": set(),
}


def firing(influx: Influx, rule: Mapping[str, Any], now: int) -> set[tuple[str, ...]] | None:
    """Return the series for which a rule's condition holds; None where there is no data."""
    models = {each["refId"]: each["model"] for each in rule["data"]}
    reduced = {
        ref: numbers(influx, models[model["expression"]]["query"].replace("now()", f"{now}s"))
        for ref, model in models.items()
        if model.get("type") == "reduce"
    }
    if not any(reduced.values()):
        return None
    condition = models[rule["condition"]]
    if condition["expression"] in reduced:
        results = reduced[condition["expression"]]
    else:
        labels = set.intersection(*(set(each) for each in reduced.values()))
        text = models[condition["expression"]]["expression"]
        results = {each: calculated(text, {ref: reduced[ref][each] for ref in reduced}) for each in labels}
    (limit,) = condition["conditions"][0]["evaluator"]["params"]
    assert condition["conditions"][0]["evaluator"]["type"] == "gt"
    return {labels for labels, number in results.items() if number > limit}


def calculated(text: str, given: Mapping[str, float]) -> float:
    """Do the arithmetic of an expression: numbers, letters, + * - < and brackets."""
    filled = re.sub(r"\$([A-Z])", lambda match: repr(float(given[match[1]])), text)
    assert re.fullmatch(r"[\d.+*<() -]+", filled), filled
    return float(eval(filled))  # noqa: S307, as just checked


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["uid"])
def test_a_rule_fires_for_whom_it_should_and_for_nobody_else(stores: Stores, rule: dict[str, Any]) -> None:
    found = firing(stores.influx, rule, stores.fleet.end)
    assert (found or set()) == FIRING[rule["uid"].removeprefix("netvitals-")]


def test_every_rule_has_a_known_answer() -> None:
    assert {rule["uid"].removeprefix("netvitals-") for rule in RULES} == set(FIRING)


def test_silence_is_no_data_and_no_data_is_an_alert(stores: Stores) -> None:
    tomorrow = stores.fleet.end + 86_400
    silent = {
        rule["uid"].removeprefix("netvitals-")
        for rule in RULES
        if firing(stores.influx, rule, tomorrow) is None and rule["noDataState"] == "Alerting"
    }
    assert silent == {"silent", "status-silent"}


def test_an_outage_that_is_over_fires_no_more(stores: Stores) -> None:
    (rule,) = (rule for rule in RULES if rule["uid"] == "netvitals-offline")
    during, after = (
        int(stores.fleet.before_end(minutes)) for minutes in (known.OUTAGE[1] + 10, known.OUTAGE[1] - 10)
    )
    assert firing(stores.influx, rule, during) == {("sw-2",)}
    assert firing(stores.influx, rule, after) is None
