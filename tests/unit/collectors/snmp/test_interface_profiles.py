"""Profiles that count interfaces: read by the collector, explained, checked, and those of the package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.snmp_poll import poll, served, values
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import interfaces, system
from local.devices.snmp_mib import Counter64, Object
from local.devices.snmp_misbehaviour import FailsOn
from local.devices.snmp_tables import tables_of
from netvitals.collectors.snmp.explain import explain
from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.files import read_folder, read_profiles
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.collectors.snmp.profiles.packaged import PACKAGED
from netvitals.collectors.snmp.profiles.vitals import reads_of
from netvitals.collectors.snmp.tables import Value
from netvitals.collectors.snmp.vendor_interfaces import Counted, rows_counted
from netvitals.collectors.snmp.wire.sessions import open_session
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.usecases.turns import at_once

ACME = "1.3.6.1.4.1.99999.7"
IF = "1.3.6.1.2.1.2.2.1"
NAME = f"{ACME}.3 acmeName"

HASTY = {"timeout_seconds": 0.8, "retries": 0}
"""Settings for agents that are silent on something: of what they answer a busy machine loses nothing."""

PROFILE = f"""
match:
  - sysobjectid: [{ACME}]
interfaces:
  - interface: Gi1/0/2
    bytes_in: {ACME}.1.0 acmeIn
    bytes_out: {ACME}.2.0 acmeOut
  - instance: {NAME}
    bytes_in: {ACME}.30 acmePortIn
