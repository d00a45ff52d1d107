"""One hostile SNMP device among 99 healthy ones costs them nothing: no time, no memory, no value."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.devices.snmp_hostile import CHASSIS_PORTS, KINDS

PROGRAM = Path(__file__).with_name("hostile_snmp.py")
MOST_SECONDS = 0.05
"""Of the loop's thread, at a stretch."""
MOST_MEGABYTES = 32
COUNTED = 8
"""Metrics of an interface: octets, errors and discards in both directions, speed, state."""
FUNCTION_MEGABYTES = 512
"""What the function's memory leaves for a bundle, beside some 250 MB of the process itself."""


def attacked(*arguments: str) -> dict[str, Any]:
    """The first of three runs that keeps the limit, or else the last.

    A virtual machine counts as used what it was not given: that hits one run, and too much hits each.
    """
    for _ in range(3):
        found = attacked_once(*arguments)
        if found["stretch"] <= MOST_SECONDS:
            break
    return found


def attacked_once(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_device_costs_the_others_nothing(kind: str) -> None:
    found = attacked(kind)
    assert found["read"] == found["healthy"], found
    assert found["stretch"] <= MOST_SECONDS, found
    assert found["grown"] <= MOST_MEGABYTES, found


@pytest.mark.parametrize("kind", ["malformed", "malstream"])
def test_a_hostile_device_costs_no_status_either(kind: str) -> None:
    found = attacked(kind, "1", "status")
    assert found["read"] == found["healthy"], found
    assert found["stretch"] <= MOST_SECONDS, found


def test_a_chassis_of_2000_interfaces_is_read_whole_and_lets_the_others_have_their_turn() -> None:
    found = attacked("chassis", "1", "metrics", "40")
    [[reason, detail, points, _]] = found["hostile"]
    assert (reason, detail) == ("ok", "")
    assert points >= CHASSIS_PORTS * COUNTED
    assert found["read"] == found["healthy"], found
    assert found["stretch"] <= MOST_SECONDS, found


@pytest.mark.parametrize("kind", ["table", "longindex", "fat"])
def test_ten_hostile_devices_in_one_bundle_stay_within_the_functions_memory(kind: str) -> None:
    found = attacked(kind, "10")
    assert found["read"] == found["healthy"], found
    assert found["grown"] <= min(10 * MOST_MEGABYTES, FUNCTION_MEGABYTES), found
