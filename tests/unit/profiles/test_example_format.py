"""An example as it is written in a profile, and what is said of one that is wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from netvitals.cli.profile import command
from netvitals.cli.profile.examples import faults_of
from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.example import value_of
from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.domain.errors import ConfigurationError

ACME = "1.3.6.1.4.1.99999"
PROFILE = f"""
match:
  - sysobjectid: [{ACME}]
  - sysdescr: Acme
cpu:
  - percent: "{{sysObjectID}}.1.0 acmeLoad"
temperature:
  - value: {ACME}.2.10 acmeTemperature
    instance: {ACME}.2.1 acmeName
    multiply: 0.1
"""
RIGHT = f"""
example:
  - answers:
      1.3.6.1.2.1.1.2.0: {ACME}.7
      {ACME}.7.1.0: 17
      {ACME}.2: {{ 1.1: Inlet, 10.1: 315, 1.10: "007", 10.10: 400 }}
    points:
      cpu_percent: 17
      temperature_celsius: {{ Inlet: 31.5, 007: 40 }}
"""


async def faults(folder: Path, text: str) -> list[str]:
    (folder / "_standard.yaml").write_text("description: none\n")
    (folder / "acme.yaml").write_text(text)
    profiles = read_folder(folder)
    write_index(profiles, folder / "index")
    return await faults_of(ProfileBook(folder / "index"), "acme", profiles["acme"].example)


async def test_an_example_is_what_a_device_answers_and_what_becomes_of_it(tmp_path: Path) -> None:
    assert await faults(tmp_path, PROFILE + RIGHT) == []


@pytest.mark.parametrize(
    ("instead_of", "text", "fault"),
    [
        ("cpu_percent: 17", "cpu_percent: 18", "cpu_percent is 17.0, the example says 18"),
        ("      cpu_percent: 17\n", "", "cpu_percent is 17.0, the example does not name it"),
        ("Inlet: 31.5", "Outlet: 31.5", "temperature_celsius[Outlet] is missing, the example says 31.5"),
        ("Inlet: 31.5", "Inlet: 31.501", "temperature_celsius[Inlet] is 31.5, the example says 31.501"),
        (f".2.0: {ACME}.7", ".2.0: 1.3.6.1.4.1.9999", "the device gets the profile _standard"),
    ],
)
async def test_an_example_that_the_collector_reads_otherwise_is_told(
    tmp_path: Path, instead_of: str, text: str, fault: str
) -> None:
    assert instead_of in RIGHT
    assert f"example[0]: {fault}" in await faults(tmp_path, PROFILE + RIGHT.replace(instead_of, text))


async def test_a_profile_may_be_told_by_sysdescr_alone(tmp_path: Path) -> None:
    text = "example: [{ answers: { 1.3.6.1.2.1.1.1.0: ACME 7 }, points: {} }]\n"
    assert await faults(tmp_path, PROFILE + text) == []
    assert await faults(tmp_path, PROFILE + text.replace("ACME", "Other")) == [
        "example[0]: the device gets the profile _standard"
    ]


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (17, 17),
        (-3.5, -3.5),
        ("24 °C", b"24 \xc2\xb0C"),
        ("octets 18 b0 43", b"\x18\xb0C"),
        ("octets", b"octets"),
    ],
)
def test_a_text_is_an_octet_string(answer: float | str, value: float | bytes) -> None:
    assert value_of(answer) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("example: 1", "p.yaml:1: example: Expected `array`"),
        ("example:\n  - answers: { acmeLoad.0: 1 }\n    points: {}", "p.yaml:2: example[0].answers"),
        ("example:\n  - answers: { 1.3.6.1.4.1.9.1: yes }\n    points: {}", "p.yaml:2: example[0].answers"),
        ("example:\n  - points: {}", "p.yaml:2: example[0]: Object missing required field `answers`"),
        (
            "example:\n  - answers: { 1.3.6.1.4.1.9: { 1.2: 3 }, 1.3.6.1.4.1.9.1: { 2: 3 } }\n    points: {}",
            "p.yaml:1: example: 1.3.6.1.4.1.9.1.2 is given twice",
        ),
    ],
)
def test_what_is_wrong_with_an_example_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "p.yaml").write_text(text + "\n")
    with pytest.raises(ConfigurationError) as error:
        read_folder(tmp_path)
    assert str(error.value).startswith(complaint)


def test_an_example_is_not_in_the_index(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(PROFILE + RIGHT)
    profiles = read_folder(tmp_path)
    write_index(profiles, tmp_path / "index")
    assert profiles["acme"].example
    assert ProfileBook(tmp_path / "index").load("acme").example == ()


@pytest.mark.parametrize("checked", [".", "acme.yaml"])
def test_the_check_of_profiles_reads_their_examples(tmp_path: Path, checked: str) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(PROFILE + RIGHT)
    right = CliRunner().invoke(command.profile, ["check", str(tmp_path / checked)])
    assert (right.exit_code, right.output) == (0, f"{tmp_path / checked}: 1 profile, 1 example, ok\n")
    path.write_text(PROFILE + RIGHT.replace("cpu_percent: 17", "cpu_percent: 18"))
    wrong = CliRunner().invoke(command.profile, ["check", str(tmp_path / checked)])
    assert wrong.exit_code == 1
    assert "acme.yaml: example[0]: cpu_percent is 17.0, the example says 18\n" in wrong.output
