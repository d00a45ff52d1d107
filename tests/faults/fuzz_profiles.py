"""Fuzzes what becomes of a device's answers: profiles, interfaces, and what of it may be stored.

Run as `make fuzz ARGS=profiles`. Each round takes a packaged profile and answers
to what it asks, of every type and of values that a device should not have: infinities, numbers of 400
digits, sizes below zero, texts that are no text, indexes of all lengths. No exception may come out, every
point must be fit to be stored or told as unfit, and no step may hold the loop.
"""

import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from faults.fuzzing import play

from netvitals.collectors.snmp.interfaces import (
    COUNTERS,
    DESCR,
    DISCONTINUITY,
    HIGH_SPEED,
    NAME,
    OCTETS_32,
    OCTETS_64,
    OPER,
    SPEED,
    Interfaces,
    points_of_interfaces,
    selected,
)
from netvitals.collectors.snmp.profiles.index import STANDARD, Identity, choose, probes_of
from netvitals.collectors.snmp.profiles.packaged import packaged_index, packaged_profiles
from netvitals.collectors.snmp.profiles.schema import Filter, Profile
from netvitals.collectors.snmp.profiles.vitals import Evaluation, Reads, Vitals, reads_of
from netvitals.collectors.snmp.protocol import InterfaceFilter
from netvitals.collectors.snmp.tables import Tables, Value
from netvitals.collectors.snmp.vendor_interfaces import points_without_index, replace_counters, rows_counted
from netvitals.domain.polling.budget import Steps
from netvitals.domain.polling.instances import admitted
from netvitals.domain.polling.point import Point, fault_of
from netvitals.usecases.turns import at_once

NOW_NS = 1_763_900_000_000_000_000
BOOK = packaged_profiles()
NAMES = sorted(path.stem for path in (packaged_index() / "profiles").glob("*.json"))
MOST_STEP_SECONDS = 0.05
"""Of processor time, for one row or one interface; a garbage collection included."""
NUMBERS: tuple[Value, ...] = (
    *(0, 1, -1, 7, 100, 101, 65535, 2**31 - 1, -(2**31), 2**32 - 1, 2**63, 2**64 - 1),
    *(0.0, 0.5, -40.5, 1e300, 1e-300, float("inf"), float("-inf"), float("nan")),
)
TEXTS: tuple[Value, ...] = (
    *(b"", b"12", b" 45 C ", b"9" * 400, b"1e400", b"-1", b"nan", b"inf", b"0x1F", b"eth0", b"\xff\xfe"),
    *(b"\x00" * 9, b"1" * 4096, "\u0661\u0662".encode(), b"\x1b[2J", b"24C (75F) ambient, 27C"),
    *("1.3.6.1.2.1.25.2.1.2", "10.0.0.1", None),
)


def objects(reads: Reads, chance: random.Random, wanted: Sequence[str]) -> Tables:
    """Answers to what is asked for; `wanted` are texts that the profile's own rules look for."""
    tables = Tables()
    indexes = list(dict.fromkeys(index(chance) for _ in range(chance.randint(1, 12))))
    for oid in reads.scalars:
        if chance.random() < 0.8:
            tables.objects[oid] = (value(chance, wanted), NOW_NS)
    for column in reads.columns:
        if chance.random() < 0.9:
            for each in indexes:
                tables.put(column, each, value(chance, wanted), NOW_NS)
    return tables


def index(chance: random.Random) -> str:
    length = chance.choice((1, 1, 1, 2, 3, 8, 128))
    return ".".join(str(chance.choice((0, 1, 2, 3, 5, 24, 2**32 - 1))) for _ in range(length))


def value(chance: random.Random, wanted: Sequence[str]) -> Value:
    if wanted and chance.random() < 0.4:
        text = chance.choice(wanted)
        return int(text) if text.isdecimal() and chance.random() < 0.5 else text.encode()
    drawn: Value = chance.choice((*NUMBERS, *TEXTS, chance.randint(0, 100), chance.randint(0, 2**40)))
    return drawn


def wanted_by(profile: Profile) -> list[str]:
    """The values that rules of the profile let through."""
    sections = (profile.section(name) for name in Vitals(profile, profile).everything())
    sources: list[Any] = [source for section in sections for source in section.sources]
    rules: Iterable[Filter] = (rule for source in (*sources, *profile.interfaces) for rule in source.where)
    return [str(text) for rule in rules for text in rule.any]


def steps_of[Result](steps: Steps[Result]) -> Result:
    """Run the steps, and look how long each of them takes."""
    while True:
        began = time.thread_time()
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        took = time.thread_time() - began
        assert took <= MOST_STEP_SECONDS, f"one step took {took:.3f} s"


def points(own: Profile, standard: Profile, chance: random.Random) -> Iterator[Point]:
    wanted = wanted_by(own)
    vitals, found = Vitals(own, standard), Evaluation()
    everything = vitals.everything()
    steps_of(vitals.evaluate(everything, objects(vitals.reads(everything), chance, wanted), found))
    yield from found.points
    tables = objects(reads_of(own.interfaces), chance, wanted)
    rows = [row for source in own.interfaces for row in steps_of(rows_counted(source, tables))]
    columns = (DESCR, NAME, OPER, SPEED, HIGH_SPEED, DISCONTINUITY, *COUNTERS.values())
    asked = Reads((), (*columns, *OCTETS_32.values(), *OCTETS_64.values()))
    interfaces, everyone = Interfaces(objects(asked, chance, ())), InterfaceFilter()
    interfaces.names = steps_of(selected(interfaces, everyone))
    others = steps_of(replace_counters(interfaces, rows, everyone))
    yield from points_of_interfaces(interfaces, everyone)
    yield from points_without_index(others, everyone)


def one_device(chance: random.Random) -> int:
    """A device of one of the profiles; returns how many points were made of its answers."""
    name = chance.choice(NAMES)
    own, standard = BOOK.load(name, "1.3.6.1.4.1.9.1.1"), BOOK.load(STANDARD)
    made = list(points(own, standard, chance))
    found = at_once(admitted(made, None, NOW_NS / 1e9))
    unfit = [point for point in found.points if fault_of(point) is not None]
    assert not unfit, f"{name}: a point that is unfit to be stored"
    assert len(found.points) + found.unfit <= len(made), f"{name}: more points than were made"
    return len(made)


def one_identity(chance: random.Random) -> None:
    """Whatever a device calls itself, it gets a profile."""
    strange = ("", "\x00" * 9, "9" * 300, "\u0661.\u0662", "/etc/passwd", "..")
    texts = ("Linux x", "Cisco NX-OS(tm) ucs", *strange)
    oid = f"1.3.6.1.4.1.{chance.choice((9, 9.1, 2021, 'x', '/etc/x', '', 2**40, '8072.3.2.10'))}"
    candidates = BOOK.candidates(Identity(chance.choice((oid, *texts)), chance.choice(texts)))
    probed = Tables()
    for probe in probes_of(candidates):
        probed.objects[probe] = (value(chance, ()), NOW_NS)
    BOOK.load(choose(candidates, probed), oid)


if __name__ == "__main__":
    sys.exit(play({"devices": one_device, "identities": one_identity}))
