"""A layer of another processor is told as that when the package is imported."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.lambda_build import ROOT
from local.event import HOST

OTHER = "x86_64" if HOST == "arm64" else "arm64"


def imported(layer: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(layer), str(ROOT / "layers" / "netvitals")])
    command = [sys.executable, "-c", "import netvitals.domain.polling.tick"]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("built_for", [HOST, OTHER])
def test_only_the_processor_that_the_layers_were_built_for_is_taken(tmp_path: Path, built_for: str) -> None:
    (tmp_path / "netvitals_processor.py").write_text(f'BUILT_FOR = "{built_for}"\n')
    done = imported(tmp_path)
    if built_for == HOST:
        assert done.returncode == 0, done.stderr
    else:
        message = f"the layers were built for {OTHER}, and the function runs on {platform.machine()}: "
        assert f"ImportError: {message}" in done.stderr
        assert "samconfig.toml" in done.stderr


def test_a_checkout_runs_on_any() -> None:
    assert imported(ROOT).returncode == 0
