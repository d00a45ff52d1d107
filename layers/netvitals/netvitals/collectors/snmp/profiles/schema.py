"""Define device profiles: where an SNMP device keeps its vital signs, as data.

A profile is selected by sysObjectID and, where vendors share one, by sysDescr or a probe. For each of
`cpu`, `memory`, `temperature` and `disk` it lists sources; a source names the objects of one table, or
some scalars, and how their values become the metric. `interfaces` lists what the vendor counts where IF-MIB
does not. docs/profiles.md is the guide for people.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from netvitals.collectors.snmp.profiles.example import Example
from netvitals.domain.patterns import compiled
from netvitals.domain.polling.metrics import VITALS, Whole

OWN_BRANCH = "{sysObjectID}"
PARENT_BRANCH = "{sysObjectID[:-1]}"
_COLUMN = (
    r"^(1(\.(0|[1-9]\d*)){5,}|\{sysObjectID(\[:-1\])?\}(\.(0|[1-9]\d*))+) [A-Za-z][\w-]*(::[A-Za-z][\w-]*)?$"
)
ColumnText = Annotated[str, Meta(pattern=_COLUMN, max_length=300)]
"""`OID name`: an object as its MIB names it, such as `1.3.6.1.2.1.25.3.3.1.2 hrProcessorLoad`. An OID that
ends in `.0` is a scalar, any other a column of a table. One that begins with `{sysObjectID}` lies in the
device's own branch, or in the one above with `{sysObjectID[:-1]}`, for vendors that write a MIB a model."""

OPER_STATES = frozenset(range(1, 8))
SECTIONS = tuple(VITALS)
if TYPE_CHECKING:
    SectionName = str
else:
    SectionName = Literal[SECTIONS]
PARTS = (*SECTIONS, "interfaces")
"""Parts of a profile, its own or those of one that it extends."""
Number = int | float


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Lookup(_Strict, frozen=True):
    """A column of another table, found by a value or by a part of this row's index."""

    column: ColumnText
    key: str
    """Index of the other row: `index`, `index[0]`, `index[1:]`, the column (`OID name`) whose value it is, or
    the index itself: `row 1`."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"index(\[-?\d+\]|\[-?\d*:-?\d*\])?|row \d+(\.\d+)*|1(\.\d+)+ [\w:-]+", self.key):
            raise ValueError(f"key {self.key!r} is neither index, index[N], index[N:M], row N nor a column")


Term = str | Lookup
"""A column, a column of another table, or (where it makes sense) a text to be used unchanged."""


class Filter(_Strict, frozen=True):
    """Condition on rows; one that lacks the column fails `any` and `matches`, but nothing excludes it."""

    column: str | Lookup
    """Column whose value is compared: `index`, `OID name`, or a column of another table."""
    any: tuple[int | str, ...] = ()
    none: tuple[int | str, ...] = ()
    matches: str | None = None
    """A regular expression searched in the value's text, upper and lower case alike."""
    not_matches: str | None = None

    def __post_init__(self) -> None:
        for pattern in (self.matches, self.not_matches):
            groups_of(pattern)
        if isinstance(self.column, str) and self.column != "index":
            check_column(self.column)


class Exponent(_Strict, frozen=True):
    """Powers of ten beside a sensor's value, as ENTITY-SENSOR-MIB (RFC 3433) gives them or plainly."""

    scale: Term | None = None
    """Scale as EntitySensorDataScale has it: 9 is units, each step is 10^3."""
    precision: Term | None = None
    """Decimal digits of the value's fraction."""
    power: Term | None = None
    """Power of ten: -3 is thousandths."""


