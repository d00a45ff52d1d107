"""Interfaces that a vendor's own MIB counts: what its rows say, and what they stand in for."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from netvitals.collectors.snmp import interfaces, vendor_interfaces
from netvitals.collectors.snmp.interfaces import Interfaces, points_of_interfaces
from netvitals.collectors.snmp.profiles.schema import InterfaceSource
from netvitals.collectors.snmp.protocol import InterfaceFilter
from netvitals.collectors.snmp.tables import Rows, Tables, Value
from netvitals.collectors.snmp.vendor_interfaces import Counted, points_without_index
from netvitals.usecases.turns import at_once

ACME = "1.3.6.1.4.1.99999.7"
IF, IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
IN, OUT, NAME, STATE, SPEED, HIGH, INDEX = (f"{ACME}.{n} acme{n}" for n in range(1, 8))
EVERY = InterfaceFilter()


def source(**given: Any) -> InterfaceSource:
    return msgspec.convert({"if_index": "index", "bytes_in": IN, **given}, InterfaceSource)


def rows_counted(found: InterfaceSource, given: Tables) -> list[Counted]:
    return at_once(vendor_interfaces.rows_counted(found, given))


def replace_counters(found: Interfaces, rows: Sequence[Counted], wanted: InterfaceFilter) -> Interfaces:
    return at_once(vendor_interfaces.replace_counters(found, rows, wanted))


def answers(**columns: Mapping[str, Value]) -> Tables:
    """`c1={"3": 5}` is column 1 of ACME's table; each row of column N came at N hundred."""
    found = Tables()
    for name, rows in columns.items():
        found.columns[f"{ACME}.{name[1:]}"] = Rows(dict(rows), int(name[1:]) * 100)
    return found


def test_a_row_is_of_the_interface_that_its_index_names() -> None:
    given = answers(c1={"1.7": 10, "1.8": 20})
    assert rows_counted(source(if_index="index[1]"), given) == [
        Counted({"bytes_in": 10}, 100, if_index="7"),
        Counted({"bytes_in": 20}, 100, if_index="8"),
    ]


def test_a_row_is_of_the_interface_whose_index_a_column_holds() -> None:
    given = answers(c1={"a.1": 10, "a.2": 20}, c7={"a.1": 501})
    assert [row.if_index for row in rows_counted(source(if_index=INDEX), given)] == ["501", ""]


def test_scalars_are_of_one_interface() -> None:
    scalars = Tables()
    scalars.objects[f"{ACME}.1.0"] = (5, 9)
    given = source(bytes_in=f"{ACME}.1.0 acme1", if_index=None, interface="eth0")
    assert rows_counted(given, scalars) == [Counted({"bytes_in": 5}, 9, interface="eth0")]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2**64 - 1, 2**64 - 1),
        (b"18446744073709551615", 2**64 - 1),
        (b"12 345", None),
        (b"", None),
        (b"\xff\x00", None),
        (-5, None),
        (2**64, None),
        (b"9" * 400, None),
        (1.5, None),
        (None, None),
    ],
)
def test_a_counter_is_exact_or_none(value: Value, number: int | None) -> None:
    rows = rows_counted(source(), answers(c1={"1": value}))
    assert rows == ([] if number is None else [Counted({"bytes_in": number}, 100, if_index="1")])


def test_two_words_are_one_counter_and_none_where_one_is_missing() -> None:
    given = answers(c1={"1": 7, "2": 7, "3": -1}, c6={"1": 2, "3": 0})
    rows = rows_counted(source(high_words={IN: HIGH}), given)
    assert {row.if_index: row.numbers["bytes_in"] for row in rows} == {"1": 2 * 2**32 + 7, "3": 2**32 - 1}


def test_speed_is_multiplied_and_states_are_translated() -> None:
    given = source(
        speed={"column": SPEED, "multiply": 1_000_000}, oper_status={"column": STATE, "meaning": {0: 2, 9: 1}}
    )
    rows = rows_counted(given, answers(c1={"1": 1, "2": 2}, c4={"1": 9, "2": 5}, c5={"1": 2500}))
    assert [row.numbers for row in rows] == [
        {"bytes_in": 1, "speed": 2_500_000_000, "oper_status": 1},
        {"bytes_in": 2},
    ]


def test_a_state_that_ifoperstatus_does_not_have_is_none() -> None:
    rows = rows_counted(source(oper_status=STATE), answers(c1={"1": 1, "2": 1}, c4={"1": 7, "2": 8}))
    assert [row.numbers.get("oper_status") for row in rows] == [7, None]


