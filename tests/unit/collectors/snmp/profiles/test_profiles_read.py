"""Packaged profiles whose sources take more than a column: what a device answers, and what that means."""

from collections.abc import Mapping
from typing import Any

import pytest

from local.devices.snmp_tables import tables_of
from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.packaged import PACKAGED
from netvitals.collectors.snmp.profiles.schema import Profile
from netvitals.collectors.snmp.profiles.vitals import Evaluation, Vitals
from netvitals.collectors.snmp.tables import Value
from netvitals.domain.polling.metrics import VITALS
from netvitals.usecases.turns import at_once


@pytest.fixture(scope="module")
def profiles() -> dict[str, Profile]:
    return read_folder(PACKAGED)


def read(profiles: dict[str, Profile], name: str, section: str, objects: Mapping[str, Value]) -> Any:
    """{instance: value} of the section's percentages or temperatures."""
    vitals = Vitals(profiles[name], profiles["_standard"])
    everything = vitals.everything()
    found = Evaluation()
    at_once(vitals.evaluate(everything, tables_of(objects, vitals.reads(everything).columns), found))
    wanted = VITALS[section].metric
    return {p.instance: p.value for p in found.points if p.metric_name == wanted}


def test_every_number_in_a_netapp_shelfs_text_is_a_sensor(profiles: dict[str, Profile]) -> None:
    text: dict[str, Value] = {"1.3.6.1.4.1.789.1.21.1.2.1.25.3": b"24C (75F) ambient, 27C (80F), 31C (87F)"}
    assert read(profiles, "netapp", "temperature", text) == {
        "Shelf 3 sensor 1": 24,
        "Shelf 3 sensor 2": 27,
        "Shelf 3 sensor 3": 31,
    }


def test_ironware_counts_a_stacks_sensors_once_and_in_half_degrees(profiles: dict[str, Profile]) -> None:
    chassis, stack = "1.3.6.1.4.1.1991.1.1.2.13.1.1", "1.3.6.1.4.1.1991.1.1.2.13.3.1"
    old: dict[str, Value] = {f"{chassis}.4.1.1": 97, f"{chassis}.3.1.1": b"MAC sensor"}
    new: dict[str, Value] = {
        f"{stack}.5.1.1.1": 97,
        f"{stack}.4.1.1.1": b"MAC sensor",
        f"{stack}.5.2.1.1": 80,
    }
    assert read(profiles, "ironware", "temperature", old) == {"MAC sensor": 48.5}
    assert read(profiles, "ironware", "temperature", old | new) == {"1/1 MAC sensor": 48.5, "2/1": 40}


def test_ironware_averages_over_five_minutes(profiles: dict[str, Profile]) -> None:
    usage = "1.3.6.1.4.1.1991.1.1.2.11.1.1"
    given: dict[str, Value] = {
        f"{usage}.6.1.1.{seconds}": load for seconds, load in ((1, 9900), (60, 5000), (300, 1250))
    }
    assert read(profiles, "ironware", "cpu", given) == {"": 12.5}


def test_liebert_prefers_tenths_of_a_degree_sensor_by_sensor(profiles: dict[str, Profile]) -> None:
    table = "1.3.6.1.4.1.476.1.42.3.4.1.3.3.1"
    given: dict[str, Value] = {
        f"{table}.50.1": 215,
        f"{table}.3.1": 21,
        f"{table}.3.2": 24,
        f"{table}.2.1": b"Supply",
        f"{table}.2.2": b"Return",
    }
    assert read(profiles, "liebert", "temperature", given) == {"Supply 1": 21.5, "Return 2": 24}


@pytest.mark.parametrize(("raw", "celsius"), [(255, 25.5), (2985, 25.5), (0, None), (9999, None)])
def test_infortrend_tells_kelvin_from_celsius(
    profiles: dict[str, Profile], raw: int, celsius: float | None
) -> None:
    table = "1.3.6.1.4.1.1714.1.1.9.1"
    given: dict[str, Value] = {f"{table}.9.4": raw, f"{table}.6.4": 3, f"{table}.8.4": b"Backplane"}
    expected = {} if celsius is None else {"Backplane": celsius}
    assert read(profiles, "infortrend", "temperature", given) == expected


def test_a_cpu_that_is_told_in_words(profiles: dict[str, Profile]) -> None:
    lancom: dict[str, Value] = {"1.3.6.1.4.1.2356.14.1.1.1.24.0": b"100ms:87%, 1s:49%, 10s:42%"}
    assert read(profiles, "lcossx", "cpu", lancom) == {"": 42}
    netgear: dict[str, Value] = {
        "1.3.6.1.4.1.4526.10.1.1.4.9.0": b"    5 Secs ( 6.4918%)   60 Secs ( 5.2271%)"
    }
    assert read(profiles, "netgear", "cpu", netgear) == {"": 6.492}


