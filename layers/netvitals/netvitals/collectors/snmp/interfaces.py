"""Read the interfaces of IF-MIB (RFC 2863): identity, filter, and the 64- or 32-bit counters of each.

ifIndex may change at a reboot, so an interface is known by its ifName; ifIndex goes with the points.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import batched, chain
from typing import Protocol

import msgspec

from netvitals.collectors.snmp.protocol import InterfaceFilter
from netvitals.collectors.snmp.tables import Tables, text_of
from netvitals.collectors.snmp.wire.faults import NoAnswer, SnmpFault, TooMuch
from netvitals.collectors.snmp.wire.session import Read
from netvitals.domain.polling.budget import MAX_INSTANCES, Steps
from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.point import Point
from netvitals.usecases.turns import in_turns

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
SUBSTITUTED = (NAME, DESCR, TYPE, HIGH_SPEED, *OCTETS_64.values())
"""Columns for which another value is taken where an agent does not have them."""
ONE_COLUMN = {"net_oper_status": OPER, **COUNTERS}
"""Metrics that are a column as it stands. Every interface has the first: they appear in its order."""
MAX_DESCRIPTION_CHARACTERS = 200
TYPE_NAMES = {
    1: "other",
    6: "ethernetCsmacd",
    23: "ppp",
    24: "softwareLoopback",
    53: "propVirtual",
    71: "ieee80211",
    117: "gigabitEthernet",
    131: "tunnel",
    135: "l2vlan",
    136: "l3ipvlan",
    150: "mplsTunnel",
    161: "ieee8023adLag",
    166: "mpls",
    209: "bridge",
}
"""Names of the commonest types of IANAifType-MIB; others are stored by their number."""
_UP = 1
_GAUGE32_MAX = 0xFFFFFFFF
"""Value of ifSpeed for an interface that is faster than its 32 bits can say; ifHighSpeed has its speed."""
_CELLS_PER_GET = 2000
"""Names that are encoded without giving way to other devices."""
_WALK_RATHER_THAN_GET = 0.3
"""Share of the interfaces that are wanted from which on a walk costs less than asking for each."""


class Asks(Protocol):
    """Sends the requests of a session that are needed here."""

    async def get(self, oids: Sequence[str]) -> Read: ...
    async def walk(self, columns: Sequence[str]) -> Read: ...


class Interfaces(msgspec.Struct):
    """A device's interfaces, in the columns of IF-MIB."""

    tables: Tables = msgspec.field(default_factory=Tables)
    names: Mapping[str, str] = {}
    """Names by ifIndex, of the interfaces that the filter lets through."""
    faults: list[SnmpFault] = []
    silent_before: Collection[str] = ()
    """Columns on which the device was silent at the last poll; see `SnmpMemory.silent`."""
    unanswered: set[str] = set()
    """Columns that were not answered to their end."""

    def add(self, read: Read) -> None:
        read.tables.file_objects()
        self.tables.update(read.tables)
        if read.error is not None:
            self.faults.append(read.error)
        self.unanswered |= {
            column for column, fault in read.faults.items() if isinstance(fault, NoAnswer | TooMuch)
        }

    def may_have(self, column: str, index: str) -> bool:
        """Return whether the device may have an object that is not among those that were read."""
        found = self.tables.column(column)
        return (
            column in self.unanswered
            and index not in found
            and (bool(found) or column not in self.silent_before)
        )

    @property
    def indexes(self) -> list[str]:
        """Return the indexes of all interfaces, in the order of ifIndex."""
        columns = (DESCR, OPER, NAME, *OCTETS_64.values(), *OCTETS_32.values())
        found = set[str]().union(*map(self.tables.column, columns))
        return sorted(filter(str.isdecimal, found), key=int)


async def read_interfaces(
    session: Asks, wanted: InterfaceFilter, *, all_64_bit: bool, silent_before: Collection[str] = ()
) -> Interfaces:
    """Read the interfaces that the filter lets through.

    Args:
        session: the device.
        wanted: which interfaces.
        all_64_bit: the last poll found 64-bit counters on every interface: 32-bit ones are only asked
            for where they turn out to be missing.
        silent_before: what `silent_columns` returned at the last poll.
    """
    interfaces = Interfaces(silent_before=silent_before)
    identity = [NAME, DESCR, OPER, SPEED, HIGH_SPEED, ALIAS, TYPE]
    counters = [*OCTETS_64.values(), *COUNTERS.values(), DISCONTINUITY]
    if not all_64_bit:
        counters += OCTETS_32.values()
    if wanted == InterfaceFilter(alias_tag=wanted.alias_tag):
        interfaces.add(await session.walk(identity + counters))
        interfaces.names = await in_turns(selected(interfaces, wanted))
    else:
        interfaces.add(await session.walk([*identity, ADMIN]))
        interfaces.names = await in_turns(selected(interfaces, wanted))
        await _read_counters(session, interfaces, counters)
    if all_64_bit:
        await _fill_in_32_bit(session, interfaces)
    return interfaces


