"""Propose through which device each one is reached: the way towards the collector, over LLDP and CDP."""

from collections import defaultdict, deque
from collections.abc import Sequence

from netvitals.domain.discovery.found import Neighbour
from netvitals.domain.discovery.identity import own_macs
from netvitals.domain.discovery.merge import Discovered


def propose_parents(devices: Sequence[Discovered], root: str) -> bool:
    """Set each `parent` on the shortest way to the collector's nearest device; return whether that is known.

    `root` is one of its addresses, or its name. A device with two ways of the same length gets no parent, and
    a note: it must not count as unreachable while one of the two is up. A tree of shortest ways has no loops.
    """
    numbers = {id(device): number for number, device in enumerate(devices)}
    start = _root(devices, root)
    if start is None:
        return False
    links = _links(devices)
    distances = {numbers[id(start)]: 0}
    ways: defaultdict[int, list[int]] = defaultdict(list)
    waiting = deque(distances)
    while waiting:
        at = waiting.popleft()
        for other in sorted(links[at]):
            if other not in distances:
                distances[other] = distances[at] + 1
                waiting.append(other)
            if distances[other] == distances[at] + 1:
                ways[other].append(at)
    for number, up in ways.items():
        if len(up) == 1:
            devices[number].parent = devices[up[0]]
        else:
            names = " and ".join(devices[each].found.name or devices[each].addresses[0] for each in up[:3])
            devices[number].note = f"no parent: it is reached through {names}"
    return True


def _root(devices: Sequence[Discovered], root: str) -> Discovered | None:
    """Return the device that answers there, or else the only one that has that address or name."""
    for device in devices:
        if root in device.addresses:
            return device
    fitting = [each for each in devices if root and root in {*each.found.addresses, each.found.name}]
    return fitting[0] if len(fitting) == 1 else None


def _links(devices: Sequence[Discovered]) -> defaultdict[int, set[int]]:
    """Return which devices are connected, by their numbers in `devices`, in both directions."""
    known = _Known(devices)
    links: defaultdict[int, set[int]] = defaultdict(set)
    for number, device in enumerate(devices):
        for neighbour in device.found.neighbours:
            other = known.device(neighbour)
            if other is not None and other != number:
                links[number].add(other)
                links[other].add(number)
    return links


class _Known:
    """Finds the device that a neighbour is: by MAC address, by management address, by name."""

    def __init__(self, devices: Sequence[Discovered]) -> None:
        self._numbers: defaultdict[str, set[int]] = defaultdict(set)
        for number, device in enumerate(devices):
            found = device.found
            for key in (*own_macs(found.macs), *device.addresses, *found.addresses, _name(found.name)):
                self._numbers[key].add(number)

    def device(self, neighbour: Neighbour) -> int | None:
        """Return the only device that fits; text that anybody may send decides nothing where two fit."""
        for keys in (neighbour.macs, neighbour.addresses, (_name(neighbour.name),)):
            fitting = {number for key in keys if key for number in self._numbers.get(key, ())}
            if len(fitting) == 1:
                return fitting.pop()
        return None


def _name(name: str) -> str:
    """Return a device's name without its domain, in lower case: neighbours tell it with or without."""
    return name.partition(".")[0].lower()
