"""From a source and what a device has answered to rows."""

from typing import Any

import msgspec
import pytest

from netvitals.collectors.snmp.profiles import evaluate
from netvitals.collectors.snmp.profiles.evaluate import VitalRow, index_part, number_of
from netvitals.collectors.snmp.profiles.schema import Source, references_of
from netvitals.collectors.snmp.tables import Rows, Tables, Value, text_of

NOW = 1_763_900_000_000_000_000
TABLE = "1.3.6.1.4.1.99999.1.1"


def source(**keys: Any) -> Source:
    return msgspec.convert(keys, Source)


def answers(
    columns: dict[str, dict[str, Value]] | None = None, scalars: dict[str, Value] | None = None
) -> Tables:
    """Columns by their number in one table, scalars by their number beside it."""
    given = Tables()
    for number, value in (scalars or {}).items():
        given.objects[f"1.3.6.1.4.1.99999.2.{number}.0"] = (value, NOW)
    for column, rows in (columns or {}).items():
        given.columns[f"{TABLE}.{column}"] = Rows(rows, NOW + 1)
    return given


def rows_of(found: Source, given: Tables) -> list[VitalRow]:
    return [row for row in evaluate.rows_of(found, given) if row is not None]


def host_resources_memory(given: Tables) -> list[VitalRow]:
    return rows_of(source(builtin="host-resources-memory"), given)


def values(found: Source, given: Tables) -> dict[str, float]:
    return {row.instance: round(row.value, 6) for row in rows_of(found, given)}


def test_a_column_gives_a_row_an_instance_stamped_with_its_own_response() -> None:
    rows = rows_of(source(percent=f"{TABLE}.2 load"), answers({"2": {"1": 10, "7": 30}}))
    assert [(row.instance, row.value, row.time_ns) for row in rows] == [
        ("1", 10, NOW + 1),
        ("7", 30, NOW + 1),
    ]


def test_a_scalar_gives_one_row_without_a_name() -> None:
    rows = rows_of(source(idle="1.3.6.1.4.1.99999.2.1.0 idle"), answers(scalars={"1": 75}))
    assert [(row.instance, row.value, row.time_ns) for row in rows] == [("", 25, NOW)]


def test_a_row_with_an_empty_text_as_its_name_is_the_whole_device() -> None:
    whole = source(percent=f"{TABLE}.2 load", instance="", where=[{"column": f"{TABLE}.3 role", "any": [2]}])
    assert values(whole, answers({"2": {"1": 10, "7": 30}, "3": {"1": 3, "7": 2}})) == {"": 30}


def test_what_the_device_does_not_have_gives_no_rows() -> None:
    assert rows_of(source(percent=f"{TABLE}.2 load"), answers()) == []
    assert rows_of(source(idle="1.3.6.1.4.1.99999.2.1.0 idle"), answers()) == []


@pytest.mark.parametrize(
    ("keys", "row", "expected"),
    [
        ({"used": f"{TABLE}.2 used", "total": f"{TABLE}.3 size"}, (25, 100, None), (25, 25, 100)),
        ({"free": f"{TABLE}.2 free", "total": f"{TABLE}.3 size"}, (25, 100, None), (75, 75, 100)),
        ({"used": f"{TABLE}.2 used", "free": f"{TABLE}.3 free"}, (25, 75, None), (25, 25, 100)),
        (
            {"used": f"{TABLE}.2 used", "total": f"{TABLE}.3 size", "unit": f"{TABLE}.4 unit"},
            (25, 100, 4096),
            (25, 25 * 4096, 100 * 4096),
        ),
        ({"used": f"{TABLE}.2 used", "total": f"{TABLE}.3 s", "unit": 1024}, (1, 4, None), (25, 1024, 4096)),
        ({"percent": f"{TABLE}.2 percent", "total": f"{TABLE}.3 s"}, (40, 1000, None), (40, 400, 1000)),
        ({"percent": f"{TABLE}.2 percent"}, (40, None, None), (40, None, None)),
        ({"idle": f"{TABLE}.2 free"}, (40, None, None), (60, None, None)),
        ({"used": f"{TABLE}.2 used", "total": 200}, (50, None, None), (25, 50, 200)),
    ],
)
def test_amounts_and_percentages_follow_from_what_is_given(
    keys: dict[str, Any], row: tuple[Value, ...], expected: tuple[float | None, ...]
) -> None:
    columns: dict[str, dict[str, Value]] = {str(n): {"1": v} for n, v in enumerate(row, 2) if v is not None}
    found = rows_of(source(**keys), answers(columns))
    assert [(r.value, r.used, r.total) for r in found] == [expected]


