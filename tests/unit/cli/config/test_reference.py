"""The documented configuration is the one that the code takes."""

import re
from pathlib import Path

import pytest

from netvitals.adapters.files.configuration_document import decode_document
from netvitals.cli.config import reference
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.domain.settings.configuration import Configuration, configuration_from

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "configuration.md").read_text()
TABLES = {
    "document": reference.markdown(reference.document_keys()),
    "device types": reference.markdown(reference.policy_keys()),
    "environment": reference.markdown(reference.variables(), functions=True),
}


@pytest.mark.parametrize("table", TABLES)
def test_the_page_holds_the_tables_that_the_types_make(table: str) -> None:
    """When this fails, put the table it shows between the page's marks."""
    assert f"<!-- {table} -->\n\n{TABLES[table]}\n\n<!-- end -->" in PAGE


def test_every_key_and_every_variable_has_a_meaning_and_says_what_it_takes() -> None:
    entries = [*reference.document_keys(), *reference.policy_keys(), *reference.variables()]
    assert [entry.name for entry in entries if not entry.meaning or not entry.takes] == []
    assert len({entry.name for entry in entries}) == len(entries)


def test_the_default_document_is_the_defaults() -> None:
    configuration = configuration_from(decode_document(reference.default_document(), "defaults"), "defaults")
    assert configuration.known_types == Configuration().known_types
    for device_type in configuration.known_types:
        assert configuration.policy(device_type, {}) == Configuration().policy(device_type, {})
    for key in ("log_level", "allowed_networks", "influxdb", "collector", "status"):
        assert getattr(configuration, key) == getattr(Configuration(), key)


def test_the_pages_example_can_be_used() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    configuration = configuration_from(decode_document(example, "example"), "example")
    assert SNMP.settings_of(configuration.policy("ups", {})).retries == 4


def test_every_metric_is_documented() -> None:
    sources = [*(ROOT / "functions").glob("*/app.py"), ROOT / "layers/netvitals/netvitals/observability.py"]
    emitted = {
        name for source in sources for name in re.findall(r'"([A-Z]\w+)": (?!str)', source.read_text())
    }
    assert "DevicesPolled" in emitted
    assert {name for name in emitted if f"`{name}`" not in PAGE} == set()


def test_the_template_sets_no_variable_that_is_not_documented() -> None:
    template = (ROOT / "template.yaml").read_text()
    named = set(re.findall(r"^ +((?:NETVITALS|INFLUXDB|DATABASE)_\w+):", template, re.MULTILINE))
    assert named
    assert {name for name in named if f"`{name}`" not in PAGE} == set()
