"""One hostile host over SSH or WinRM, of each kind, among a hundred devices: it costs them nothing.

Measured in a process of its own, in processor time; see `one_among_many`.
"""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from faults.hostile_hosts import HOSTS
from faults.one_among_many import Cost

HERE = Path(__file__).parent
TOGETHER = "all at once"
LOOP_MS = 50
"""That one device may take of the event loop's thread at a stretch."""
HELD_MS = 1000
"""Between two turns of the loop, which other threads may fill as well: a login's cryptography is on one.

Where few processors are free the loop's thread waits for those, so this says less than `LOOP_MS` does.
"""
MEMORY_MB = 32
"""That one device may add."""


def costs(protocol: str, *kinds: str) -> dict[str, Cost]:
    paths = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
    command = [sys.executable, str(HERE / "one_among_many.py"), protocol, *kinds]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = [msgspec.json.decode(line, type=Cost) for line in done.stdout.splitlines()]
    return {cost.kind: cost for cost in found}


def in_time(cost: Cost) -> bool:
    return cost.loop_ms < LOOP_MS and (cost.kind == TOGETHER or cost.held_ms < HELD_MS)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("protocol", HOSTS)
def test_a_hostile_host_costs_the_others_no_time_no_memory_and_no_value(protocol: str) -> None:
    measured = costs(protocol)
    # A virtual machine counts as used what it was not given: that hits one run, and too much hits each.
    for _ in range(2):
        if slow := {kind for kind, cost in measured.items() if not in_time(cost)}:
            measured |= costs(protocol, *slow - {"none", TOGETHER})
    together = measured.pop(TOGETHER)
    assert set(measured) == {"none", *HOSTS[protocol]}
    for kind, cost in measured.items():
        assert cost.lost == [], kind
        assert in_time(cost), (kind, cost)
        assert cost.memory_mb < MEMORY_MB, (kind, cost)
        assert all(cost.reached), (kind, cost)
        assert cost.detail.isprintable(), (kind, cost)
    assert together.lost == []
    assert in_time(together)
    assert together.memory_mb < 10 * MEMORY_MB
