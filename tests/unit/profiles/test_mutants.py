"""What is changed in a profile to see whether its example notices."""

from typing import Any

import pytest
import yaml

from fixtures.profile_mutants import mutants_of

LOAD = "1.3.6.1.4.1.99999.1 acmeLoad"
LOAD_MUTANTS = {
    ("cpu[0]", "taken away"),
    ("cpu[0].percent", "taken away"),
    ("cpu[0].percent", "1.3.6.1.4.1.99999.2 acmeLoad instead"),
}


def changes(data: dict[str, Any]) -> set[tuple[str, str]]:
    return {(mutant.where, mutant.what) for mutant in mutants_of(data)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", set()),
        ("multiply: 0.1", {("multiply", "taken away"), ("multiply", "0.2 instead")}),
        ("add: -40", {("add", "taken away"), ("add", "-39 instead")}),
        ("drop: [0]", {("drop", "taken away")}),
        ("drop: [0, -1]", {("drop", "taken away"), ("drop[0]", "without 0"), ("drop[1]", "without -1")}),
        ("signed: 16", {("signed", "taken away"), ("signed", "8 instead")}),
        ("maximum: 100", {("maximum", "taken away")}),
        ("fahrenheit: true", {("fahrenheit", "taken away")}),
        (
            "instance: CPU {index}",
            {
                ("instance", "taken away"),
                ("instance", "another CPU {index} instead"),
                ("instance", "CPU  instead"),
            },
        ),
        (
            "where: [{ column: index, any: [1], not_matches: a|b }]",
            {
                ("where", "taken away"),
                ("where[0].column", "taken away"),
                ("where[0].any", "taken away"),
                ("where[0].not_matches", "taken away"),
                ("where[0].not_matches", "b instead"),
                ("where[0].not_matches", "a instead"),
            },
        ),
        (
            f"instance: {{ column: {LOAD}, key: 'index[0]' }}",
            {
                ("instance", "taken away"),
                ("instance.column", "taken away"),
                ("instance.column", "1.3.6.1.4.1.99999.2 acmeLoad instead"),
                ("instance.key", "taken away"),
                ("instance.key", "row 4294967295 instead"),
            },
        ),
    ],
)
def test_each_key_of_a_source_is_taken_away_and_changed(source: str, expected: set[tuple[str, str]]) -> None:
    data = {"cpu": [{"percent": LOAD, **(yaml.safe_load(source) or {})}]}
    assert changes(data) == LOAD_MUTANTS | {(f"cpu[0].{where}", what) for where, what in expected}


def test_sources_of_which_the_first_is_used_change_places() -> None:
    sources = [{"percent": LOAD}, {"percent": "1.3.6.1.4.1.99999.7.0 acmeBusy"}]
    assert ("cpu[0]", "after the next one") in changes({"cpu": sources})
    assert ("cpu.sources[0]", "after the next one") not in changes(
        {"cpu": {"combine": "all", "sources": sources}}
    )
    assert ("temperature[0]", "after the next one") not in changes({"temperature": sources})
    of_the_device = [{"percent": LOAD, "instance": ""}, sources[1]]
    assert ("cpu[0]", "after the next one") not in changes({"cpu": of_the_device})


def test_what_a_section_says_of_its_sources_is_taken_away_and_changed() -> None:
    section = {"combine": "all", "whole": "average", "standard": "besides", "sources": []}
    assert changes({"disk": section}) == {
        ("disk.combine", "taken away"),
        ("disk.combine", "first instead"),
        ("disk.whole", "taken away"),
        ("disk.whole", "maximum instead"),
        ("disk.standard", "taken away"),
    }


def test_an_interfaces_meanings_factors_and_names_are_taken_away_and_changed() -> None:
    source = {
        "interface": "eth0",
        "speed": 1000,
        "bytes_in": {"column": LOAD, "multiply": 8},
        "oper_status": {"column": LOAD, "meaning": {"0": 2}},
    }
    found = changes({"interfaces": [source]})
    assert {
        ("interfaces[0].interface", "another eth0 instead"),
        ("interfaces[0].speed", "2000 instead"),
        ("interfaces[0].bytes_in.multiply", "16 instead"),
        ("interfaces[0].oper_status.meaning.0", "taken away"),
        ("interfaces[0].oper_status.meaning.0", "3 instead"),
    } <= found


def test_what_is_inherited_is_taken_away() -> None:
    assert changes({"extends": ["_acme"]}) == {("extends[0]", "without _acme")}


def test_a_mutant_leaves_the_profile_as_it_is() -> None:
    data = {"cpu": [{"percent": LOAD, "drop": [0, 1]}]}
    assert len(list(mutants_of(data))) > 3
    assert data == {"cpu": [{"percent": LOAD, "drop": [0, 1]}]}
