"""The guides name what the template has."""

import re
from pathlib import Path

from local.aws.cloudformation import EVERYTHING, TEMPLATE, Deployed
from local.aws.template import load

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "deploying.md").read_text()
PARAMETERS = load(TEMPLATE)["Parameters"]


def test_every_parameter_is_named_and_no_other() -> None:
    (table,) = re.findall(r"\| group \| parameters \|\n(.*?)\n\n", GUIDE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", table)) == set(PARAMETERS)


def test_every_alarm_is_explained_and_no_other() -> None:
    (table,) = re.findall(r"\| alarm \|.*?\n\n", (DOCS / "operating.md").read_text(), re.DOTALL)
    named = [
        name for row in table.strip().splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])
    ]
    assert sorted(named) == sorted(alarm.name for alarm in Deployed(EVERYTHING).all("CloudWatch::Alarm"))