"""


def book(folder: Path, text: str = PROFILE) -> ProfileBook:
    (folder / "acme.yaml").write_text(text)
    (folder / "_standard.yaml").write_text("description: none\n")
    write_index(read_folder(folder), folder / "index")
    return ProfileBook(folder / "index")


SCALARS: dict[str, Object] = {f"{ACME}.1.0": Counter64(111), f"{ACME}.2.0": Counter64(222)}
PORTS: dict[str, Object] = {f"{ACME}.3.1": "pon1", f"{ACME}.30.1": Counter64(333)}


def device(*own: dict[str, Object]) -> Agent:
    objects = {**system("r", ACME), **interfaces(3)}
    for more in own:
        objects |= more
    return Agent(objects)


async def test_the_collector_reads_what_the_vendor_counts(tmp_path: Path) -> None:
    reading = await poll(device(SCALARS, PORTS), profiles=book(tmp_path))
    assert (reading.reason, reading.detail) == (Reason.OK, "")
    octets = values(reading, "net_bytes_in")
    assert octets["Gi1/0/2"] == 111
    assert values(reading, "net_bytes_out")["Gi1/0/2"] == 222
    assert octets["Gi1/0/1"] == (4_000_000_000 + 1_234_567) * 1000 + 6
    assert octets["pon1"] == 333
    assert _indexes(reading, "pon1") == {None}
    assert _indexes(reading, "Gi1/0/2") == {2}
    assert reading.memory["snmp"]["sources"]["interfaces"] == [0, 1]


def _indexes(reading: Reading, instance: str) -> set[int | None]:
    return {p.if_index for p in reading.points if p.instance == instance}


async def test_a_source_that_gave_nothing_is_not_asked_again_and_one_that_falls_silent_is_looked_for(
    tmp_path: Path,
) -> None:
    profiles = book(tmp_path)
    first = await poll(device(SCALARS), profiles=profiles)
    assert first.memory["snmp"]["sources"]["interfaces"] == [0]
    again = await poll(device(SCALARS, PORTS), profiles=profiles, memory=first.memory)
    assert "pon1" not in values(again, "net_bytes_in")
    silent = await poll(device(), profiles=profiles, memory=first.memory)
    assert "asked_all_at" not in silent.memory["snmp"]
    assert values(silent, "net_bytes_in")["Gi1/0/2"] == (4_000_000_000 + 2 * 1_234_567) * 1000 + 6


async def test_no_counter_of_if_mib_is_taken_for_the_vendors_whose_answer_was_lost(tmp_path: Path) -> None:
    profiles = book(tmp_path)
    first = await poll(device(SCALARS, PORTS), profiles=profiles)
    last = {"1.3.6.1.3.1.0": 1}  # where the walk of IF-MIB sees that it is at the end
    silent = FailsOn(ACME, system("r", ACME) | interfaces(3) | last | SCALARS | PORTS, silent=True)
    lost = await poll(silent, profiles=profiles, memory=first.memory, snmp=HASTY)
    assert lost.reason is Reason.PARTIAL
    assert values(lost, "net_bytes_in") == {}
    assert values(lost, "net_errors_in").keys() == {"Gi1/0/1", "Gi1/0/2", "Gi1/0/3"}
    again = await poll(device(SCALARS, PORTS), profiles=profiles, memory=lost.memory)
    assert values(again, "net_bytes_in") == values(first, "net_bytes_in")


async def test_a_sensor_has_no_other_name_for_a_poll_whose_answer_was_lost(tmp_path: Path) -> None:
    value, between, name = (f"{ACME}.9.{column}" for column in (1, 2, 3))
    text = f"temperature: [{{ value: {value} acmeDegrees, instance: {name} acmeSensorName }}]\n"
    profiles = book(tmp_path, f"match: [{{ sysobjectid: [{ACME}] }}]\n{text}")
    objects = system("r", ACME) | {f"{value}.{n}": 38 for n in (1, 2)} | {f"{between}.1": 1}
    objects |= {f"{name}.1": "inlet", f"{name}.2": "outlet"}
    memory: dict[str, Any] = {}
    silent, names = FailsOn(name, objects, silent=True), []
    for agent in (Agent(objects), silent, Agent(objects), silent, silent, Agent(objects)):
        reading = await poll(agent, profiles=profiles, memory=memory, snmp=HASTY)
        names.append({p.instance for p in reading.points if p.metric_name == "temperature_celsius"})
        memory |= reading.memory
    whole, unnamed = {"inlet", "outlet"}, {"1", "2"}
    assert names == [whole, set(), whole, set(), unnamed, whole], "silent twice, it has no names"


async def test_the_filter_holds_for_interfaces_of_a_vendors_mib_as_well(tmp_path: Path) -> None:
    reading = await poll(
        device(SCALARS, PORTS), profiles=book(tmp_path), snmp={"interfaces": {"exclude_names": "^pon"}}
    )
    assert set(values(reading, "net_bytes_in")) == {"Gi1/0/1", "Gi1/0/2", "Gi1/0/3"}


async def test_a_profile_without_the_section_asks_nothing_more(tmp_path: Path) -> None:
    plain = device()
    await poll(plain, profiles=book(tmp_path, f"match: [{{ sysobjectid: [{ACME}] }}]\n"))
    counting = device()
    await poll(counting, profiles=book(tmp_path))
    assert plain.requests < counting.requests


async def test_explain_shows_what_each_row_says(tmp_path: Path) -> None:
    async with served(device(SCALARS)) as target:
        found = await explain(open_session(target).session, book(tmp_path))
    first, second = (report for report in found.sources if report.section == "interfaces")
    assert [row.numbers for row in first.counted] == [{"bytes_in": 111, "bytes_out": 222}]
    assert [asked.name for asked in first.asked] == ["acmeIn", "acmeOut"]
    assert (first.used, second.used, second.counted) == (True, False, [])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("bytes_in: 1.3.6.1.4.1.1.5 in", "if_index, interface or instance"),
        ("if_index: index", "needs one of bytes_in, bytes_out"),
        ("{ if_index: index, bytes_in: everything }", "'everything' is no column"),
        ("{ if_index: second, bytes_in: 1.3.6.1.4.1.1.5 in }", "'second' is no column"),
        ("{ if_index: index, interface: eth0, bytes_in: 1.3.6.1.4.1.1.5 in }", "give one of them"),
        ("{ if_index: index, octets: 1.3.6.1.4.1.1.5 in }", "unknown field `octets`"),
        (
            "{ if_index: index, oper_status: { column: 1.3.6.1.4.1.1.5 st, meaning: { 1: 0 } } }",
            "oper_status means 1 to 7",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(f"match: [{{ sysobjectid: [{ACME}] }}]\ninterfaces:\n  - {line}\n")
    with pytest.raises(ConfigurationError, match=complaint) as error:
        read_profiles(path)
    assert str(error.value).startswith("acme.yaml:3: interfaces[0]")


def test_a_profile_inherits_the_section(tmp_path: Path) -> None:
    (tmp_path / "_common.yaml").write_text(
        PROFILE.partition("interfaces:")[1] + PROFILE.partition("interfaces:")[2]
    )
    (tmp_path / "acme.yaml").write_text(f"match: [{{ sysobjectid: [{ACME}] }}]\nextends: [_common]\n")
    (tmp_path / "other.yaml").write_text(
        f"match: [{{ sysobjectid: [{ACME}.1] }}]\nextends: [_common]\ninterfaces: []\n"
    )
    found = read_folder(tmp_path)
    assert len(found["acme"].interfaces) == 2
    assert found["other"].interfaces == ()


def counted(name: str, objects: Mapping[str, Value]) -> list[Counted]:
    """What a packaged profile makes of a device's objects."""
    [path] = PACKAGED.rglob(f"{name}.yaml")
    sources = read_profiles(path)[name].profile.interfaces
    given = tables_of(objects, reads_of(sources).columns)
    return [row for found in sources for row in at_once(rows_counted(found, given))]


