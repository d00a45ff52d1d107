"""What `sam build` makes, once for all tests of a run."""

import fcntl
import os
import platform
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-sam/bin/sam"
HOST = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


@pytest.fixture(scope="session")
def build_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where builds are, the same for all workers of a run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def built(architecture: str, folder: Path, resource: str = "") -> Path:
    """The build for a processor, of one resource or all, made by whoever asks first; skips without SAM."""
    if not SAM.exists():
        pytest.skip("needs SAM: make .venv-sam/bin/sam")
    build, done = folder / f"sam-{architecture}" / "build", folder / f"sam-{architecture}.done"
    with (folder / f"sam-{architecture}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _build(architecture, build, resource)
            done.touch()
    return build


def _build(architecture: str, build: Path, resource: str) -> None:
    binaries = ROOT / ".venv/bin"
    run = subprocess.run(
        [
            *(str(SAM), "build", *([resource] if resource else [])),
            *("--parameter-overrides", f"Architecture={architecture}"),
            *("--build-dir", str(build), "--cache-dir", str(build.parent / "cache")),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "SAM_CLI_TELEMETRY": "0",
            "UV": str(binaries / "uv"),
            "PYTHON": str(binaries / "python"),
            "PATH": f"{binaries}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        pytest.fail(f"sam build failed:\n{run.stdout}\n{run.stderr}")
