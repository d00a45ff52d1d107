"""Bound how many instances (interfaces, sensors, disks) a device may make up, in one poll and over time.

Every new name of an instance begins new series in the store, which keeps them for as long as it keeps data. A
device that renames its interfaces with each poll would fill it. So names are remembered, and new ones use
up an allowance: as many at once as a device has, since an upgrade may rename all of them, and some more each
day. What goes beyond is left out and reported; what is known is written as ever.
"""

import secrets
from base64 import b64decode, b64encode
from binascii import Error
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import batched
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import astuple

from netvitals.domain.polling.budget import ITEMS_PER_STEP, MAX_INSTANCES, MAX_POINTS, Steps
from netvitals.domain.polling.point import (
    MAX_IF_INDEX,
    MAX_TIME_NS,
    Point,
    bounds_of,
    fault_of,
    with_printable_names,
)

MEMORY_KEY = "instances"
"""Key of device memory under which it holds an `InstanceMemory`."""
MIN_ALLOWANCE = 500
"""New names that a device may have at once, however few it has."""
NEW_PER_DAY = 100
MAX_FAULTS = 100
"""Texts of what is wrong with points; the others are counted."""
_DAY_SECONDS = 86_400
_HASH_BYTES = 4
_SALT_BYTES = 8


class InstanceMemory(msgspec.Struct, frozen=True):
    """The names that a device has had, and how many more it may have."""

    salt: str
    """Salt of the hashes, in base64: without it, a device can't find names that collide with known ones."""
    names: str
    """Hashes of the names, one behind the other, in base64."""
    allowance: float
    at: Annotated[int, Meta(ge=0, le=2**40)]
    """Time of the allowance, in seconds since the epoch."""


class Admitted(msgspec.Struct):
    """The points of a poll that are fit to be stored, and what became of the others."""

    points: list[Point] = []
    faults: list[str] = []
    """Faults of points, at most `MAX_FAULTS`."""
    unfit: int = 0
    """Points that can't be stored."""
    surplus: int = 0
    """Points beyond what one poll may bring."""
    refused: int = 0
    """Names of instances beyond the allowance."""
    memory: InstanceMemory | None = None
    """Memory for the next poll; None where nothing has changed."""

    def refuse(self, point: Point) -> bool:
        """Count a point that can't be stored, with why; return False for one that can."""
        fault = fault_of(point)
        if fault is None:
            return False
        self.unfit += 1
        if self.unfit <= MAX_FAULTS:
            self.faults.append(fault)
        return True

    @property
    def detail(self) -> str:
        """Return for a person what was left out, and what to do; empty where nothing was."""
        said = []
        if self.refused:
            said.append(
                f"{self.refused} instances (interfaces, sensors, disks) are left out: the device gives them "
                f"other names all the time, and may have {NEW_PER_DAY} new ones a day"
            )
        if self.surplus:
            said.append(
                f"{self.surplus} values are left out: a poll may bring {MAX_POINTS}, and {MAX_INSTANCES} "
                "instances of a metric"
            )
        return "; ".join(said)


def instances_of(memory: Mapping[str, Any]) -> InstanceMemory | None:
    """Return what earlier polls have left; None where there is nothing, or nothing that can be read."""
    try:
        return msgspec.convert(memory[MEMORY_KEY], InstanceMemory)
    except (KeyError, msgspec.ValidationError):
        return None


