"""The command, started as a person would."""

import subprocess
import sys

import pytest

from netvitals import __version__


@pytest.mark.parametrize("module", ["netvitals", "netvitals.cli.main"])
def test_the_command_is_a_module_as_well(module: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
    )
    assert __version__ in run.stdout
