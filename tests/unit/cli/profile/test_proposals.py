"""What `netvitals profile explain` proposes of a device whose profile nobody has written."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from local.devices.snmp_host import AgentThread
from local.devices.snmp_mib import Gauge32, Object, ObjectId
from netvitals.cli.main import cli
from netvitals.cli.profile.answers import Answers
from netvitals.cli.profile.clues import clues_in
from netvitals.cli.profile.known import known_objects
from netvitals.collectors.snmp.profiles.files import read_profiles
from netvitals.collectors.snmp.profiles.schema import Match
from netvitals.collectors.snmp.tables import Value

ACME = "1.3.6.1.4.1.32473"
"""IANA's enterprise number for documentation (RFC 5612)."""
HOST = "1.3.6.1.2.1.25"

BOX: Mapping[str, Object] = {
    **system("box", f"{ACME}.9.4", "ACME Box 4"),
    # A text, used and total with their percentage, named sensors in tenths, and what is no vital sign.
    f"{ACME}.1.1.0": "cpu-usage: 7.25 %",
    f"{ACME}.2.1.0": Gauge32(42),
    f"{ACME}.2.2.0": Gauge32(420_000),
    f"{ACME}.2.3.0": Gauge32(1_000_000),
    f"{ACME}.3.1.1.2.1": "Inlet temperature",
    f"{ACME}.3.1.1.2.2": "Exhaust temperature",
    f"{ACME}.3.1.1.3.1": 215,
    f"{ACME}.3.1.1.3.2": 385,
    f"{ACME}.4.1.1.1.1": 31,
    f"{ACME}.4.1.1.1.2": 35,
    f"{ACME}.5.1.0": 3,
    # Three percentages, which may be anything.
    f"{ACME}.6.1.0": 12,
    f"{ACME}.6.2.0": 15,
    f"{ACME}.6.3.0": 14,
}
LINUX: Mapping[str, Object] = {
    **system("host", descr="Linux host 6.1.0"),
    f"{HOST}.3.3.1.2.196608": 10,
    f"{HOST}.2.3.1.2.1": ObjectId(f"{HOST}.2.1.2"),
    f"{HOST}.2.3.1.3.1": "Physical memory",
    f"{HOST}.2.3.1.4.1": 1024,
    f"{HOST}.2.3.1.5.1": 1000,
    f"{HOST}.2.3.1.6.1": 400,
    **{f"1.3.6.1.4.1.2021.10.1.5.{row}": load for row, load in ((1, 35), (2, 27), (3, 20))},
    "1.3.6.1.4.1.2021.4.3.0": 2_000_000,
    "1.3.6.1.4.1.2021.4.4.0": 1_500_000,
    **{f"1.3.6.1.4.1.8072.1.2.1.1.4.0.{row}": row * 7 for row in range(1, 20)},
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    odd = {**BOX, "1.3.6.1.2.1.1.2.0": ObjectId("1.3.6.1.4.1.8072.3.2.10")}
    agents = {"127.31.9.11": Agent(BOX), "127.31.9.12": Agent(LINUX), "127.31.9.13": Agent(odd)}
    with AgentThread(agents) as host:
        yield host.port


def run(
    port: int, address: str, *options: str, command: str = "profile explain", columns: int = 120
) -> Result:
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(
        cli, [*command.split(), address, "--port", str(port), "--community", "public", *options]
    )
    assert result.exit_code == 0, result.output
    return result


def draft_in(result: Result) -> str:
    _, found, draft = result.stdout.partition("\ndescription: ")
    assert found
    return f"description: {draft}"


def test_a_pasted_draft_reads_what_was_proposed(port: int, tmp_path: Path) -> None:
    (tmp_path / "acme-box.yaml").write_text(draft_in(run(port, "127.31.9.11", columns=80)))
    polled = run(port, "127.31.9.11", "--profiles", str(tmp_path), "--format", "lines", command="poll").stdout
    assert "metric_name=cpu_percent value=7.25 " in polled
    assert "metric_name=memory_percent value=42.0 " in polled
    assert "metric_name=memory_total_bytes value=1024000000.0 " in polled
    assert "instance=Inlet\\ temperature,metric_name=temperature_celsius value=21.5 " in polled
    assert "instance=Exhaust\\ temperature,metric_name=temperature_celsius value=38.5 " in polled


def test_a_draft_is_the_same_at_any_width_but_for_its_comments(port: int, tmp_path: Path) -> None:
    profiles = []
    for columns in (60, 80, 120):
        draft = draft_in(run(port, "127.31.9.11", columns=columns))
        assert max(len(line) for line in draft.splitlines() if line.startswith("  #")) <= columns
        (tmp_path / "draft.yaml").write_text(draft)
        profiles.append(read_profiles(tmp_path / "draft.yaml"))
    assert profiles[0] == profiles[1] == profiles[2]


def test_a_device_that_names_itself_by_its_agent_is_matched_by_its_description_as_well(
    port: int, tmp_path: Path
) -> None:
    (tmp_path / "draft.yaml").write_text(draft_in(run(port, "127.31.9.13")))
    [given] = read_profiles(tmp_path / "draft.yaml").values()
    assert given.profile.match == (Match(sysobjectid=("1.3.6.1.4.1.8072.3.2.10",), sysdescr="^ACME Box 4"),)
    assert given.profile.extends == ("linux",)


def test_the_draft_says_what_was_seen(port: int) -> None:
    draft = draft_in(run(port, "127.31.9.11"))
    assert f"match:\n- sysobjectid:\n  - {ACME}.9.4\n" in draft
    assert "  # 7.2 percent now; 'cpu-usage: 7.25 %'.\n" in draft
    assert "  # 42.0 percent now; 42 is the percentage that 420000 is of 1000000.\n" in draft
    assert "it is called 'Inlet temperature'" in draft
    assert "multiply: 0.1" in draft


def test_what_says_little_is_shown_on_demand(port: int) -> None:
    few, every = run(port, "127.31.9.11"), run(port, "127.31.9.11", "--all")
    assert "3 sources are proposed; 2 that say less are shown with --all; compare" in few.stdout
    assert f"{ACME}.4.1.1 " not in draft_in(few)
    assert f"value: {ACME}.4.1.1 " in draft_in(every)
    assert f"percent: {ACME}.6.3.0 " not in draft_in(few)
    assert f"percent: {ACME}.6.3.0 " in draft_in(every)


def test_a_plain_linux_host_lacks_nothing(port: int) -> None:
    shown = run(port, "127.31.9.12").stdout
    assert "profile     linux\n" in shown
    assert shown.splitlines()[-1].startswith("no other object suggests a vital sign that is missing")
    assert "description:" not in shown


def test_a_source_that_another_profile_has_is_proposed_with_its_name() -> None:
    cisco = {
        **system("sw", "1.3.6.1.4.1.99999.1"),
        "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1": Gauge32(18),
    }
    with AgentThread({"127.31.9.14": Agent(cisco)}) as host:
        draft = draft_in(run(host.port, "127.31.9.14"))
    assert "cpu:\n  # 18.0 percent now; profile " in draft
    assert " reads it so.\n  - percent: 1.3.6.1.4.1.9.9.109.1.1.1.1.8 cpmCPUTotal5minRev\n" in draft


def clues(values: Mapping[str, Value]) -> list[tuple[str, dict[str, float]]]:
    answers = Answers({f"{ACME}.{oid}": value for oid, value in values.items()})
    return [
        (clue.section, {row.instance: row.value for row in answers.rows(clue.section, clue.source)})
        for group in answers.groups(())
        for clue in clues_in(group, lambda oid: f"{oid} object")
        if clue.weight > 1
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Sensors of all kinds, with their units.
        (
            {"1.1.2.1": b"A", "1.1.2.2": b"B", "1.1.3.1": b"C", "1.1.3.2": b"V", "1.1.4.1": 31, "1.1.4.2": 4},
            [("temperature", {"A": 31})],
        ),
        # Used and free.
        ({"1.0": 300_000, "2.0": 100_000, "3.0": 400_000}, [("memory", {"": 75})]),
        (
            {"1.1.1.7": b"/flash", "1.1.2.7": 4000, "1.1.3.7": 1000, "1.1.4.7": 25},
            [("disk", {"7": 25})],
        ),
        (
            {"1.1.2.1.4": b"CPU 1", "1.1.2.1.5": b"CPU 2", "1.1.3.1.4": 4, "1.1.3.1.5": 9},
            [("cpu", {"CPU 1": 4, "CPU 2": 9})],
        ),
        # States, rows that are counted, a fan, a voltage, small numbers, a percentage alone.
        ({"1.0": 1, "2.0": 2, "3.0": 1}, []),
        ({"1.1.1.1": 1, "1.1.1.2": 2, "1.1.2.1": b"CPU 1", "1.1.2.2": b"CPU 2"}, []),
        ({"1.1.2.1": b"Fan 1", "1.1.3.1": 4200, "2.0": b"12.1 V", "3.0": 47}, []),
        ({"1.0": 3, "2.0": 12, "3.0": 25}, []),
    ],
)  # fmt: skip
def test_values_and_neighbours_tell_a_vital_sign(
    values: Mapping[str, Value], expected: list[tuple[str, dict[str, float]]]
) -> None:
    assert clues(values) == expected


def test_what_is_skipped_is_said_why_and_modules_are_found_by_the_longest_branch() -> None:
    known = known_objects()
    assert all(known.skip.values())
    assert known.module_of("1.3.6.1.4.1.9.9.109.1.1.1.1.8") == "CISCO-PROCESS-MIB"
    assert known.module_of("1.3.6.1.4.1.9.9.1090.1") == ""
