"""Find circles of parents, in which no device explains the silence of another."""

from collections.abc import Iterator, Mapping


def circles(parents: Mapping[str, str | None]) -> Iterator[list[str]]:
    """Yield each circle once: the ids of its devices, in order. `parents` maps a device to its parent.

    A device that only hangs below a circle is not part of it. Each device is looked at once.
    """
    settled: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}
        device: str | None = start
        while device and device in parents and device not in settled and device not in path:
            path[device] = None
            device = parents[device]
        if device in path:
            way = list(path)
            yield way[way.index(device) :]
        settled.update(path)
