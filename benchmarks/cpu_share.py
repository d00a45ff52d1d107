"""Give a process a share of a processor, as Lambda gives one to a function: by CFS bandwidth control.

Needs the right to make a control group of the controller `cpu`, of version 1 or 2, which root has.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WHOLE_PROCESSOR_MB = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html."""
_PERIOD_MICROSECONDS = 20_000
"""The share is given anew so often."""
_V2, _V1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu")


@contextmanager
def limited_group(memory_mb: int) -> Iterator[Path]:
    """Yield a control group with the share that goes with so much memory; its `cgroup.procs` takes processes.

    Raises:
        OSError: this machine has no such controller, or this process may not use it.
    """
    quota = int(_PERIOD_MICROSECONDS * memory_mb / WHOLE_PROCESSOR_MB)
    version_2 = "cpu" in _controllers()
    group = (_V2 if version_2 else _V1) / f"netvitals-benchmark-{os.getpid()}"
    group.mkdir()
    try:
        if version_2:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_MICROSECONDS}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        yield group
    finally:
        group.rmdir()


def _controllers() -> list[str]:
    path = _V2 / "cgroup.controllers"
    return path.read_text().split() if path.exists() else []
