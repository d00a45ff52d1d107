"""`netvitals profile`: what it lists and explains."""

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from netvitals.cli import profile as command
from netvitals.cli.profile import print_explanation
from netvitals.collectors.snmp.explain import Explanation
from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.index import Identity, ProfileBook

KNOWN = "tap: { description: ACME taps, match: [{ sysdescr: ^Tap }], lacks: [cpu, disk], source: TAP-MIB }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "known.yaml").write_text(KNOWN)
    return tmp_path


def test_a_known_device_is_listed_with_what_its_vendor_does_not_tell(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PACKAGED", folder)
    monkeypatch.setenv("COLUMNS", "200")
    listed = CliRunner().invoke(command.profile, ["list", "acme"])
    assert listed.exit_code == 0, listed.output
    [_, line, count] = listed.output.splitlines()
    assert line.split(maxsplit=1)[0] == "tap"
    assert "standard MIBs; has no cpu, disk (TAP-MIB)" in line
    assert "sysDescr ~ ^Tap" in line
    assert count.startswith("1 of 1 profiles")


def test_a_file_of_known_devices_is_checked_like_any_other(folder: Path) -> None:
    known = folder / "acme" / "known.yaml"
    checked = CliRunner().invoke(command.profile, ["check", str(known)])
    assert (checked.exit_code, checked.output) == (0, f"{known}: 1 profiles, 0 examples, ok\n")


def test_the_explanation_of_a_known_device_says_what_its_vendor_does_not_tell(folder: Path) -> None:
    write_index(read_folder(folder), folder / "index")
    known = ProfileBook(folder / "index").load("tap")
    text = io.StringIO()
    print_explanation(Explanation(Identity("", "Tap 7"), [], known, [], []), Console(file=text, width=200))
    assert "profile     tap\n            has no cpu, disk (TAP-MIB)\n" in text.getvalue()
