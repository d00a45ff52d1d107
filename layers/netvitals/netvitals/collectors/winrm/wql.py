"""WQL over WS-Enumeration (DSP0226, 8; [MS-WSMV] 2.2.4): Enumerate, and Pull until there is no more.

No process is started on the device, and a query that is not read to its end ends by itself.
"""

import time
from typing import Any

import xmltodict
from winrm.protocol import Protocol

from netvitals.collectors.winrm.faults import QueryFault
from netvitals.collectors.winrm.rows import NAMESPACE, Page, Row, page_of
from netvitals.domain.observation import Reason

_RESOURCE = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"
_DIALECT = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_MOST_ELEMENTS = "32000"
MOST_PULLS = 50
MOST_ROWS = 5000


def rows_of(protocol: Protocol, query: str) -> list[Row]:
    """All rows of a query. What pywinrm raises goes through.

    Raises:
        QueryFault: the answers make no sense, or do not end.
    """
    page = _asked(protocol, "Enumerate", {
        "w:OptimizeEnumeration": None,
        "w:MaxElements": _MOST_ELEMENTS,
        "w:Filter": {"@Dialect": _DIALECT, "#text": query},
    })  # fmt: skip
    rows, pulls = page.rows, 0
    while page.context is not None:
        pulls += 1
        if pulls > MOST_PULLS or len(rows) > MOST_ROWS:
            raise QueryFault(Reason.PROTOCOL, "its answer does not come to an end")
        # The first answer of Windows holds one row, or none, however many are asked for.
        page = _asked(
            protocol, "Pull", {"n:EnumerationContext": page.context, "n:MaxElements": _MOST_ELEMENTS}
        )
        rows = rows + page.rows
    return rows


def _asked(protocol: Protocol, action: str, body: dict[str, Any]) -> Page:
    envelope = protocol.build_wsman_header(f"{NAMESPACE}/{action}", _RESOURCE)
    message = xmltodict.unparse({"env:Envelope": envelope | {"env:Body": {f"n:{action}": body}}})
    answer = protocol.send_message(message)
    try:
        return page_of(answer, time.time_ns())
    except ValueError as error:
        raise QueryFault(Reason.PROTOCOL, str(error)) from None
