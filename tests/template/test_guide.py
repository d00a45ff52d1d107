"""docs/deploying.md names what the template has."""

import re
from pathlib import Path

from local.aws.cloudformation import TEMPLATE
from local.aws.template import load

GUIDE = (Path(__file__).parents[2] / "docs/deploying.md").read_text()
PARAMETERS = load(TEMPLATE)["Parameters"]


def test_every_parameter_is_named_and_no_other() -> None:
    (table,) = re.findall(r"\| group \| parameters \|\n(.*?)\n\n", GUIDE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", table)) == set(PARAMETERS)