async def _read_counters(session: Asks, interfaces: Interfaces, counters: Sequence[str]) -> None:
    indexes = interfaces.names
    if len(indexes) >= _WALK_RATHER_THAN_GET * len(interfaces.indexes):
        interfaces.add(await session.walk(counters))
    else:
        await _get_cells(
            session, interfaces, [f"{column}.{index}" for index in indexes for column in counters]
        )


async def _fill_in_32_bit(session: Asks, interfaces: Interfaces) -> None:
    """Get the 32-bit counters of interfaces without 64-bit ones, or that are up while those stand at 0."""
    oper, lacking = interfaces.tables.integers(OPER), []
    for metric, column in OCTETS_64.items():
        octets, narrow = interfaces.tables.integers(column), OCTETS_32[metric]
        lacking += [
            f"{narrow}.{index}"
            for index in interfaces.names
            if not octets.get(index)
            and (index not in octets or oper.get(index) == _UP)
            and not interfaces.may_have(column, index)
        ]
    await _get_cells(session, interfaces, lacking)


async def _get_cells(session: Asks, interfaces: Interfaces, oids: Sequence[str]) -> None:
    for some in batched(oids, _CELLS_PER_GET, strict=False):
        try:
            read = await session.get(some)
        except SnmpFault as fault:
            interfaces.add(Read(Tables(), fault, dict.fromkeys(map(_column_of, some), fault)))
            return
        faults = dict.fromkeys(map(_column_of, some), read.error) if read.error else {}
        interfaces.add(msgspec.structs.replace(read, faults=faults))


def _column_of(oid: str) -> str:
    return oid.rpartition(".")[0]


def selected(interfaces: Interfaces, wanted: InterfaceFilter) -> Steps[dict[str, str]]:
    """Return, by ifIndex, the names of the interfaces that pass the filter, as many as a device may have."""
    types, oper, admin = map(interfaces.tables.integers, (TYPE, OPER, ADMIN))
    is_type_lost = bool(wanted.exclude_types) and TYPE in interfaces.unanswered
    found: dict[str, str] = {}
    for index, name in (yield from names_of(interfaces)).items():
        yield None
        if (
            types.get(index) not in wanted.exclude_types
            and not (is_type_lost and interfaces.may_have(TYPE, index))
            and (not wanted.only_oper_up or oper.get(index) == _UP)
            and (not wanted.only_admin_up or admin.get(index) == _UP)
            and wanted.wants(name)
        ):
            found[index] = name
        if len(found) > MAX_INSTANCES:
            del found[index]
            interfaces.faults.append(
                TooMuch(f"more than {MAX_INSTANCES} interfaces: name those that matter with include_names")
            )
            break
    return found


def names_of(interfaces: Interfaces) -> Steps[dict[str, str]]:
    """Return, by ifIndex, the interface's name: ifName, else ifDescr, else the index; unique on the device.

    Where several share a name, each gets its ifIndex behind it, so that none depends on the others' order.
    An interface whose name was lost on the way is left out: it would be another one for a poll.
    """
    names = interfaces.tables.column(NAME)
    plain: dict[str, str] = {}
    for index in interfaces.indexes:
        if name := text_of(names.get(index)) or _name_without_ifname(interfaces, index):
            plain[index] = name
        yield None
    if len(set(plain.values())) == len(plain):
        return plain
    count = Counter(plain.values())
    return {index: name if count[name] == 1 else f"{name} [{index}]" for index, name in plain.items()}


def _name_without_ifname(interfaces: Interfaces, index: str) -> str:
    """Return ifDescr, else the index; nothing where the interface's own name was lost on the way."""
    if interfaces.may_have(NAME, index):
        return ""
    description = text_of(interfaces.tables.column(DESCR).get(index))
    return description or ("" if interfaces.may_have(DESCR, index) else index)


