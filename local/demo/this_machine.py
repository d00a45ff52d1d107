"""Expectations of the machine that the demo runs on: its own values, so within their bounds."""

import os

from local.demo.expectations import ANY, Between, Expected

_PERCENT = Between(0, 100)
_COUNTER = Between(0, 2**64)
_COUNTERS = tuple(f"net_{what}_{way}" for what in ("bytes", "errors", "discards") for way in ("in", "out"))
_LARGEST_DISK = 2**63


def this_machine() -> Expected:
    """Return the bounds of this machine's values, whatever disks, interfaces and sensors it has.

    Some sandboxes count no CPU time, of which nothing can be made.
    """
    memory = Between(0, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return {
        ("cpu_percent", ANY): _PERCENT,
        ("memory_percent", ""): _PERCENT,
        ("memory_used_bytes", ""): memory,
        ("memory_total_bytes", ""): memory,
        ("disk_percent", ANY): _PERCENT,
        ("disk_used_bytes", ANY): Between(0, _LARGEST_DISK),
        ("disk_total_bytes", ANY): Between(1, _LARGEST_DISK),
        **{(counter, ANY): _COUNTER for counter in _COUNTERS},
        ("net_oper_status", ANY): Between(1, 7),
        ("net_speed_bps", ANY): Between(1, 1e12),
        ("temperature_celsius", ANY): Between(-40, 125),
    }
