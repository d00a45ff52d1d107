"""The queries of docs/dashboards.md and of the README, asked of a real InfluxDB that holds a known fleet."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from fixtures import known_fleet as known
from fixtures.known_fleet import FAST, FULL
from fixtures.known_stores import FOLDER, NEEDS_INFLUX, SHARE, Stores, numbers, values

pytestmark = NEEDS_INFLUX

_QUESTION = re.compile(r"^\*\*(.+?\?)\*\*.*?\n\n```sql\n(.+?)\n```", re.MULTILINE)
QUESTIONS = dict(_QUESTION.findall((FOLDER.parent / "docs/dashboards.md").read_text()))
ANSWERS: Mapping[str, dict[tuple[str, ...], Any]] = {
    "How much traffic does an interface have, in bits per second?": {
        (): pytest.approx(8 * known.FAST_IN, rel=1e-3)
    },
    "How much did it transfer today?": {(): pytest.approx(known.FAST_IN * known.HOURS * 3600, rel=SHARE)},
    "Which interfaces are the busiest, in percent of their speed?": {
        ("sw-1", FULL): pytest.approx(96, rel=SHARE),
        ("sw-1", FAST): pytest.approx(8, rel=SHARE),
        ("sw-2", FAST): pytest.approx(4, rel=SHARE),
    },
    "Which interfaces have errors?": {("sw-1", FULL): pytest.approx(known.ERRORS * 3 * 3600, rel=SHARE)},
    "What is the 95th percentile of an uplink?": {(): pytest.approx(8 * known.FAST_IN, rel=1e-3)},
    "Which devices are offline now?": {("sw-3",): "offline"},
    "Which devices have the highest CPU?": {("sw-1",): 95, ("sw-2",): 17, ("sw-3",): 5},
    "Which disks are nearly full?": {("srv-1", "/data"): 97},
    "Which disks will be full first?": {("srv-1", "/log"): pytest.approx(20 / known.LOG_GROWTH, rel=SHARE)},
    "Which devices are reachable but not completely read?": {("sw-4",): 0},
}


@pytest.mark.parametrize("question", ANSWERS)
def test_a_question_of_the_docs_is_answered_with_what_is_known(stores: Stores, question: str) -> None:
    asked = QUESTIONS[question].replace("now()", f"{stores.fleet.end}s")
    found = {
        labels: number
        for labels, number in numbers(stores.influx, asked).items()
        if not isinstance(number, float | int) or number or question.startswith("Which devices are reachable")
    }
    assert found == ANSWERS[question]


def test_every_question_of_the_docs_has_a_known_answer() -> None:
    assert set(QUESTIONS) == set(ANSWERS)


def test_the_readmes_rate_is_the_rate(stores: Stores) -> None:
    text = " ".join((FOLDER.parent / "README.md").read_text().split())
    (query,) = re.findall(r"so a query computes rates: `(SELECT [^`]+)`", text)
    asked = query.replace("…", f"\"device_id\" = 'sw-1' AND time > {stores.fleet.end}s - 3h")
    rates = values(stores.influx.query(asked), "rate", instance=FAST)
    assert len(rates) > 30
    assert rates == pytest.approx([8 * known.FAST_IN] * len(rates), rel=1e-3)