def test_several_terms_are_added_up_and_absent_ones_count_nothing() -> None:
    free = source(free=[f"{TABLE}.2 free", f"{TABLE}.3 buffers", f"{TABLE}.4 cached"], total=100)
    given = answers({"2": {"1": 10}, "4": {"1": 30}})
    assert [row.used for row in rows_of(free, given)] == [60]


@pytest.mark.parametrize(("used", "total"), [(5, 0), (11, 10), (-1, 10), (5, None)])
def test_amounts_that_cannot_be_are_no_measurement(used: int, total: int | None) -> None:
    columns: dict[str, dict[str, Value]] = {"2": {"1": used}}
    if total is not None:
        columns["3"] = {"1": total}
    assert rows_of(source(used=f"{TABLE}.2 used", total=f"{TABLE}.3 size"), answers(columns)) == []


@pytest.mark.parametrize(
    ("keys", "raw", "celsius"),
    [
        ({}, 42, 42),
        ({"multiply": 0.1}, 425, 42.5),
        ({"add": -273.15}, 300, 26.85),
        ({"fahrenheit": True}, 212, 100),
        ({"signed": 16}, 65531, -5),
        ({"signed": 32}, 4294967286, -10),
        ({}, b"42.5 C", 42.5),
        ({}, b"-3", -3),
        ({"text": r"(\d+) degrees"}, b"sensor 7: 31 degrees", 31),
        ({}, b"36.5\x00\x00", 36.5),
    ],
)
def test_a_temperature_is_converted_as_its_source_says(
    keys: dict[str, Any], raw: Value, celsius: float
) -> None:
    assert values(source(value=f"{TABLE}.2 temp", **keys), answers({"2": {"1": raw}})) == {"1": celsius}


def test_only_the_rows_that_say_so_are_in_fahrenheit() -> None:
    unit = f"{TABLE}.3 unit"
    mixed = source(value=f"{TABLE}.2 temp", fahrenheit={"column": unit, "any": [2]})
    assert f"{TABLE}.3 unit" in references_of(mixed)
    found = values(mixed, answers({"2": {"1": 212, "2": 21, "3": 22}, "3": {"1": 2, "2": 1}}))
    assert found == {"1": 100, "2": 21, "3": 22}


def test_milliwatts_are_told_in_dbm_and_darkness_is_no_measurement() -> None:
    light = source(value=f"{TABLE}.2 light", milliwatts=True, multiply=0.01)
    found = values(light, answers({"2": {"1": 100, "2": 1000, "3": 10, "4": 0, "5": -100}}))
    assert found == {"1": 0, "2": 10, "3": -10}


@pytest.mark.parametrize(
    ("keys", "raw"),
    [
        ({"drop": [0, -1]}, -1),
        ({"drop": [65535]}, 65535),
        ({"minimum": -50, "maximum": 150}, 999),
        ({}, b"N/A"),
        ({}, None),
        ({"text": r"(\w+) degrees"}, b"many degrees"),
    ],
)
def test_sentinels_and_nonsense_are_no_temperature(keys: dict[str, Any], raw: Value) -> None:
    assert rows_of(source(value=f"{TABLE}.2 temp", **keys), answers({"2": {"1": raw}})) == []


@pytest.mark.parametrize(
    ("scale", "precision", "raw", "celsius"),
    [
        (9, 0, 31, 31),
        (8, 0, 31500, 31.5),
        (9, 1, 315, 31.5),
        (10, 0, 1, 1000),
        (9, -1, 3, 30),
        (99, 99, 5, 5),
    ],
)
def test_scale_and_precision_columns_are_powers_of_ten(
    scale: int, precision: int, raw: int, celsius: float
) -> None:
    sensor = source(
        value=f"{TABLE}.4 v", exponent={"scale": f"{TABLE}.2 s", "precision": f"{TABLE}.3 p"}, maximum=2000
    )
    given = answers({"2": {"1": scale}, "3": {"1": precision}, "4": {"1": raw}})
    assert values(sensor, given) == {"1": celsius}


