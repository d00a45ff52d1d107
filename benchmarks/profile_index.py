"""What it costs to find and load a device's profile, with ten profiles in the index and with a thousand.

python benchmarks/profile_index.py
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import msgspec
from sizes import QUICK

from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.index import Identity, ProfileBook
from netvitals.collectors.snmp.profiles.schema import Profile

_ROUNDS = 2 if QUICK else 200


def profiles(count: int) -> dict[str, Profile]:
    """As many vendors with a profile each: a match of the vendor's branch, three sections."""
    names = ((n, f"vendor-{n}") for n in range(count))
    return {name: msgspec.convert(_profile(name, f"1.3.6.1.4.1.{50_000 + n}"), Profile) for n, name in names}


def _profile(name: str, branch: str) -> dict[str, object]:
    return {
        "name": name,
        "match": [{"sysobjectid": [branch]}],
        "cpu": {"sources": [{"percent": f"{branch}.1.1.0 cpuLoad"}]},
        "memory": {"sources": [{"used": f"{branch}.1.2.0 memUsed", "total": f"{branch}.1.3.0 memTotal"}]},
    }


def microseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times) * 1e6


def cost(count: int, folder: Path) -> float:
    """Of the first poll of a device in a new process, in microseconds: nothing is cached."""
    index = folder / str(count)
    write_index(profiles(count), index)
    number = count // 2
    identity = Identity(f"1.3.6.1.4.1.{50_000 + number}.7", "a device")

    def first_poll() -> None:
        book = ProfileBook(index)
        book.load(book.candidates(identity)[0].profile, identity.sysobjectid)

    return microseconds(first_poll)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        few, many = (cost(count, Path(folder)) for count in (10, 1000))
    print(f"10 profiles: {few:.0f} µs   1,000 profiles: {many:.0f} µs   ratio {many / few:.2f}")