class Source(_Strict, frozen=True):
    """One place that a metric can be read from; one row of it is one instance."""

    value: Term | None = None
    """Value of a vital sign that is no share of anything: degrees Celsius, a state's number."""
    percent: Term | None = None
    idle: Term | None = None
    """Percent that is idle: 100 less the percent used."""
    used: Term | tuple[Term, ...] | None = None
    free: Term | tuple[Term, ...] | None = None
    """Amount that is free; several are added up, and one that is absent counts nothing."""
    total: Term | Number | None = None
    unit: Number | Term = 1
    """Bytes of one unit of used, free and total."""
    multiply: Number = 1
    add: Number = 0
    fahrenheit: bool | Filter = False
    """True where values are degrees Fahrenheit; or the rule that rows in Fahrenheit pass."""
    milliwatts: bool = False
    """True where the value is milliwatts, stored as dBm; 0 or less is no measurement."""
    exponent: Exponent | None = None
    meaning: dict[str, Number] = {}
    """Numbers that the device's values mean, by value; one that is not listed is no measurement."""
    text: str | None = None
    """A regular expression whose first group is the number in a text; else the text's first number is."""
    each: bool = False
    """True where every number that `text` finds in a value is a row: several sensors in one text."""
    signed: Literal[8, 16, 32] | None = None
    """Bits of a value that is read as two's complement."""
    high_words: dict[ColumnText, ColumnText] = {}
    """Columns with the high 32 bits of a number, by the column with the low ones."""
    drop: tuple[Number, ...] = ()
    """Raw values that mean `not present`."""
    minimum: Number | None = None
    maximum: Number | None = None
    """Largest value, as converted; one outside of the two is no measurement."""
    where: tuple[Filter, ...] = ()
    instance: str | Lookup | None = None
    """The row's name: a column, or a text in which `{index}`, `{index[0]}`, `{name}` and `{number}` (the
    row's, from 1 on) are replaced. An empty text: the row is the whole device's number, beside the others."""
    name: str | Lookup | None = None
    """The column behind `{name}`."""
    name_text: str | None = None
    """A regular expression whose first group is what counts of `{name}`, where it is found."""
    builtin: Literal["host-resources-memory"] | None = None
    """Name of a standard MIB whose rows are evaluated together by code, in place of all else."""

    def __post_init__(self) -> None:
        if self.builtin is None and not any((self.value, self.percent, self.idle, self.used, self.free)):
            raise ValueError("a source needs one of value, percent, idle, used, free, builtin")
        if self.meaning and self.value is None:
            raise ValueError("meaning needs value")
        if self.text is not None and groups_of(self.text) < 1:
            raise ValueError("text needs a group around the number")
        if self.name_text is not None and groups_of(self.name_text) < 1:
            raise ValueError("name_text needs a group around the name")
        if self.each and (self.text is None or self.value is None):
            raise ValueError("each needs value and text")
        for term in terms_of(self):
            if isinstance(term, str):
                check_column(term)


class VitalSources(_Strict, frozen=True):
    """The sources of one vital sign, in order of preference; what is unset is as `VITALS` has it."""

    sources: tuple[Source, ...] = ()
    combine: Literal["first", "all"] | None = None
    """Sources to use: the first that gives anything, or all of them."""
    whole: Whole | None = None
    """Way in which the rows make the number of the whole device."""
    standard: bool | Literal["besides"] = True
    """True where the standard MIBs are asked if no source gives anything; `besides`: in any case."""


class Reported(Lookup, frozen=True):
    """A number of an interface with a factor, meanings, or a column of another table."""

    key: str = "index"
    multiply: Number = 1
    meaning: dict[int, Annotated[int, Meta(ge=0)]] = {}
    """Numbers that the device's values mean, by value; one that is not listed says nothing."""


InterfaceNumber = Literal[
    "bytes_in", "bytes_out", "errors_in", "errors_out", "discards_in", "discards_out", "speed", "oper_status"
]
INTERFACE_NUMBERS: tuple[InterfaceNumber, ...] = (
    "bytes_in", "bytes_out", "errors_in", "errors_out", "discards_in", "discards_out", "speed", "oper_status"
)  # fmt: skip
"""Names of an interface's numbers, in the order in which rows are looked for."""


