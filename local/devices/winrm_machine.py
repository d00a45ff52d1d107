"""The WMI classes of a simulated Windows host, and the part of WQL that the collector uses."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

type Row = Mapping[str, Any]
"""A property is a text, a number, a bool, a list of them, or None; `Time` at its end makes it a date."""

_SELECT = re.compile(
    r"\s*select\s+(.+?)\s+from\s+(\w+)(?:\s+where\s+(\w+)\s*=\s*'?(.+?)'?)?\s*", re.IGNORECASE
)
_SCRIPTED = re.compile(r"""q '([^']+)' "([^"]+)\"""")
_FRAMED = "Windows PowerShell\r\n@@%s@@\r\n"


class Fault(Exception):
    """A SOAP fault: WS-Management's subcode and code, and WMI's own code where it comes from there."""

    def __init__(self, subcode: str, code: int, text: str, wmi: int | None = None) -> None:
        super().__init__(text)
        self.subcode, self.code, self.wmi = subcode, code, wmi


ACCESS_DENIED = Fault("w:AccessDenied", 5, "Access is denied. ")
QUOTA = Fault(
    "w:QuotaLimit",
    0x803381A6,
    "The WS-Management service cannot process the request. "
    "The maximum number of concurrent operations for this user has been exceeded. ",
)
TIMED_OUT = Fault(
    "w:TimedOut",
    0x80338029,
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout. ",
)


class Selected(NamedTuple):
    wmi_class: str
    whole: bool
    """`SELECT *`: whole instances, no fragments."""
    rows: list[Row]


class Machine:
    """`tables` holds the rows of each class, a function that makes them, or the fault that it answers."""

    def __init__(self, tables: Mapping[str, Sequence[Row] | Callable[[], Sequence[Row]] | Fault]) -> None:
        self.tables = dict(tables)

    def select(self, wql: str) -> Selected:
        """Raises Fault, as Windows does."""
        match = _SELECT.fullmatch(wql)
        if match is None:
            raise Fault("w:CannotProcessFilter", 0x80338000, "The WQL query is invalid. ", 0x80041017)
        columns, name, key, wanted = match.groups()
        table = self._table(name)
        rows = [row for row in table if key is None or str(row.get(key)) == wanted]
        if columns == "*":
            return Selected(name, True, rows)  # noqa: FBT003, a tuple's field
        names = [column.strip() for column in columns.split(",")]
        if any(set(names) - set(row) for row in table):
            raise Fault("w:CannotProcessFilter", 0x80338000, "Invalid query ", 0x80041017)
        return Selected(name, False, [{each: row[each] for each in names} for row in rows])  # noqa: FBT003, as above

    def _table(self, name: str) -> Sequence[Row]:
        table = self.tables.get(name)
        if table is None:
            text = (
                "The WS-Management service cannot process the request. "
                f"The class {name} does not exist in the root/cimv2 namespace. "
            )
            raise Fault("a:DestinationUnreachable", 0x8033801A, text, 0x80041010)
        if isinstance(table, Fault):
            raise table
        return table() if callable(table) else table

    def powershell(self, script: str) -> bytes:
        """Return what the collector's script prints, with its queries answered here."""
        rows: dict[str, list[dict[str, str]]] = {}
        errors: dict[str, str] = {}
        for key, wql in self._lines(script, errors):
            try:
                found = self.select(wql).rows
            except Fault as fault:
                errors[key] = f"HRESULT 0x{fault.wmi or 0x80070005:08x},GetCimInstanceCommand"
            else:
                rows[key] = [{k: str(v) for k, v in row.items() if v is not None} for row in found]
        return (_FRAMED % json.dumps({"rows": rows, "errors": errors})).encode()

    @staticmethod
    def _lines(script: str, errors: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for line in script.splitlines():
            condition = re.match(r"if\(\$([er])\['(\w+)'\]\)", line)
            if condition and (condition[2] in errors) != (condition[1] == "e"):
                continue
            found = _SCRIPTED.search(line)
            if found:
                yield found[1], found[2]
