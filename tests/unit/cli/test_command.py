"""The command, started as a person would."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from netvitals import __version__
from netvitals.cli.main import COMMANDS, cli


@pytest.mark.parametrize("module", ["netvitals", "netvitals.cli.main"])
def test_the_command_is_a_module_as_well(module: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
    )
    assert __version__ in run.stdout


def _commands(command: click.Command, path: str = "netvitals") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from _commands(found, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), [pytest.param(*each, id=each[0]) for each in _commands(cli)])
def test_every_help_fits_a_terminal_of_80_columns_and_cuts_nothing_short(
    path: str, command: click.Command
) -> None:
    run = CliRunner(env={"COLUMNS": "80"}).invoke(cli, [*path.split()[1:], "--help"], prog_name="netvitals")
    assert command.help
    assert not [line for line in run.output.splitlines() if len(line) > 80]
    assert not re.search(r"\w\.\.\.$", run.output, re.MULTILINE)


def test_tables_show_names_as_they_are_and_obey_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:1:secret:credentials"
    monkeypatch.setenv("NETVITALS_CREDENTIALS_SECRET_ARN", arn)
    run = CliRunner(env={"COLUMNS": "100"}).invoke(cli, ["config", "check"])
    assert max(map(len, run.output.splitlines())) <= 100
    monkeypatch.delenv("COLUMNS", raising=False)
    assert arn in CliRunner().invoke(cli, ["config", "check", "--function", "collector"]).output


def test_a_shell_completes_commands_and_options() -> None:
    for typed, completed in (("netvitals inv", "inventory"), ("netvitals poll --comm", "--community")):
        asked = {
            "_NETVITALS_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")),
        }
        run = subprocess.run(
            [Path(sys.executable).with_name("netvitals")],
            env={**os.environ, **asked}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert run.stdout.splitlines() == [f"plain,{completed}"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("inventry", "Did you mean 'inventory'?"),
        ("inventory lst", "Did you mean 'list'?"),
        ("poll 10.0.0.1 --comunity x", "'--community'"),
        ("top cpuu", "did you mean 'cpu'?"),
    ],
)
def test_what_was_meant_is_said_of_what_there_is_not(typed: str, meant: str) -> None:
    run = CliRunner().invoke(cli, typed.split())
    assert (run.exit_code, meant in run.stderr) == (2, True), run.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_has_an_example(name: str) -> None:
    run = CliRunner().invoke(cli, [name, "--help"], prog_name="netvitals")
    assert re.search(rf"Examples?:\n +(?:\w+=\S+ |export .*\n +)*netvitals {name}", run.output), run.output