def admitted(points: Sequence[Point], known: InstanceMemory | None, now: float) -> Steps[Admitted]:
    """Return what of a poll's points may be stored; of a metric and instance, the first point counts.

    `now` is seconds since the epoch, `known` what earlier polls have left.
    """
    found, kept = Admitted(), list[Point]()
    instances: defaultdict[str, set[str]] = defaultdict(set)
    """Instances of the kept points, by metric."""
    names: dict[tuple[str, str], None] = {}
    """Instances and aliases of the device, in the order in which they came."""
    printable: set[str] = {""}
    """Instances without alias that were checked, and hold no characters to take out."""
    of_metric, seen, (least, most, types) = "", instances[""], bounds_of("")
    for some in batched(points, ITEMS_PER_STEP, strict=False):
        yield None
        for point in some:
            # This is a hot loop: it holds what `fault_of` and `with_printable_names` do as a rule.
            metric, value, time_ns, instance, if_index, alias = astuple(point)
            if metric != of_metric:  # the points of one follow one another
                of_metric, seen, (least, most, types) = metric, instances[metric], bounds_of(metric)
            if not (
                least <= value <= most
                and type(value) in types
                and 0 < time_ns < MAX_TIME_NS
                and (if_index is None or 0 <= if_index <= MAX_IF_INDEX)
            ) and found.refuse(point):
                continue
            if alias or instance not in printable:
                given, point = point, with_printable_names(point)  # noqa: PLW2901, the same under another name
                instance = point.instance
                names[instance, point.alias] = None
                if point is given and not alias:
                    printable.add(instance)
            if instance in seen:
                continue
            if len(kept) >= MAX_POINTS or (len(seen) >= MAX_INSTANCES and _is_full(seen)):
                found.surplus += 1
            else:
                kept.append(point)
                seen.add(instance)
    if len(kept) + found.unfit < len(points):  # some of the names may be of points that are left out
        names = dict.fromkeys((point.instance, point.alias) for point in kept)
    yield from _admit_names(found, kept, names, known, now)
    return found


def _is_full(instances: set[str]) -> bool:
    """Return whether a metric has all the instances that it may have, beside the whole device's value."""
    return len(instances) - ("" in instances) >= MAX_INSTANCES


def _admit_names(
    found: Admitted,
    points: list[Point],
    names: Iterable[tuple[str, str]],
    known: InstanceMemory | None,
    now: float,
) -> Steps[None]:
    found.points = points
    names = [name for name in names if name[0]]
    if not names:
        return
    salt = _decoded(known.salt) if known else secrets.token_bytes(_SALT_BYTES)
    salted = blake2b(digest_size=_HASH_BYTES, key=salt)
    hashes: dict[tuple[str, str], bytes] = {}
    for name in names:
        digest = salted.copy()
        digest.update("\0".join(name).encode())
        hashes[name] = digest.digest()
        if len(hashes) % ITEMS_PER_STEP == 0:
            yield None
    old = _hashes(known)
    new = [name for name, digest in hashes.items() if digest not in old]
    allowance = _allowance(known, len(hashes), now)
    refused = frozenset(new[int(allowance) :])
    if refused:
        found.points = [point for point in points if (point.instance, point.alias) not in refused]
    found.refused = len(refused)
    if new and len(refused) < len(new):
        accepted = [digest for name, digest in hashes.items() if name not in refused]
        found.memory = InstanceMemory(
            salt=_encoded(salt),
            names=_encoded(b"".join(_remembered(old, accepted))),
            allowance=round(allowance - len(new) + len(refused), 1),
            at=int(now),
        )


def _allowance(known: InstanceMemory | None, count: int, now: float) -> float:
    """Return how many new names the device may have now; on the first poll, as many as it has."""
    most = max(MIN_ALLOWANCE, count)
    if known is None:
        return most + count
    return min(most, known.allowance + max(now - known.at, 0) / _DAY_SECONDS * NEW_PER_DAY)


def _remembered(old: frozenset[bytes], accepted: Sequence[bytes]) -> Sequence[bytes]:
    """Return the hashes to remember; names that have gone are forgotten where they are too many."""
    together = old.union(accepted)
    return sorted(together if len(together) <= MAX_INSTANCES + MIN_ALLOWANCE else accepted)


def _hashes(known: InstanceMemory | None) -> frozenset[bytes]:
    octets = _decoded(known.names) if known else b""
    return frozenset(octets[n : n + _HASH_BYTES] for n in range(0, len(octets), _HASH_BYTES))


def _encoded(octets: bytes) -> str:
    return b64encode(octets).decode()


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)[: 2**16]
    except (Error, ValueError):
        return b""
