"""`netvitals profile`: what it lists and explains."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from local.devices.snmp_host import AgentThread
from local.devices.snmp_mib import Gauge32, Object
from netvitals.cli.main import cli
from netvitals.cli.profile import command
from netvitals.cli.profile.command import print_explanation
from netvitals.collectors.snmp.explain import Explanation
from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.index import Identity, ProfileBook

ACME = """
description: ACME switches
match: [{ sysobjectid: [1.3.6.1.4.1.32473.7] }]
cpu: [{ percent: 1.3.6.1.4.1.32473.7.1.0 acmeCpu }]
"""
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


def test_programs_read_a_line_a_profile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PACKAGED", folder)
    listed = CliRunner().invoke(command.profile, ["list", "--format", "jsonl"])
    [profile] = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (profile["profile"], profile["reads"], profile["lacks"]) == ("tap", [], ["cpu", "disk"])
    assert profile["match"][0]["sysdescr"] == "^Tap"


def test_a_file_of_known_devices_is_checked_like_any_other(folder: Path) -> None:
    known = folder / "acme" / "known.yaml"
    checked = CliRunner().invoke(command.profile, ["check", str(known)])
    assert (checked.exit_code, checked.output) == (0, f"{known}: 1 profile, 0 examples, ok\n")


def test_the_explanation_of_a_known_device_says_what_its_vendor_does_not_tell(folder: Path) -> None:
    write_index(read_folder(folder), folder / "index")
    known = ProfileBook(folder / "index").load("tap")
    text = io.StringIO()
    print_explanation(Explanation(Identity("", "Tap 7"), [], known, [], []), Console(file=text, width=200))
    assert "profile     tap\n            has no cpu, disk (TAP-MIB)\n" in text.getvalue()


def test_brackets_in_what_a_device_says_are_printed_as_they_are(folder: Path) -> None:
    write_index(read_folder(folder), folder / "index")
    known = ProfileBook(folder / "index").load("tap")
    text = io.StringIO()
    said = Explanation(Identity("", "Tap [/] [boot v1]"), [], known, [], ["[/] lost"])
    print_explanation(said, Console(file=text, width=200))
    assert "Tap [/] [boot v1]" in text.getvalue()
    assert "[/] lost" in text.getvalue()


def test_profiles_of_a_folder_are_tried_without_building_anything(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(ACME)
    cpu: dict[str, Object] = {"1.3.6.1.4.1.32473.7.1.0": Gauge32(17)}
    with AgentThread({"127.31.9.1": Agent(system("sw", "1.3.6.1.4.1.32473.7") | cpu)}) as host:
        arguments = ["127.31.9.1", "--port", str(host.port), "--community", "public"]
        tried = CliRunner().invoke(cli, ["profile", "explain", *arguments, "--profiles", str(tmp_path)])
        polled = CliRunner().invoke(
            cli, ["poll", *arguments, "--profiles", str(tmp_path), "--profile", "acme", "--format", "lines"]
        )
        without = CliRunner().invoke(cli, ["poll", *arguments, "--format", "lines"])
    assert "profile     acme" in tried.stdout
    assert "metric_name=cpu_percent value=17.0 " in polled.stdout
    assert "cpu_percent" not in without.stdout


def test_a_fault_in_a_profile_that_is_tried_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(ACME.replace("percent", "per_cent"))
    result = CliRunner().invoke(cli, ["poll", "10.0.0.9", "--community", "x", "--profiles", str(tmp_path)])
    assert result.exit_code == 2
    assert "acme.yaml:4: cpu" in result.stderr


@pytest.mark.parametrize("option", ["--user", "--key", "--host-key", "--no-tls", "--type"])
def test_explain_takes_no_option_that_an_snmp_device_has_no_use_for(option: str) -> None:
    run = CliRunner().invoke(cli, ["profile", "explain", "127.0.0.1", option, "x"])
    assert (run.exit_code, "No such option" in run.output) == (2, True), run.output