class InterfaceSource(_Strict, frozen=True):
    """One table, or some scalars, in which a vendor counts what IF-MIB should count; a row is an interface.

    A row's numbers replace those of the IF-MIB interface that it is of; one that is of none, but has a name,
    is an interface of its own.
    """

    bytes_in: str | Reported | None = None
    bytes_out: str | Reported | None = None
    errors_in: str | Reported | None = None
    errors_out: str | Reported | None = None
    discards_in: str | Reported | None = None
    discards_out: str | Reported | None = None
    speed: str | Reported | Number | None = None
    """Speed in bits per second; a number where all interfaces have one speed."""
    oper_status: str | Reported | None = None
    """State as IF-MIB numbers it: 1 up, 2 down, 3 testing, 4 unknown, 5 dormant, 6 notPresent, 7
    lowerLayerDown."""
    high_words: dict[ColumnText, ColumnText] = {}
    """Columns with the high 32 bits of a number, by the column with the low ones."""
    where: tuple[Filter, ...] = ()
    if_index: str | Lookup | None = None
    """The interface's ifIndex: `index`, `index[N]`, or a column."""
    interface: str | None = None
    """The interface's ifName or ifDescr, in place of `if_index`."""
    instance: str | Lookup | None = None
    """The interface's name, instead of IF-MIB's: a column, or a text with `{index}`, `{index[0]}`, `{name}`.
    Without `if_index` and `interface`, the row is of the interface of this name."""
    name: str | Lookup | None = None
    """The column behind `{name}`."""

    def __post_init__(self) -> None:
        if not interface_numbers_of(self):
            raise ValueError(f"an interface source needs one of {', '.join(INTERFACE_NUMBERS)}")
        if self.if_index is not None and self.interface is not None:
            raise ValueError("if_index and interface are two ways of finding one: give one of them")
        if self.if_index is None and self.interface is None and self.instance is None:
            raise ValueError("if_index, interface or instance is needed to find a row's interface")
        for term in interface_numbers_of(self).values():
            if isinstance(term, str):
                check_column(term)
        if isinstance(self.if_index, str) and not re.fullmatch(r"index(\[-?\d+\])?", self.if_index):
            check_column(self.if_index)
        if isinstance(self.oper_status, Reported) and not OPER_STATES.issuperset(
            self.oper_status.meaning.values()
        ):
            raise ValueError("oper_status means 1 to 7, as ifOperStatus does")


class Match(_Strict, frozen=True):
    """Conditions that select a profile: the longest sysObjectID prefix wins, then the most conditions."""

    sysobjectid: tuple[Annotated[str, Meta(pattern=r"^(\d+(\.\d+)*)?$")], ...] = ("",)
    """Prefixes of sysObjectID; the empty one matches any."""
    sysdescr: str | None = None
    """A regular expression searched in sysDescr, upper and lower case alike."""
    not_sysdescr: str | None = None
    probe: ColumnText | None = None
    """Scalar that the device must have."""
    probe_matches: str | None = None
    """A regular expression that must be found in the value of `probe`."""

    def __post_init__(self) -> None:
        for pattern in (self.sysdescr, self.not_sysdescr, self.probe_matches):
            groups_of(pattern)
        if self.sysobjectid == ("",) and self.sysdescr is None and self.probe is None:
            raise ValueError("a match needs sysobjectid, sysdescr or probe")

    @property
    def conditions(self) -> int:
        return (self.sysdescr is not None) + (self.not_sysdescr is not None) + 3 * (self.probe is not None)


class Known(_Strict, frozen=True):
    """A device that says nothing beyond the standard MIBs: what it is, and what selects it."""

    description: Annotated[str, Meta(min_length=1)]
    match: Annotated[tuple[Match, ...], Meta(min_length=1)]
    lacks: tuple[SectionName, ...] = ()
    """Vital signs that the vendor's MIBs do not have either, so that nobody has to look again."""
    source: str = ""
    """MIB or document in which `lacks` was looked up."""

    def __post_init__(self) -> None:
        if self.lacks and not self.source:
            raise ValueError("lacks needs source: the MIB or document that was read")


