r"""Encode points in line protocol, whatever characters devices put into names.

Tag values keep their text, with four exceptions. A comma, an equals sign and a space are escaped with a
backslash, as the protocol says. Backslashes and control characters, which the versions of InfluxDB read
in different ways, and lone surrogates, which are no UTF-8, are percent-encoded (`C:\` is stored as
`C:%5C`). An empty tag is left out, as InfluxDB takes none. A value longer than 200 characters is cut, and
ends in a checksum of the whole, so that two long names stay two series.

The field `value` is a float for every metric: InfluxDB keeps one type per field of a measurement, whatever
the tags, and refuses the lines of the other type (seen: 1.6.7, "field type conflict"). Counters and states
are written in all their digits, without the `i` of an integer: a line holds them exactly, up to the 2^64 - 1
of SNMP's Counter64 that a signed integer could not hold. InfluxDB rounds them to a double: exact up to 2^53
(9 PB), to 2048 at 2^64, far below what a rate over a poll interval can show.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from zlib import crc32

from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.point import Point
from netvitals.domain.text import printable

MAX_NAME_CHARACTERS = 200
_MEASURES = frozenset(name for name, spec in METRICS.items() if spec.kind == "measure")
_SPECIAL = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]|[,= ]")


def encode(device_id: str, points: Iterable[Point]) -> list[str]:
    """Encode a device's points as lines of measurement `device_metrics`; its id is not empty.

    The points are those that `point.fault_of` finds nothing wrong with.
    """
    device = f"device_id={tag_value(device_id)}"
    return [_metric_line(device, point) for point in points]


def status_line(device_id: str, status: str, up: int, time_ns: int) -> str:
    """Encode a device's status as a line of measurement `device_status`; `device_id` is not empty."""
    fields = f'status="{_string_field(status)}",up={int(up)}i'
    return f"device_status,device_id={tag_value(device_id)} {fields} {time_ns}"


def encode_interfaces(device_id: str, interfaces: Iterable[InterfaceInfo], time_ns: int) -> list[str]:
    """Encode the texts about a device's interfaces as lines of measurement `interface_info`."""
    device = f"device_id={tag_value(device_id)}"
    return [_interface_line(device, info, time_ns) for info in interfaces]


@lru_cache(maxsize=8192)  # many devices name their interfaces alike, and each has many metrics
def tag_value(text: str) -> str:
    """Return the text of a tag, escaped for a line; empty where the tag has to be left out."""
    if len(text) > MAX_NAME_CHARACTERS:
        checksum = crc32(text.encode(errors="surrogatepass"))
        text = f"{text[: MAX_NAME_CHARACTERS - 9]}~{checksum:08x}"
    return _SPECIAL.sub(_escaped, text) if _SPECIAL.search(text) else text


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in ",= ":
        return "\\" + character
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))


def _string_field(text: str) -> str:
    text = printable(text, MAX_NAME_CHARACTERS)
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _interface_line(device: str, info: InterfaceInfo, time_ns: int) -> str:
    if_index = "" if info.if_index is None else f",if_index={info.if_index}i"
    fields = f'description="{_string_field(info.description)}",type="{_string_field(info.type)}"'
    return f"interface_info,{device},instance={tag_value(info.instance)} {fields}{if_index} {time_ns}"


def _metric_line(device: str, point: Point) -> str:
    """Encode a point, tags and fields in the order of their keys: the same point is always the same line."""
    name, value = point.metric_name, point.value
    alias = f"alias={tag_value(point.alias)}," if point.alias else ""
    instance = f",instance={tag_value(point.instance)}" if point.instance else ""
    number = float(value) if name in _MEASURES else int(value)
    tags = f"{alias}{device}{instance},metric_name={name}"
    return f"device_metrics,{tags} value={number!r} {point.time_ns}"
