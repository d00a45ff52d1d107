"""Commands that write files where they can't, and numbers that a command can't use."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from netvitals.cli.main import cli


@pytest.mark.parametrize("command", [("grafana", "write"), ("profile", "build", "--output")], ids=" ".join)
def test_a_folder_that_can_not_be_written_is_named_with_the_cause(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(cli, [*command, str(tmp_path / "file" / "below")])
    assert result.exit_code == 2
    assert re.search(rf"{tmp_path}/file\S* can't be written: (Not a directory|File exists)", result.output)


@pytest.mark.parametrize("number", ["nan", "inf", "-5", "much"])
def test_a_limit_that_no_value_exceeds_or_every_one_is_refused(number: str) -> None:
    result = CliRunner().invoke(cli, ["grafana", "rules", "--set", f"cpu={number}"])
    assert result.exit_code == 2
    assert f"'{number}' is no number of 0 or more" in result.output


def test_a_fleet_of_more_devices_than_there_are_is_refused_at_once() -> None:
    result = CliRunner().invoke(cli, ["cost", "--devices", str(10**12)])
    assert result.exit_code == 2
    assert "1<=x<=10000000" in result.output