def test_nimble_volumes_are_megabytes_in_64_bits(profiles: dict[str, Profile]) -> None:
    table = "1.3.6.1.4.1.37447.1.2.1"
    given: dict[str, Value] = {
        f"{table}.3.1": b"vol1",
        f"{table}.4.1": 0,
        f"{table}.5.1": 1,
        f"{table}.6.1": 2**30,
        f"{table}.7.1": 0,
    }
    assert read(profiles, "nimbleos", "disk", given) == {"vol1": 25}


def test_netscaler_health_counters_with_temp_in_their_names(profiles: dict[str, Profile]) -> None:
    def index(name: str) -> str:
        return ".".join(map(str, [len(name), *name.encode()]))

    table = "1.3.6.1.4.1.5951.4.1.1.41.7.1.2"
    given: dict[str, Value] = {
        f"{table}.{index('CPU0Temperature')}": 54,
        f"{table}.{index('CPU1Temperature')}": 0,
        f"{table}.{index('CPUFan0Speed')}": 7875,
    }
    assert list(read(profiles, "netscaler", "temperature", given).values()) == [54]


@pytest.mark.parametrize(("unit", "celsius"), [(1, 75), (2, 23.889)])
def test_apc_probes_are_read_in_the_scale_that_the_card_is_set_to(
    profiles: dict[str, Profile], unit: int, celsius: float
) -> None:
    probes = "1.3.6.1.4.1.318.1.1.10.3.13.1.1"
    given: dict[str, Value] = {
        "1.3.6.1.4.1.318.1.1.10.3.12.11.0": unit,
        f"{probes}.2.1": b"Rack",
        f"{probes}.3.1": 75,
        f"{probes}.10.1": 2,
        f"{probes}.2.2": b"Never seen",
        f"{probes}.3.2": 27,
        f"{probes}.10.2": 1,
    }
    assert read(profiles, "apc", "temperature", given) == {"Rack": celsius}


def test_apc_prefers_the_tenths_of_a_degree_of_a_ups(profiles: dict[str, Profile]) -> None:
    whole: dict[str, Value] = {"1.3.6.1.4.1.318.1.1.1.2.2.2.0": 31}
    tenths: dict[str, Value] = {"1.3.6.1.4.1.318.1.1.1.2.3.2.0": 314}
    assert read(profiles, "apc", "temperature", whole) == {"UPS internal": 31}
    assert read(profiles, "apc", "temperature", whole | tenths) == {"UPS internal": 31.4}


def test_apc_cooling_units_tell_the_scale_beside_the_value(profiles: dict[str, Profile]) -> None:
    table = "1.3.6.1.4.1.318.1.1.27.1.4.1.2.1"
    given: dict[str, Value] = {}
    for row, (name, value, unit, scale) in enumerate(
        [
            (b"Supply Temperature", 248, b"C", 10),
            (b"Supply Temperature", 766, b"F", 10),
            (b"Fan", 30, b"%", 1),
        ]
    ):
        cells: tuple[Value, ...] = (name, value, unit, scale)
        given |= {f"{table}.{column}.{row}": cell for column, cell in zip((2, 3, 4, 5), cells, strict=True)}
    assert read(profiles, "apc-inrow", "temperature", given) == {"Supply Temperature": 24.8}


@pytest.mark.parametrize(("raw", "celsius"), [(43, 43), (430000000, 43), (0, None)])
def test_airos_tells_degrees_or_ten_millionths_of_them(
    profiles: dict[str, Profile], raw: int, celsius: float | None
) -> None:
    found = read(profiles, "airos", "temperature", {"1.3.6.1.4.1.41112.1.4.8.4.0": raw})
    assert found == ({} if celsius is None else {"Host": celsius})


def test_dlinks_flash_is_no_memory(profiles: dict[str, Profile]) -> None:
    table = "1.3.6.1.4.1.171.14.5.1.4.1"
    given: dict[str, Value] = {
        f"{table}.3.1.1": 200000,
        f"{table}.4.1.1": 50000,
        f"{table}.5.1.1": 150000,
        f"{table}.3.1.2": 300000,
        f"{table}.4.1.2": 290000,
        f"{table}.5.1.2": 10000,
    }
    assert read(profiles, "dlink", "memory", given) == {"": 25}


def test_a_powervaults_sensors_are_sentences(profiles: dict[str, Profile]) -> None:
    sensor = "1.3.6.1.3.94.1.8.1"
    given: dict[str, Value] = {
        f"{sensor}.6.1.7": b"CPU Temperature-Ctlr 2 Ctlr: 55 C 131.00F",
        f"{sensor}.3.1.7": b"CPU",
        f"{sensor}.6.1.8": b"Voltage: 12.1",
    }
    assert read(profiles, "dell-powervault", "temperature", given) == {"CPU 7": 55}
