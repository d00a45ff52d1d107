"""What `pip install .` brings, and what the functions' layer does."""

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())


def test_the_command_runs_as_installed_and_no_function_carries_what_it_alone_needs() -> None:
    installed = set(PROJECT["project"]["dependencies"])
    assert installed - set(PROJECT["dependency-groups"]["functions"]) == {"click", "rich"}
    assert set(PROJECT["dependency-groups"]["functions"]) < installed
