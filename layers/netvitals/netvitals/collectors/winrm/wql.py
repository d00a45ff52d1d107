"""Query WQL over WS-Enumeration (DSP0226, 8; [MS-WSMV] 2.2.4): Enumerate, and Pull until the end.

No process is started on the device, and a query that is not read to its end ends by itself.
"""

import time
import uuid
from typing import Any

import xmltodict
from winrm.protocol import Protocol

from netvitals.collectors.winrm.faults import QueryFault
from netvitals.collectors.winrm.rows import NAMESPACE, Page, WmiRow, page_of
from netvitals.domain.polling.observation import Reason

_RESOURCE = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"
_DIALECT = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_MOST_ELEMENTS = "32000"
_ID, _BODY = "THE-ID", "THE-BODY"
MOST_PULLS = 50
MOST_ROWS = 2500


def rows_of(protocol: Protocol, query: str) -> list[WmiRow]:
    """Return all rows of a query; pywinrm's errors pass through.

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


_envelopes: dict[tuple[str, int], tuple[str, str]] = {}


def _envelope(protocol: Protocol, action: str) -> tuple[str, str]:
    """Return the envelope of a body but for the message's id: writing it takes longer than all the rest."""
    key = action, int(protocol.operation_timeout_sec)
    if key not in _envelopes:
        header = protocol.build_wsman_header(f"{NAMESPACE}/{action}", _RESOURCE, message_id=_ID)
        head, tail = xmltodict.unparse({"env:Envelope": header | {"env:Body": _BODY}}).split(_BODY)
        _envelopes[key] = head, tail
    return _envelopes[key]


def _asked(protocol: Protocol, action: str, body: dict[str, Any]) -> Page:
    head, tail = _envelope(protocol, action)
    content = xmltodict.unparse({f"n:{action}": body}, full_document=False)
    answer = protocol.send_message(f"{head.replace(_ID, str(uuid.uuid4()))}{content}{tail}")
    try:
        return page_of(answer, time.time_ns())
    except ValueError as error:
        raise QueryFault(Reason.PROTOCOL, str(error)) from None
