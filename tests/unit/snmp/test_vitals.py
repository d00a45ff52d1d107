"""Which sources of a profile count, and the points that they make."""

from typing import Any

import msgspec
import pytest

from netvitals.collectors.snmp.profiles.answers import Answers
from netvitals.collectors.snmp.profiles.evaluate import Row
from netvitals.collectors.snmp.profiles.schema import Profile
from netvitals.collectors.snmp.profiles.vitals import Vitals, points_of

OWN, OTHER, STANDARD = (f"1.3.6.1.4.1.99999.{n}" for n in (1, 2, 3))


def profile(name: str, **sections: Any) -> Profile:
    return msgspec.convert({"name": name, **sections}, Profile)


def section(*oids: str, term: str = "percent", **keys: Any) -> dict[str, Any]:
    return {"sources": [{term: f"{oid}.2 object", "instance": "#{index}"} for oid in oids], **keys}


def answers(**columns: dict[str, int]) -> Answers:
    given = Answers()
    for name, rows in columns.items():
        oid = {"own": OWN, "other": OTHER, "standard": STANDARD}[name]
        given.add_column(f"{oid}.2", rows, {})
    return given


def read(own: Profile, standard: Profile, given: Answers) -> tuple[dict[tuple[str, str], float], Any]:
    vitals = Vitals(own, standard)
    points, productive = vitals.evaluate(vitals.everything(), given)
    return {(p.metric_name, p.instance): p.value for p in points}, productive


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


def test_only_what_was_productive_is_asked_for_again() -> None:
    vitals = Vitals(profile("x", cpu=section(OWN, OTHER)), profile("_standard", cpu=section(STANDARD)))
    assert vitals.reads(vitals.everything()).columns == (f"{OWN}.2", f"{OTHER}.2", f"{STANDARD}.2")
    assert vitals.reads({"cpu": [1]}).columns == (f"{OTHER}.2",)
    assert vitals.reads({"cpu": [9]}).columns == ()


def test_scalars_are_got_and_columns_walked() -> None:
    own = profile("x", memory={"sources": [{"free": f"{OWN}.1.0 free", "total": f"{OWN}.2.0 size"}]})
    vitals = Vitals(own, profile("_standard"))
    assert vitals.reads(vitals.everything()).scalars == (f"{OWN}.1.0", f"{OWN}.2.0")


def rows(*values: float, total: float | None = None) -> list[Row]:
    return [
        Row(f"#{n}", n, value, None if total is None else total * value / 100, total)
        for n, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [("average", 20), ("maximum", 30), ("first", 10), ("sum", 20), ("largest", 10)],
)
def test_the_whole_devices_number_is_made_as_the_profile_says(whole: str, expected: float) -> None:
    points = points_of("cpu", rows(10, 20, 30), whole)
    assert [p.value for p in points if not p.instance] == [expected]
    assert [p.instance for p in points if p.instance] == ["#0", "#1", "#2"]


def test_one_row_alone_is_the_whole_device() -> None:
    assert [(p.metric_name, p.instance) for p in points_of("memory", rows(10, total=200), "largest")] == [
        ("memory_percent", ""),
        ("memory_used_bytes", ""),
        ("memory_total_bytes", ""),
    ]


def test_without_a_whole_each_row_is_an_instance() -> None:
    assert [p.instance for p in points_of("disk", rows(10), "none")] == ["#0"]


def test_a_scalar_without_a_name_is_the_whole_devices_number() -> None:
    points = points_of("cpu", [Row("", 1, 12), *rows(10, 30)], "average")
    assert {p.instance: p.value for p in points} == {"": 12, "#0": 10, "#1": 30}


def test_rows_that_share_a_name_are_numbered() -> None:
    points = points_of("temperature", [Row("T", 1, 20), Row("T", 1, 21), Row("U", 1, 22)], "none")
    assert {p.instance: p.value for p in points} == {"T #1": 20, "T #2": 21, "U": 22}


def test_a_sum_of_pools_weighs_them_by_size() -> None:
    pools = [Row("a", 1, 50, 50, 100), Row("b", 1, 10, 90, 900)]
    assert [p.value for p in points_of("memory", pools, "sum") if not p.instance] == [14, 140, 1000]