def test_rows_of_one_name_are_told_apart_by_their_index_and_rules_leave_rows_out() -> None:
    given = source(if_index=None, instance=NAME, where=[{"column": STATE, "none": [0]}])
    names = {"1.1": b"p1", "1.2": b"p1", "1.3": b"p3", "1.4": b"p1"}
    rows = rows_counted(given, answers(c1=dict.fromkeys(names, 5), c3=names, c4={"1.4": 0}))
    assert [row.name for row in rows] == ["p1 [1.1]", "p1 [1.2]", "p3"]


def if_mib() -> Interfaces:
    """eth0, up, whose counters stand still, and eth1, of which only 32-bit counters are known."""
    columns: dict[str, dict[str, Value]] = {
        f"{IF}.2": {"1": b"Ethernet 0", "2": b"Ethernet 1"},
        f"{IFX}.1": {"1": b"eth0", "2": b"eth1"},
        f"{IF}.8": {"1": 2, "2": 1},
        f"{IFX}.6": {"1": 0},
        f"{IF}.10": {"1": 0, "2": 77},
        f"{IF}.5": {"1": 10, "2": 10},
        f"{IFX}.15": {"1": 1000, "2": 1000},
    }
    found = Interfaces()
    for column, rows in columns.items():
        found.tables.columns[column] = Rows(rows, 1)
    found.names = at_once(interfaces.selected(found, EVERY))
    return found


def measured(found: Interfaces) -> dict[tuple[str, str], float]:
    return {(p.instance, p.metric_name): p.value for p in points_of_interfaces(found, EVERY)}


@pytest.mark.parametrize("place", [{"if_index": "1"}, {"interface": "eth0"}, {"name": "Ethernet 0"}])
def test_what_a_row_says_replaces_what_if_mib_says_and_nothing_else(place: dict[str, str]) -> None:
    found = if_mib()
    before = measured(found)
    row = Counted({"bytes_in": 2**40, "oper_status": 1, "speed": 5}, 900, **place)
    others = replace_counters(found, [row], EVERY)
    changed = {
        ("eth0", "net_bytes_in"): 2**40,
        ("eth0", "net_oper_status"): 1,
        ("eth0", "net_speed_bps"): 5,
    }
    assert measured(found) == before | changed
    assert others.indexes == []
    assert {p.time_ns for p in points_of_interfaces(found, EVERY) if p.value == 2**40} == {900}


def test_a_row_before_it_counts_more() -> None:
    found = if_mib()
    rows = [
        Counted({"bytes_in": 5}, 1, if_index="1"),
        Counted({"bytes_in": 6, "errors_in": 7}, 1, if_index="1"),
    ]
    replace_counters(found, rows, EVERY)
    assert measured(found)["eth0", "net_bytes_in"] == 5
    assert measured(found)["eth0", "net_errors_in"] == 7


def test_a_name_given_with_the_index_is_the_interfaces_name() -> None:
    found = if_mib()
    replace_counters(found, [Counted({"bytes_in": 5}, 1, if_index="2", name="p2")], EVERY)
    assert measured(found)["p2", "net_bytes_in"] == 5
    assert not [key for key in measured(found) if key[0] == "eth1"]


def test_a_row_of_no_interface_is_one_itself_where_it_has_a_name() -> None:
    found = if_mib()
    rows = [
        Counted({"bytes_in": 1}, 1, if_index="9"),
        Counted({"bytes_in": 2}, 1, interface="eth9"),
        Counted({"bytes_in": 3}, 1, if_index="8", name="p8"),
        Counted({"bytes_in": 4, "oper_status": 1}, 1, name="pon1"),
        Counted({"bytes_out": 5}, 1, name="pon1"),
        Counted({"bytes_in": 6, "oper_status": 2}, 1, name="pon2"),
    ]
    others = replace_counters(found, rows, EVERY)
    assert {p.if_index: p.instance for p in points_of_interfaces(found, EVERY)} == {
        1: "eth0",
        2: "eth1",
        8: "p8",
    }
    said = {(p.instance, p.metric_name): (p.value, p.if_index) for p in points_without_index(others, EVERY)}
    assert said == {
        ("pon1", "net_bytes_in"): (4, None),
        ("pon1", "net_bytes_out"): (5, None),
        ("pon1", "net_oper_status"): (1, None),
        ("pon2", "net_bytes_in"): (6, None),
        ("pon2", "net_oper_status"): (2, None),
    }
    up = InterfaceFilter(only_oper_up=True, only_admin_up=True)
    others = replace_counters(if_mib(), rows, up)
    assert {p.instance for p in points_without_index(others, up)} == {"pon1"}