@pytest.mark.parametrize(("power", "celsius"), [(0, 21), (-1, 2.1), (1, 210), (999, 21), (None, 21)])
def test_a_column_may_be_the_power_of_ten_itself(power: int | None, celsius: float) -> None:
    sensor = source(value=f"{TABLE}.2 v", exponent={"power": f"{TABLE}.3 p"})
    assert f"{TABLE}.3 p" in references_of(sensor)
    assert values(sensor, answers({"2": {"1": 21}, "3": {"1": power}})) == {"1": celsius}


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"any": [8]}, {"1"}),
        ({"any": ["8", 9]}, {"1", "2"}),
        ({"none": [8]}, {"2", "3"}),
        ({"matches": "^9$"}, {"2"}),
        ({"not_matches": "^9$"}, {"1", "3"}),
        ({"any": [8], "none": [8]}, set()),
    ],
)
def test_filters_choose_rows_and_a_missing_cell_is_only_ever_excluded_by_what_is_asked_for(
    rule: dict[str, Any], kept: set[str]
) -> None:
    given = answers({"2": {"1": 10, "2": 20, "3": 30}, "3": {"1": 8, "2": 9}})
    found = source(value=f"{TABLE}.2 v", where=[{"column": f"{TABLE}.3 kind", **rule}])
    assert set(values(found, given)) == kept


def test_rows_can_be_chosen_by_their_index() -> None:
    given = answers({"2": {"1.1": 10, "1.2": 20, "2.1": 30}})
    assert set(
        values(source(value=f"{TABLE}.2 v", where=[{"column": "index", "matches": r"^1\."}]), given)
    ) == {
        "1.1",
        "1.2",
    }


def test_a_number_of_64_bits_may_be_in_two_columns() -> None:
    found = source(
        used=f"{TABLE}.2 usedLow",
        total=f"{TABLE}.4 sizeLow",
        high_words={f"{TABLE}.2 usedLow": f"{TABLE}.3 usedHigh", f"{TABLE}.4 sizeLow": f"{TABLE}.5 sizeHigh"},
    )
    given = answers(
        {"2": {"1": -1, "2": 5}, "3": {"1": 1, "2": 0}, "4": {"1": 0, "2": 10}, "5": {"1": 4, "2": 0}}
    )
    assert [(row.used, row.total) for row in rows_of(found, given)] == [(2**33 - 1, 2**34), (5, 10)]
    assert f"{TABLE}.3 usedHigh" in references_of(found)
    given = answers({"2": {"1": 5, "2": 5}, "3": {"1": 0}, "4": {"1": 10, "2": 10}, "5": {"1": 0, "2": 1}})
    assert [row.used for row in rows_of(found, given)] == [5], "a high word is lost in the second row"


def test_a_total_may_be_in_another_row_of_the_same_table() -> None:
    found = source(
        free=f"{TABLE}.2 memFree",
        total={"column": f"{TABLE}.2 memTotal", "key": "row 1"},
        where=[{"column": "index", "any": [2]}],
    )
    rows = rows_of(found, answers({"2": {"1": 100, "2": 25}}))
    assert [(row.used, row.total) for row in rows] == [(75, 100)]


def test_a_name_comes_from_a_column_a_text_or_another_table() -> None:
    given = answers(
        {
            "2": {"1.5": 10},
            "3": {"1.5": b"Inlet\x00"},
            "4": {"1.5": 77},
            "9": {"77": b"Board", "1": b"Slot 1"},
        }
    )
    board = {"column": f"{TABLE}.9 name", "key": f"{TABLE}.4 entity"}
    slot = {"column": f"{TABLE}.9 name", "key": "index[0]"}
    for instance, name, expected in (
        (f"{TABLE}.3 descr", None, "Inlet"),
        ("Sensor {index}", None, "Sensor 1.5"),
        ("Sensor {index[1]} of {index[0]}", None, "Sensor 5 of 1"),
        (board, None, "Board"),
        ("{name}, sensor {index[-1]}", slot, "Slot 1, sensor 5"),
        (None, None, "1.5"),
    ):
        keys = {"value": f"{TABLE}.2 v", "instance": instance, "name": name}
        assert list(values(source(**{k: v for k, v in keys.items() if v}), given)) == [expected]


@pytest.mark.parametrize(
    ("key", "part"),
    [("index", "4.5.6"), ("index[0]", "4"), ("index[-1]", "6"), ("index[1:]", "5.6"), ("index[:2]", "4.5")],
)
def test_parts_of_an_index(key: str, part: str) -> None:
    assert index_part(key, "4.5.6") == part
    assert index_part("index[7]", "4.5.6") is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"two\r\nlines\x00", "two lines"),
        (b"caf\xe9", "café"),
        (b"\x01bell\x07", "bell"),
        (7, "7"),
        (None, ""),
    ],
)
def test_values_read_as_text_without_what_does_not_print(raw: Value, text: str) -> None:
    assert text_of(raw) == text


