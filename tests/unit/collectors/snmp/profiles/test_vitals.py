"""Which sources of a profile count, and the points that they make."""

from typing import Any

import msgspec
import pytest

from netvitals.collectors.snmp.profiles.evaluate import VitalRow
from netvitals.collectors.snmp.profiles.schema import Profile
from netvitals.collectors.snmp.profiles.vitals import Evaluation, Vitals, points_of
from netvitals.collectors.snmp.tables import Rows, Tables
from netvitals.domain.polling.metrics import VITALS
from netvitals.usecases.turns import at_once

NOW = 1_763_900_000_000_000_000
OWN, OTHER, STANDARD = (f"1.3.6.1.4.1.99999.{n}" for n in (1, 2, 3))


def profile(name: str, **sections: Any) -> Profile:
    return msgspec.convert({"name": name, **sections}, Profile)


def section(*oids: str, term: str = "percent", **keys: Any) -> dict[str, Any]:
    return {"sources": [{term: f"{oid}.2 object", "instance": "#{index}"} for oid in oids], **keys}


def answers(**columns: dict[str, int]) -> Tables:
    given = Tables()
    for name, rows in columns.items():
        oid = {"own": OWN, "other": OTHER, "standard": STANDARD}[name]
        given.columns[f"{oid}.2"] = Rows(dict(rows), NOW)
    return given


def evaluated(vitals: Vitals, given: Tables) -> Evaluation:
    found = Evaluation()
    at_once(vitals.evaluate(vitals.everything(), given, found))
    return found


def read(own: Profile, standard: Profile, given: Tables) -> tuple[dict[tuple[str, str], float], Any]:
    vitals = Vitals(own, standard)
    found = evaluated(vitals, given)
    sources = {name: numbers for name, numbers in found.sources.items() if numbers}
    return {(p.metric_name, p.instance): p.value for p in found.points}, sources


def test_the_first_source_that_gives_something_is_used() -> None:
    own, standard = profile("x", cpu=section(OWN, OTHER)), profile("_standard", cpu=section(STANDARD))
    points, productive = read(own, standard, answers(other={"1": 7}, standard={"1": 50}))
    assert points == {("cpu_percent", ""): 7}
    assert productive == {"cpu": [1]}


def test_standard_mibs_stand_in_where_no_source_gives_anything() -> None:
    own, standard = profile("x", cpu=section(OWN)), profile("_standard", cpu=section(STANDARD))
    assert read(own, standard, answers(standard={"1": 50}))[0] == {("cpu_percent", ""): 50}


def test_a_profile_may_refuse_the_standard_mibs() -> None:
    own = profile("x", cpu=section(OWN, standard=False))
    assert read(own, profile("_standard", cpu=section(STANDARD)), answers(standard={"1": 50})) == ({}, {})


def test_a_profile_may_have_the_standard_mibs_besides() -> None:
    own = profile("x", disk=section(OWN, standard="besides"))
    standard = profile("_standard", disk=section(STANDARD))
    points, _ = read(own, standard, answers(own={"1": 30}, standard={"2": 40}))
    assert points == {("disk_percent", "#1"): 30, ("disk_percent", "#2"): 40}


def test_temperatures_of_standard_mibs_come_besides_but_not_twice() -> None:
    own = profile("x", temperature=section(OWN, term="value", combine="all"))
    standard = profile("_standard", temperature=section(STANDARD, term="value", combine="all"))
    points, _ = read(own, standard, answers(own={"1": 30}, standard={"1": 30, "2": 40}))
    assert points == {("temperature_celsius", "#1"): 30, ("temperature_celsius", "#2"): 40}


def of_the_device(oid: str) -> dict[str, Any]:
    return {"percent": f"{oid}.2 object", "instance": ""}


def test_the_active_engine_is_the_device_beside_parts_that_the_first_other_source_names() -> None:
    parts = section(OWN, OTHER)["sources"]
    own = profile("x", cpu={"sources": [of_the_device(STANDARD), *parts]})
    given = answers(standard={"2": 40}, own={"1": 2, "2": 40}, other={"1": 99})
    points, productive = read(own, profile("_standard"), given)
    assert points == {("cpu_percent", ""): 40, ("cpu_percent", "#1"): 2, ("cpu_percent", "#2"): 40}
    assert productive == {"cpu": [0, 1]}


def test_a_part_that_is_alone_is_the_device_without_an_engine_beside_it() -> None:
    own = profile("x", cpu={"sources": [of_the_device(STANDARD), *section(OWN)["sources"]]})
    points, productive = read(own, profile("_standard"), answers(standard={"2": 40}, own={"2": 40}))
    assert points == {("cpu_percent", ""): 40}
    assert productive == {"cpu": [1]}


def test_where_two_engines_seem_active_the_parts_make_the_devices_number() -> None:
    own = profile("x", cpu={"sources": [of_the_device(STANDARD), *section(OWN)["sources"]]})
    points, _ = read(own, profile("_standard"), answers(standard={"1": 2, "2": 40}, own={"1": 2, "2": 40}))
    assert points == {("cpu_percent", ""): 21, ("cpu_percent", "#1"): 2, ("cpu_percent", "#2"): 40}


