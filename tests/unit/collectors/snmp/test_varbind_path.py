"""How many files one value passes through, from the datagram that carries it to the point that it becomes.

A poll is traced: a file counts when one of its functions has the value in an argument, a local variable or
what it returns, itself or in a container, from the moment when the datagram is read from the socket until
the point is made. A text that a profile searches with an expression passes `domain/patterns` besides.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    ModuleType,
)
from typing import Any

import pytest

import netvitals
from fixtures.snmp_poll import ADDRESS, target_at, values
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import interfaces, system
from local.devices.snmp_host import AgentThread
from local.devices.snmp_mib import Counter64, Object
from netvitals.collectors.snmp.collector import SnmpCollector
from netvitals.collectors.snmp.profiles.build_index import write_index
from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.domain.polling.observation import Reading
from netvitals.domain.polling.point import Point

PACKAGE = Path(netvitals.__file__).parent
ENTERPRISE = "1.3.6.1.4.1.99999"
SYSTEM = "1.3.6.1.2.1.1"  # no walk of a later table passes over it
NUMBER, TEXT = 73.25, b"73.25"
COUNT = 0x0123_4567_89AB_CDEF
MOST_FILES = 10
SOCKET = "collectors/snmp/wire/transport.py"
_DEEPEST = 6
_NO_CONTAINER = (
    *(str, int, type, ModuleType, FunctionType, BuiltinFunctionType),
    *(CodeType, FrameType, CoroutineType, GeneratorType),  # they run, and hold nothing
)


def is_value(thing: object) -> bool:
    if isinstance(thing, bytes):
        return TEXT in thing or COUNT.to_bytes(8) in thing
    if isinstance(thing, str):
        return TEXT.decode() in thing
    return type(thing) in (int, float) and thing in (NUMBER, COUNT)


def holds(thing: object, depth: int = _DEEPEST, seen: set[int] | None = None) -> bool:
    """Return whether a thing is the value, or has it within its containers and attributes."""
    if is_value(thing):
        return True
    seen = set() if seen is None else seen
    if (
        not depth
        or isinstance(thing, _NO_CONTAINER)
        or id(thing) in seen
        or "asyncio" in type(thing).__module__
    ):
        return False
    seen.add(id(thing))
    return any(holds(inner, depth - 1, seen) for inner in gc.get_referents(thing))


def is_point(thing: object) -> bool:
    points = thing if isinstance(thing, list) else [thing]
    return any(isinstance(point, Point) and is_value(point.value) for point in points)


class Trace:
    """The files of the package that the value has been seen in, in the order of the way."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self.point_made = False

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        file = Path(frame.f_code.co_filename)
        if self.point_made or event not in ("call", "return") or not file.is_relative_to(PACKAGE):
            return
        name = str(file.relative_to(PACKAGE))
        if name not in self.files and (holds(dict(frame.f_locals)) or holds(arg)):
            self.files[name] = None
        self.point_made = event == "return" and is_point(arg)


@contextmanager
def traced() -> Iterator[Trace]:
    trace = Trace()
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(None)


@pytest.fixture
def book(tmp_path: Path) -> ProfileBook:
    (tmp_path / "acme.yaml").write_text(
        f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n"
        f"cpu: [{{percent: {ENTERPRISE}.1.2 acmeLoad, instance: 'CPU {{index}}'}}]\n"
        f"temperature: [{{value: {SYSTEM}.99.0 acmeTemperature}}]\n"
    )
    (tmp_path / "_standard.yaml").write_text("description: nothing\n")
    write_index(read_folder(tmp_path), tmp_path / "index")
    return ProfileBook(tmp_path / "index")


@pytest.mark.parametrize(
    ("oid", "value", "metric"),
    [
        (f"{ENTERPRISE}.1.2.1", TEXT.decode(), "cpu_percent"),
        (f"{SYSTEM}.99.0", TEXT.decode(), "temperature_celsius"),
        ("1.3.6.1.2.1.31.1.1.1.6.1", Counter64(COUNT), "net_bytes_in"),
    ],
    ids=["a table's column", "a scalar", "an interface's counter"],
)
async def test_a_value_passes_at_most_ten_files_from_the_socket_to_its_point(
    book: ProfileBook, oid: str, value: Object, metric: str
) -> None:
    agent = Agent({**system("r", ENTERPRISE), **interfaces(1), oid: value})
    reading = Reading()
    with AgentThread({ADDRESS: agent}) as host, traced() as trace:
        await SnmpCollector(book).collect(target_at(host.port), reading)
    assert set(values(reading, metric).values()) & {NUMBER, COUNT}
    assert trace.point_made
    way = list(trace.files)
    assert {SOCKET, "collectors/snmp/wire/decode.py", "collectors/snmp/tables.py"} <= set(way)
    assert len(way) <= MOST_FILES, "\n".join(way)