def test_every_number_in_a_text_may_be_a_sensor() -> None:
    shelf = source(
        value=f"{TABLE}.2 temps", text=r"(\d+)C\b", each=True, instance="Shelf {index}", maximum=90
    )
    given = answers({"2": {"1": b"24C (75F) ambient, 27C (80F), 99C (210F)", "2": b"none", "3": 7}})
    assert values(shelf, given) == {"Shelf 1 1": 24, "Shelf 1 2": 27}


def test_a_text_is_searched_no_further_than_a_line_or_two() -> None:
    assert len(text_of(b"\xc3\xa4" * 40_000)) <= 256
    assert number_of(b"x" * 60_000 + b"7") is None


def test_object_identifiers_and_nothing_are_no_numbers() -> None:
    assert number_of("1.3.6.1") is None
    assert number_of(None) is None
    assert number_of(1.5) == 1.5


def storage(rows: list[tuple[str, str, int, int, int]]) -> Tables:
    """hrStorageTable of (type, name, unit, size, used)."""
    given = Tables()
    for column, place in (("2", 0), ("3", 1), ("4", 2), ("5", 3), ("6", 4)):
        for number, row in enumerate(rows, 1):
            cell = row[place]
            as_oid = f"1.3.6.1.2.1.25.2.1.{cell}"
            value = as_oid if place == 0 else cell.encode() if isinstance(cell, str) else cell
            given.put(f"1.3.6.1.2.1.25.2.3.1.{column}", str(number), value, NOW)
    return given


def test_memory_that_the_kernel_would_give_back_is_not_in_use() -> None:
    given = storage(
        [
            ("2", "Physical memory", 1024, 1000, 900),
            ("1", "Memory buffers", 1024, 1000, 100),
            ("1", "Cached memory", 1024, 400, 400),
            ("3", "Virtual memory", 1024, 3000, 1000),
            ("4", "/", 4096, 10, 5),
        ]
    )
    [row] = host_resources_memory(given)
    assert (row.instance, row.value, row.used, row.total) == ("Physical memory", 40, 400 * 1024, 1000 * 1024)


def test_memory_in_use_is_what_is_not_available_where_the_kernel_says_what_is() -> None:
    rows: list[tuple[str, str, int, int, int]] = [
        ("2", "Physical memory", 1024, 1000, 900),
        ("1", "Cached memory", 1024, 400, 400),
    ]
    [row] = host_resources_memory(storage([*rows, ("1", "Available memory", 1024, 700, 0)]))
    assert (row.value, row.used) == (30, 300 * 1024)
    [row] = host_resources_memory(storage([*rows, ("1", "Available memory", 1024, 2000, 0)]))
    assert row.value == 50, "more than there is: buffers and cache are taken off"


def test_buffers_that_exceed_what_is_in_use_were_never_counted_in() -> None:
    given = storage([("2", "Physical memory", 1, 1000, 300), ("1", "Cached memory", 1, 1000, 700)])
    assert [row.value for row in host_resources_memory(given)] == [30]


def test_every_ram_row_counts_and_impossible_ones_do_not() -> None:
    given = storage([("2", "RAM", 1, 100, 10), ("2", "DRAM", 1, 100, 200), ("2", "SRAM", 1, 0, 0)])
    assert [row.instance for row in host_resources_memory(given)] == ["RAM"]


ABSURD: list[Value] = [float("inf"), float("-inf"), float("nan"), b"9" * 400, b"-" + b"9" * 400]


@pytest.mark.parametrize("raw", ABSURD)
def test_a_number_that_is_none_costs_only_its_own_row(raw: Value) -> None:
    assert number_of(raw) is None or abs(number_of(raw) or 0) < 1e300
    given = answers({"2": {"1": raw, "2": 30}, "3": {"1": 100, "2": 100}})
    assert "2" in values(source(used=f"{TABLE}.2 used", total=f"{TABLE}.3 size"), given)
    assert values(source(value=f"{TABLE}.2 temp"), given)["2"] == 30


@pytest.mark.parametrize("column", ["4", "5", "6"])
@pytest.mark.parametrize("raw", [*ABSURD, -1, 0, 10**19])
def test_a_size_that_can_not_be_costs_only_its_own_memory(column: str, raw: Value) -> None:
    given = storage([("2", "RAM", 1, 100, 10), ("2", "DRAM", 1, 100, 20)])
    given.put(f"1.3.6.1.2.1.25.2.3.1.{column}", "1", raw, NOW)
    assert "DRAM" in [row.instance for row in host_resources_memory(given)]
