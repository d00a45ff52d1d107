"""Interfaces of IF-MIB (RFC 2863): identity, filter, and the 64- or 32-bit counters of each.

ifIndex may change at a reboot, so an interface is known by its ifName; ifIndex goes with the points.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from netvitals.collectors.snmp.answers import Table, Value, text_of
from netvitals.collectors.snmp.faults import SnmpFault
from netvitals.collectors.snmp.session import Response, Walk
from netvitals.domain.point import Point
from netvitals.domain.policy import InterfaceFilter

_IF = "1.3.6.1.2.1.2.2.1."
_IFX = "1.3.6.1.2.1.31.1.1.1."
DESCR, TYPE, SPEED, ADMIN, OPER = (_IF + c for c in ("2", "3", "5", "7", "8"))
NAME, HIGH_SPEED, ALIAS, DISCONTINUITY = (_IFX + c for c in ("1", "15", "18", "19"))
OCTETS_64 = {"net_bytes_in": _IFX + "6", "net_bytes_out": _IFX + "10"}
OCTETS_32 = {"net_bytes_in": _IF + "10", "net_bytes_out": _IF + "16"}
COUNTERS = {
    "net_discards_in": _IF + "13",
    "net_errors_in": _IF + "14",
    "net_discards_out": _IF + "19",
    "net_errors_out": _IF + "20",
}
_UP = 1
_GAUGE32_MAX = 0xFFFFFFFF
"""ifSpeed of an interface faster than it can say; ifHighSpeed has it."""
_CELLS_PER_GET = 24
_WALK_RATHER_THAN_GET = 0.3
"""Of the interfaces that are wanted, from which share on a walk costs less than asking one by one."""


class Asks(Protocol):
    """The part of a session that is needed here."""

    async def get(self, oids: Sequence[str]) -> Response: ...
    async def walk(self, columns: Sequence[str]) -> Walk: ...


class Interfaces(msgspec.Struct):
    """What was read of a device's interfaces."""

    columns: dict[str, Table] = {}
    times: dict[str, Mapping[str, int]] = {}
    faults: list[SnmpFault] = []

    def add(self, walk: Walk) -> None:
        for column, rows in walk.columns.items():
            self.columns[column] = rows
            self.times[column] = walk.row_times(column)
        if walk.error is not None:
            self.faults.append(walk.error)

    def add_cells(self, response: Response) -> None:
        for oid, value in response.values.items():
            column, _, index = oid.rpartition(".")
            rows, times = dict(self.columns.get(column, {})), dict(self.times.get(column, {}))
            rows[index], times[index] = value, response.time_ns
            self.columns[column], self.times[column] = rows, times

    def cell(self, column: str, index: str) -> Value:
        return self.columns.get(column, {}).get(index)

    def number(self, column: str, index: str) -> int | None:
        value = self.cell(column, index)
        return value if isinstance(value, int) else None

    @property
    def indexes(self) -> list[str]:
        """All interfaces, in the order of ifIndex."""
        found = {i for column in (DESCR, OPER, NAME, *OCTETS_64.values(), *OCTETS_32.values())
                 for i in self.columns.get(column, ()) if i.isdecimal()}  # fmt: skip
        return sorted(found, key=int)


async def read_interfaces(session: Asks, wanted: InterfaceFilter, *, all_64_bit: bool) -> Interfaces:
    """Read the interfaces that the filter lets through.

    Args:
        session: the device.
        wanted: which interfaces.
        all_64_bit: the last poll found 64-bit counters on every interface: 32-bit ones are only asked
            for where they turn out to be missing.
    """
    interfaces = Interfaces()
    identity = [NAME, DESCR, OPER, SPEED, HIGH_SPEED, *([ALIAS] if wanted.alias_tag else [])]
    counters = [*OCTETS_64.values(), *COUNTERS.values(), DISCONTINUITY]
    if not all_64_bit:
        counters += OCTETS_32.values()
    if wanted == InterfaceFilter(alias_tag=wanted.alias_tag):
        interfaces.add(await session.walk(identity + counters))
    else:
        interfaces.add(await session.walk([*identity, TYPE, ADMIN]))
        await _read_counters(session, interfaces, selected(interfaces, wanted), counters)
    if all_64_bit:
        await _fill_in_32_bit(session, interfaces, selected(interfaces, wanted))
    return interfaces


async def _read_counters(
    session: Asks, interfaces: Interfaces, indexes: Sequence[str], counters: Sequence[str]
) -> None:
    if len(indexes) >= _WALK_RATHER_THAN_GET * len(interfaces.indexes):
        interfaces.add(await session.walk(counters))
    else:
        await _get_cells(
            session, interfaces, [f"{column}.{index}" for index in indexes for column in counters]
        )


