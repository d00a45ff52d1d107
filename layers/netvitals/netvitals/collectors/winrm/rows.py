"""Read the rows in the answers of Windows to a WQL query."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from netvitals.collectors.winrm.envelope import tree_of

NAMESPACE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TRUE = {"true", "1"}
MOST_PROPERTIES = 256
"""Properties of one row; the classes that are asked for have a third of this."""
LONGEST_VALUE = 1024
"""Characters of one value; a longer one is cut."""


class WmiRow(NamedTuple):
    """An instance of a class, or the properties of it that were asked for."""

    values: Mapping[str, str | None]
    """Values by property: None where the host has none (`xsi:nil`), of an array only the first element."""
    time_ns: int
    """Time at which the response that carries it arrived, in nanoseconds since the epoch."""


class Page(NamedTuple):
    """One answer to Enumerate or Pull."""

    rows: list[WmiRow]
    context: str | None
    """Context with which the next Pull goes on, another one each time; None where this was the last
    answer."""


def page_of(answer: bytes, time_ns: int) -> Page:
    """Read one answer.

    Raises:
        ValueError: it is none to Enumerate or Pull.
    """
    root = tree_of(answer)
    response = next(
        (e for e in root.iter() if e.tag in {f"{{{NAMESPACE}}}{a}Response" for a in ("Enumerate", "Pull")}),
        None,
    )
    if response is None:
        raise ValueError("its answer is none to a query")
    rows: list[WmiRow] = []
    context, ended = "", False
    for element in response:
        # Windows has Items and EndOfSequence in one namespace for Enumerate and in another for Pull.
        match _local(element.tag):
            case "Items":
                rows += [WmiRow(_values(item), time_ns) for item in element]
            case "EnumerationContext":
                context = (element.text or "").strip()
                if len(context) > LONGEST_VALUE:  # it is sent back with each Pull
                    raise ValueError("its answer has a context of its own kind")
            case "EndOfSequence":
                ended = True
    return Page(rows, None if ended or not context else context)


def _values(item: ET.Element) -> Mapping[str, str | None]:
    """Return the properties of `p:Win32_…` (all of them) or `w:XmlFragment` (some), which hold them alike."""
    values: dict[str, str | None] = {}
    for name, value in islice(_properties(item), MOST_PROPERTIES):
        values.setdefault(name, value and value[:LONGEST_VALUE])
    return values


def _properties(item: ET.Element) -> Iterator[tuple[str, str | None]]:
    for element in item:
        name = _local(element.tag)
        if element.get(_NIL) in _TRUE:
            yield name, None
        elif len(element):  # a date stands in an element of its own, `cim:Datetime`
            yield name, element[0].text
        else:
            yield name, element.text or ""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