class _Profile(_Strict, frozen=True):
    """One kind of device, complete: what it extends has been merged in."""

    name: str
    description: str = ""
    match: tuple[Match, ...] = ()
    extends: tuple[str, ...] = ()
    lacks: tuple[SectionName, ...] = ()
    source: str = ""
    """MIB or document in which `lacks` was looked up; of a known device only."""
    interfaces: tuple[InterfaceSource, ...] = ()
    example: tuple[Example, ...] = ()
    """Examples of the profile's devices; the index leaves them out."""

    def section(self, name: SectionName) -> VitalSources:
        """Return the sources of this vital sign."""
        section: VitalSources = getattr(self, name)
        return section


if TYPE_CHECKING:
    Profile = _Profile
else:  # with a field for each row of VITALS
    Profile = msgspec.defstruct(
        "Profile",
        [(name, VitalSources, VitalSources()) for name in SECTIONS],
        bases=(_Profile,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )


def groups_of(pattern: str | None) -> int:
    """Return how many groups a regular expression has; raise ValueError where it is not supported."""
    return compiled(pattern or "").groups


def check_column(text: str) -> None:
    """Raise ValueError where a text is no column."""
    if not re.fullmatch(_COLUMN, text):
        raise ValueError(f"{text!r} is no column: write 'OID objectName'")


def terms_of(source: Source) -> list[Term]:
    """Return every number that a source reads, in the order in which rows are looked for."""
    terms: list[Term] = []
    for given in (source.value, source.percent, source.idle, source.used, source.free):
        if isinstance(given, tuple):
            terms += given
        elif given is not None:
            terms.append(given)
    terms += [t for t in (source.total, source.unit) if isinstance(t, str | Lookup)]
    if source.exponent is not None:
        powers = (source.exponent.scale, source.exponent.precision, source.exponent.power)
        terms += [t for t in powers if t is not None]
    return terms


def interface_numbers_of(source: InterfaceSource) -> dict[InterfaceNumber, str | Reported | Number]:
    """Return the terms that a source reads, by the interface's number that each gives."""
    given: dict[InterfaceNumber, str | Reported | Number | None] = {
        name: getattr(source, name) for name in INTERFACE_NUMBERS
    }
    return {name: term for name, term in given.items() if term is not None}


@lru_cache(maxsize=8192)
def oid_of(column: str) -> str:
    """Return the OID of `OID name`."""
    return column.partition(" ")[0]


_HOST_RESOURCES_STORAGE = (
    "1.3.6.1.2.1.25.2.3.1.2 hrStorageType",
    "1.3.6.1.2.1.25.2.3.1.3 hrStorageDescr",
    "1.3.6.1.2.1.25.2.3.1.4 hrStorageAllocationUnits",
    "1.3.6.1.2.1.25.2.3.1.5 hrStorageSize",
    "1.3.6.1.2.1.25.2.3.1.6 hrStorageUsed",
)


def references_of(source: Source | InterfaceSource) -> list[str]:
    """Return every object (`OID name`) that a source needs, once each."""
    terms: list[Term | None] = [*source.high_words.values(), source.instance, source.name]
    rules = source.where
    if isinstance(source, InterfaceSource):
        numbers = interface_numbers_of(source).values()
        terms = [*(t for t in numbers if isinstance(t, str | Reported)), *terms, source.if_index]
    elif source.builtin:
        return list(_HOST_RESOURCES_STORAGE)
    else:
        terms = [*terms_of(source), *terms]
        rules = (*rules, source.fahrenheit) if isinstance(source.fahrenheit, Filter) else rules
    return list(dict.fromkeys(_columns_of([*terms, *(rule.column for rule in rules)])))


def _columns_of(terms: Iterable[Term | None]) -> Iterator[str]:
    for term in terms:
        if isinstance(term, Lookup):
            yield from (text for text in (term.column, term.key) if text.startswith("1."))
        elif term is not None and term.startswith("1."):
            yield term