async def _fill_in_32_bit(session: Asks, interfaces: Interfaces, indexes: Sequence[str]) -> None:
    """An interface that has lost its 64-bit counters, is new and has none, or is up and they stand at 0."""
    lacking = [
        f"{OCTETS_32[metric]}.{index}"
        for index in indexes
        for metric, column in OCTETS_64.items()
        if (octets := interfaces.number(column, index)) is None
        or (octets == 0 and interfaces.number(OPER, index) == _UP)
    ]
    await _get_cells(session, interfaces, lacking)


async def _get_cells(session: Asks, interfaces: Interfaces, oids: Sequence[str]) -> None:
    for start in range(0, len(oids), _CELLS_PER_GET):
        try:
            interfaces.add_cells(await session.get(oids[start : start + _CELLS_PER_GET]))
        except SnmpFault as fault:
            interfaces.faults.append(fault)
            return


def selected(interfaces: Interfaces, wanted: InterfaceFilter) -> list[str]:
    """The indexes of the interfaces that pass the filter."""
    names = names_of(interfaces)
    return [index for index in interfaces.indexes if _passes(interfaces, wanted, index, names[index])]


def _passes(interfaces: Interfaces, wanted: InterfaceFilter, index: str, name: str) -> bool:
    if wanted.exclude_types and interfaces.number(TYPE, index) in wanted.exclude_types:
        return False
    if wanted.only_oper_up and interfaces.number(OPER, index) != _UP:
        return False
    if wanted.only_admin_up and interfaces.number(ADMIN, index) != _UP:
        return False
    if wanted.include_names and not re.search(wanted.include_names, name):
        return False
    return not (wanted.exclude_names and re.search(wanted.exclude_names, name))


def names_of(interfaces: Interfaces) -> dict[str, str]:
    """By ifIndex, the interface's name: ifName, else ifDescr, else the index; unique on the device.

    Where several share a name, each gets its ifIndex behind it, so that none depends on the others' order.
    """
    plain = {
        index: text_of(interfaces.cell(NAME, index)) or text_of(interfaces.cell(DESCR, index)) or index
        for index in interfaces.indexes
    }
    count = Counter(plain.values())
    return {index: name if count[name] == 1 else f"{name} [{index}]" for index, name in plain.items()}


def has_only_64_bit(interfaces: Interfaces) -> bool:
    """Whether every interface that counts octets counts them in 64 bits."""
    counted = [
        octets_column(interfaces, metric, index) for metric in OCTETS_64 for index in interfaces.indexes
    ]
    return any(counted) and all(column is None or column in OCTETS_64.values() for column in counted)


def octets_column(interfaces: Interfaces, metric: str, index: str) -> str | None:
    """The counter of an interface that can be trusted: the 64-bit one, unless it is missing or dead.

    There are agents whose 64-bit counters stay at 0 while the 32-bit ones count.
    """
    wide, narrow = OCTETS_64[metric], OCTETS_32[metric]
    octets = interfaces.number(wide, index)
    if octets is None or (octets == 0 and interfaces.number(narrow, index)):
        return narrow if interfaces.number(narrow, index) is not None else None
    return wide


def points_of_interfaces(interfaces: Interfaces, wanted: InterfaceFilter) -> Iterator[Point]:
    """The points of the interfaces that pass the filter, stamped with their responses' times."""
    names = names_of(interfaces)
    for index in selected(interfaces, wanted):
        alias = text_of(interfaces.cell(ALIAS, index)) if wanted.alias_tag else ""
        for metric, value, column in _values(interfaces, index):
            time_ns = interfaces.times[column][index]
            yield Point(metric, value, time_ns, names[index], int(index), alias)


def _values(interfaces: Interfaces, index: str) -> Iterator[tuple[str, float, str]]:
    """(metric, value, the column that it is from) of one interface."""
    for metric in OCTETS_64:
        source = octets_column(interfaces, metric, index)
        if source is not None:
            yield metric, interfaces.number(source, index) or 0, source
    for metric, column in COUNTERS.items():
        count = interfaces.number(column, index)
        if count is not None:
            yield metric, count, column
    oper = interfaces.number(OPER, index)
    if oper is not None:
        yield "net_oper_status", oper, OPER
    yield from _speed(interfaces, index)
    ticks = interfaces.number(DISCONTINUITY, index)
    if ticks:
        yield "net_discontinuity_seconds", ticks / 100, DISCONTINUITY


def _speed(interfaces: Interfaces, index: str) -> Iterator[tuple[str, float, str]]:
    speed, mega = interfaces.number(SPEED, index), interfaces.number(HIGH_SPEED, index)
    if mega and (not speed or speed >= _GAUGE32_MAX or mega * 1e6 > speed):
        yield "net_speed_bps", mega * 1e6, HIGH_SPEED
    elif speed:
        yield "net_speed_bps", float(speed), SPEED