def test_a_groove_counts_in_texts_and_names_ports_by_their_place() -> None:
    groove = "1.3.6.1.4.1.42229.1.2.4.1"
    rows = counted(
        "infinera-groove",
        {
            f"{groove}.35.1.1.7.1.3.0.12.0": b"90071992547409931",
            f"{groove}.9.1.1.7.1.3.0.12.0": 1,
            f"{groove}.32.1.1.24.1.2.0.4.2": b"77",
        },
    )
    assert [(row.name, row.numbers) for row in rows] == [
        ("100gbe-1/3/12", {"bytes_in": 90071992547409931, "speed": 10**11, "oper_status": 1}),
        ("10gbe-1/2/4.2", {"bytes_out": 77, "speed": 10**10}),
    ]


def test_both_sides_of_a_packetlogic_channel_are_interfaces() -> None:
    channel = "1.3.6.1.4.1.15397.2.2"
    rows = counted(
        "procera",
        {
            f"{channel}.17.1.6.1.0": b"A",
            f"{channel}.17.1.3.1.0": 6,
            f"{channel}.17.1.5.1.0": 1,
            f"{channel}.25.1.3.1.1.0": 10,
            f"{channel}.25.1.3.2.1.0": 20,
        },
    )
    assert [(row.name, row.numbers) for row in rows] == [
        ("A External", {"bytes_in": 20, "oper_status": 1}),
        ("A Internal", {"bytes_in": 10, "speed": 10**10, "oper_status": 1}),
    ]


def test_a_ufibers_ports_are_counted_and_not_the_eth0_that_is_another() -> None:
    fiber = "1.3.6.1.4.1.41112.1.5"
    objects: dict[str, Value] = {
        f"{fiber}.7.2.1.2.0": b"eth0",
        f"{fiber}.7.2.1.2.2": b"pon1",
        f"{fiber}.7.2.1.7.0": 0,
        f"{fiber}.7.2.1.7.2": 5,
    }
    assert counted("edgeosolt", objects) == []
    [row] = counted("edgeosolt", {**objects, f"{fiber}.1.1.0": b"UFiber OLT 4"})
    assert (row.name, row.numbers) == ("pon1", {"bytes_in": 5})


def test_a_luminato_from_version_20_on_gives_its_speed_in_megabits() -> None:
    rows = counted("luminato", {f"{IF}.5.1": 1000, f"{IF}.5.2": 0, f"{IF}.5.3": 100_000_000})
    assert [(row.if_index, row.numbers) for row in rows] == [("1", {"speed": 10**9})]
