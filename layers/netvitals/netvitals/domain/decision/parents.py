"""Find devices that are their own ancestors: in a circle, no parent explains a silence."""

from collections.abc import Mapping


def in_circles(parents: Mapping[str, str]) -> frozenset[str]:
    """Return the devices that are reached through themselves; `parents` maps a device to its parent.

    A device that only hangs below a circle is not part of it. Each device is looked at once.
    """
    found: set[str] = set()
    settled: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}
        device = start
        while device in parents and device not in settled and device not in path:
            path[device] = None
            device = parents[device]
        if device in path:
            way = list(path)
            found.update(way[way.index(device) :])
        settled.update(path)
    return frozenset(found)