def silent_columns(interfaces: Interfaces) -> list[str]:
    """Return the columns for which another may be taken and of which no row came, to be remembered.

    There are agents that drop a request where others answer that there is no such object.
    """
    return [
        column
        for column in SUBSTITUTED
        if column in interfaces.unanswered and not interfaces.tables.column(column)
    ]


def has_only_64_bit(interfaces: Interfaces) -> bool:
    """Return whether every interface that counts octets counts them in 64 bits."""
    counted = {column for metric in OCTETS_64 for column in octets_columns(interfaces, metric).values()}
    return bool(counted) and counted.isdisjoint(OCTETS_32.values())


def octets_columns(interfaces: Interfaces, metric: str) -> dict[str, str]:
    """Return, by ifIndex, the counter that can be trusted: the 64-bit one, unless it is missing or dead.

    There are agents whose 64-bit counters stay at 0 while the 32-bit ones count. A 64-bit counter that was
    lost on the way is not missing: in its place the other would be a counter that went back.
    """
    wide, narrow = OCTETS_64[metric], OCTETS_32[metric]
    counted_narrow = {
        index: octets
        for index, octets in interfaces.tables.integers(narrow).items()
        if not interfaces.may_have(wide, index)
    }
    if not counted_narrow:
        return dict.fromkeys(interfaces.tables.integers(wide), wide)
    alive = [index for index, octets in interfaces.tables.integers(wide).items()
             if octets or not counted_narrow.get(index)]  # fmt: skip
    return dict.fromkeys(counted_narrow, narrow) | dict.fromkeys(alive, wide)


def points_of_interfaces(interfaces: Interfaces, wanted: InterfaceFilter) -> Iterator[Point]:
    """Yield the points of the interfaces that passed the filter, stamped with their responses' times."""
    return chain.from_iterable(_points_by_metric(interfaces, wanted))


def _points_by_metric(interfaces: Interfaces, wanted: InterfaceFilter) -> Iterator[list[Point]]:
    known = [
        (index, name, int(index), interfaces.tables.text(ALIAS, index) if wanted.alias_tag else "")
        for index, name in interfaces.names.items()
    ]
    for metric, column, values in _measured(interfaces):
        if values:
            times = interfaces.tables.times(column)
            yield [
                Point(metric, value, times[index], name, if_index, alias)
                for index, name, if_index, alias in known
                if (value := values.get(index)) is not None
            ]


def descriptions_of(interfaces: Interfaces) -> Iterator[InterfaceInfo]:
    """Yield the texts about the interfaces that passed the filter."""
    types, aliases = interfaces.tables.integers(TYPE), interfaces.tables.column(ALIAS)
    for index, name in interfaces.names.items():
        number = types.get(index)
        kind = "" if number is None else TYPE_NAMES.get(number) or str(number)
        alias = text_of(aliases.get(index))[:MAX_DESCRIPTION_CHARACTERS]
        yield InterfaceInfo(name, alias, kind, int(index))


def _measured(interfaces: Interfaces) -> Iterator[tuple[str, str, Mapping[str, float]]]:
    """Yield a metric, the column that it is from, and its values by ifIndex."""
    for metric, column in ONE_COLUMN.items():
        yield metric, column, interfaces.tables.integers(column)
    for metric in OCTETS_64:
        trusted = octets_columns(interfaces, metric)
        columns = set(trusted.values())
        for column in columns:
            octets = interfaces.tables.integers(column)
            if len(columns) > 1:
                octets = {i: n for i, n in octets.items() if trusted[i] == column}
            yield metric, column, octets
    yield from _speeds(interfaces)
    ticks = interfaces.tables.integers(DISCONTINUITY)
    yield "net_discontinuity_seconds", DISCONTINUITY, {i: n / 100 for i, n in ticks.items() if n}


def _speeds(interfaces: Interfaces) -> Iterator[tuple[str, str, Mapping[str, float]]]:
    """Yield ifHighSpeed where ifSpeed is missing, at its end, or smaller; else ifSpeed."""
    speeds = interfaces.tables.integers(SPEED)
    megabits = {
        index: mega * 1e6
        for index, mega in interfaces.tables.integers(HIGH_SPEED).items()
        if mega and not mega * 1e6 <= speeds.get(index, 0) < _GAUGE32_MAX
    }
    yield "net_speed_bps", HIGH_SPEED, megabits
    plain = {
        index: float(speed)
        for index, speed in speeds.items()
        if speed and index not in megabits and not interfaces.may_have(HIGH_SPEED, index)
    }
    yield "net_speed_bps", SPEED, plain
