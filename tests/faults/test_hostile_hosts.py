"""One hostile host over SNMP, SSH or WinRM, of each kind, among a hundred devices: it costs them nothing.

Measured in a process of its own, in processor time; see `one_among_many`.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec
import pytest
from faults.hostile_hosts import CHASSIS_PORTS, HOSTS
from faults.one_among_many import TOGETHER, Cost

pytestmark = pytest.mark.timeout(900)
HERE = Path(__file__).parent
LOOP_MS = 50
"""That one device may take of the event loop's thread at a stretch."""
HELD_MS = 1000
"""Between two turns of the loop, which other threads may fill as well: a login's cryptography is on one.

Where few processors are free the loop's thread waits for those, so this says less than `LOOP_MS` does.
"""
MEMORY_MB = 32
"""That one device may add."""


COUNTED = 8
"""Metrics of an interface: octets, errors and discards in both directions, speed, state."""


def costs(protocol: str, *kinds: str, polled_for: str = "metrics") -> dict[str, Cost]:
    """Measure these kinds; those that take too long of the loop's thread up to three times.

    A virtual machine counts as used what it was not given: that hits one run, and too much hits each.
    """
    measured = costs_once(protocol, *kinds, polled_for=polled_for)
    for _ in range(2):
        if slow := {kind for kind, cost in measured.items() if not in_time(cost)}:
            measured |= costs_once(protocol, *slow - {"none"}, polled_for=polled_for)
    return measured


def costs_once(protocol: str, *kinds: str, polled_for: str) -> dict[str, Cost]:
    paths = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
    command = [sys.executable, str(HERE / "one_among_many.py"), protocol, polled_for, *kinds]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = [msgspec.json.decode(line, type=Cost) for line in done.stdout.splitlines()]
    return {cost.kind: cost for cost in found}


@cache
def costs_of_all(protocol: str) -> dict[str, Cost]:
    """Measure each kind, in the same processes; those of SSH and WinRM all at once as well."""
    return costs(protocol, *HOSTS[protocol], *([] if protocol == "snmp" else [TOGETHER]))


def in_time(cost: Cost) -> bool:
    return cost.loop_ms < LOOP_MS and (cost.kind == TOGETHER or cost.held_ms < HELD_MS)


def assert_harmless(cost: Cost, memory_mb: float = MEMORY_MB) -> None:
    assert cost.lost == [], cost
    assert in_time(cost), cost
    assert cost.memory_mb < memory_mb, cost
    assert all(cost.reached), cost
    assert cost.detail.isprintable(), cost


@pytest.mark.parametrize("protocol", HOSTS)
def test_a_hostile_host_costs_the_others_no_time_no_memory_and_no_value(protocol: str) -> None:
    measured = costs_of_all(protocol)
    assert {"none", *HOSTS[protocol]} <= set(measured)
    for kind, cost in measured.items():
        if kind != TOGETHER and not kind.startswith("ten-"):
            assert_harmless(cost)


@pytest.mark.parametrize("protocol", ["ssh", "winrm"])
def test_all_hostile_hosts_at_once_cost_the_others_no_value_either(protocol: str) -> None:
    assert_harmless(costs_of_all(protocol)[TOGETHER], 10 * MEMORY_MB)


@pytest.mark.parametrize("kind", ["table", "longindex", "fat"])
def test_ten_hostile_devices_in_one_bundle_stay_within_the_functions_memory(kind: str) -> None:
    assert_harmless(costs_of_all("snmp")[f"ten-{kind}"], 10 * MEMORY_MB)


def test_a_chassis_of_2000_interfaces_is_read_whole_and_lets_the_others_have_their_turn() -> None:
    cost = costs_of_all("snmp")["chassis"]
    assert (cost.reason, cost.detail) == ("ok", "")
    assert cost.points >= CHASSIS_PORTS * COUNTED


def test_a_hostile_device_costs_no_status_either() -> None:
    for cost in costs("snmp", "malformed", "malstream", polled_for="status").values():
        assert_harmless(cost)