def test_an_engine_is_the_device_where_no_source_names_parts() -> None:
    own = profile("x", cpu={"sources": [of_the_device(STANDARD), *section(OWN)["sources"]]})
    assert read(own, profile("_standard"), answers(standard={"2": 40}))[0] == {("cpu_percent", ""): 40}


def test_only_what_was_productive_is_asked_for_again() -> None:
    vitals = Vitals(profile("x", cpu=section(OWN, OTHER)), profile("_standard", cpu=section(STANDARD)))
    assert vitals.reads(vitals.everything()).columns == (f"{OWN}.2", f"{OTHER}.2", f"{STANDARD}.2")
    assert vitals.reads({"cpu": [1]}).columns == (f"{OTHER}.2",)
    assert vitals.reads({"cpu": [9]}).columns == ()


def test_scalars_are_got_and_columns_walked() -> None:
    own = profile("x", memory={"sources": [{"free": f"{OWN}.1.0 free", "total": f"{OWN}.2.0 size"}]})
    vitals = Vitals(own, profile("_standard"))
    assert vitals.reads(vitals.everything()).scalars == (f"{OWN}.1.0", f"{OWN}.2.0")


def rows(*values: float, total: float | None = None) -> list[VitalRow]:
    return [
        VitalRow(f"#{n}", n, value, None if total is None else total * value / 100, total)
        for n, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [("average", 20), ("maximum", 30), ("first", 10), ("sum", 20), ("largest", 10)],
)
def test_the_whole_devices_number_is_made_as_the_profile_says(whole: str, expected: float) -> None:
    points = list(points_of(VITALS["cpu"], rows(10, 20, 30), whole))
    assert [p.value for p in points if not p.instance] == [expected]
    assert [p.instance for p in points if p.instance] == ["#0", "#1", "#2"]


def test_one_row_alone_is_the_whole_device() -> None:
    assert [
        (p.metric_name, p.instance) for p in points_of(VITALS["memory"], rows(10, total=200), "largest")
    ] == [
        ("memory_percent", ""),
        ("memory_used_bytes", ""),
        ("memory_total_bytes", ""),
    ]


def test_without_a_whole_each_row_is_an_instance() -> None:
    assert [p.instance for p in points_of(VITALS["disk"], rows(10), "none")] == ["#0"]


def test_a_scalar_without_a_name_is_the_whole_devices_number() -> None:
    points = points_of(VITALS["cpu"], [VitalRow("", 1, 12), *rows(10, 30)], "average")
    assert {p.instance: p.value for p in points} == {"": 12, "#0": 10, "#1": 30}


def test_rows_that_share_a_name_are_numbered() -> None:
    points = points_of(
        VITALS["temperature"], [VitalRow("T", 1, 20), VitalRow("T", 1, 21), VitalRow("U", 1, 22)], "none"
    )
    assert {p.instance: p.value for p in points} == {"T #1": 20, "T #2": 21, "U": 22}


def test_a_sum_of_pools_weighs_them_by_size() -> None:
    pools = [VitalRow("a", 1, 50, 50, 100), VitalRow("b", 1, 10, 90, 900)]
    assert [p.value for p in points_of(VITALS["memory"], pools, "sum") if not p.instance] == [14, 140, 1000]


def test_what_is_counted_in_parts_is_added_up_and_stored_as_one_number() -> None:
    points = list(points_of(VITALS["poe"], rows(120, 31)))
    assert [(p.metric_name, p.instance, p.value) for p in points] == [("poe_watts", "", 151)]


def test_the_whole_device_of_a_sign_without_parts_beats_its_parts() -> None:
    points = list(points_of(VITALS["poe"], [*rows(120, 31), VitalRow("", NOW, 150)]))
    assert [(p.instance, p.value) for p in points] == [("", 150)]


def test_a_vital_sign_that_is_not_collected_is_not_asked_for() -> None:
    own = profile("x", cpu=section(OWN), disk=section(OTHER))
    vitals = Vitals(own, profile("_standard"), ["cpu"])
    assert vitals.reads(vitals.everything()).columns == (f"{OWN}.2",)


def test_an_impossible_value_counts_as_none_and_the_next_source_is_used() -> None:
    own, standard = profile("x", cpu=section(OWN)), profile("_standard", cpu=section(STANDARD))
    points, productive = read(own, standard, answers(own={"1": 59_042}, standard={"1": 50}))
    assert points == {("cpu_percent", ""): 50}
    assert productive == {"cpu": [1]}


def test_a_value_that_is_impossible_from_every_source_is_told() -> None:
    vitals = Vitals(profile("x", cpu=section(OWN)), profile("_standard"))
    found = evaluated(vitals, answers(own={"1": 59_042}))
    assert found.points == []
    assert found.impossible == ["cpu: 59042 is not from 0 to 100 percent"]


@pytest.mark.parametrize("celsius", [-300, 1001])
def test_no_sensor_is_colder_than_absolute_zero_or_hotter_than_fire(celsius: int) -> None:
    own = profile("x", temperature=section(OWN, term="value"))
    assert read(own, profile("_standard"), answers(own={"1": celsius, "2": 20}))[0] == {
        ("temperature_celsius", "#2"): 20
    }
