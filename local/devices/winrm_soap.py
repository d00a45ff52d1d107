"""WS-Management as Windows speaks it ([MS-WSMV], DSP0226): enumerations of WQL, and shells.

The answers' shape is that of recorded Windows Server 2003, 2008 and 2012 hosts.
"""

import base64
import re
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from local.devices.winrm_machine import TIMED_OUT, Fault, Machine, Row, Selected

_S = "http://www.w3.org/2003/05/soap-envelope"
_A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
_W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_X = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_F = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
_WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
_DIALECT = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_OUTPUT_CHUNK = 20_000


class Service:
    """One host's WinRM service, behind HTTP and the login.

    `first_rows` is how many rows the answer to Enumerate holds where there are several: 1 on Windows 2008
    and 2012, 0 on 2003. `page_rows` is how many one Pull brings, at most.
    """

    def __init__(self, machine: Machine, *, first_rows: int = 1, page_rows: int = 100) -> None:
        self.machine = machine
        self.first_rows, self.page_rows = first_rows, page_rows
        self.never_ends = False
        """Every enumeration has one more page."""
        self.hangs_in_shell = False
        self.actions: list[str] = []
        """What was asked of it: `Enumerate`, `Pull`, `Create`, …"""
        self.queries: list[str] = []
        self.shells: dict[str, dict[str, bytes]] = {}
        """Those that are open, and what their commands have still to print."""
        self._contexts: dict[str, tuple[Selected, list[Row]]] = {}

    def answer(self, message: bytes) -> tuple[int, bytes]:
        """Return the HTTP status and the envelope that answers this one."""
        root = ET.fromstring(message)  # noqa: S314, our own client's
        header, body = root.find(f"{{{_S}}}Header"), root.find(f"{{{_S}}}Body")
        if header is None or body is None:
            return 400, b""
        action = (header.findtext(f"{{{_A}}}Action") or "").rpartition("/")[2]
        relates = header.findtext(f"{{{_A}}}MessageID") or ""
        self.actions.append(action)
        try:
            content = self._dispatch(action, header, body)
        except Fault as fault:
            return 500, _envelope("fault", relates, _fault(fault))
        return 200, _envelope(f"{action}Response", relates, content)

    def _dispatch(self, action: str, header: ET.Element, body: ET.Element) -> str:
        selector = header.findtext(f".//{{{_W}}}Selector") or ""
        answers: dict[str, Callable[[], str]] = {
            "Enumerate": lambda: self._enumerate(body),
            "Pull": lambda: self._pull(body),
            "Create": self._create,
            "Command": lambda: self._command(selector, body),
            "Receive": lambda: self._receive(selector, body),
            "Signal": lambda: "<rsp:SignalResponse/>",
            "Delete": lambda: self._delete(selector),
        }
        if action not in answers:
            raise Fault("a:ActionNotSupported", 0x80338000, "The action is not supported by the service. ")
        return answers[action]()

    def _enumerate(self, body: ET.Element) -> str:
        filter_ = body.find(f".//{{{_W}}}Filter")
        if filter_ is None or filter_.get("Dialect") != _DIALECT:
            raise Fault("n:FilterDialectRequestedUnavailable", 0x80338033, "A WQL filter is required. ")
        self.queries.append(filter_.text or "")
        selected = self.machine.select(filter_.text or "")
        first = len(selected.rows) if len(selected.rows) == 1 and self.first_rows else self.first_rows
        context, end = self._rest(selected, selected.rows[first:], "w")
        items = _items(selected, selected.rows[:first], "w") if first else ""
        return f"<n:EnumerateResponse>{context}{items}{end}</n:EnumerateResponse>"

    def _pull(self, body: ET.Element) -> str:
        name = (body.findtext(f".//{{{_N}}}EnumerationContext") or "").removeprefix("uuid:")
        if name not in self._contexts:
            raise Fault("n:InvalidEnumerationContext", 0x80338002, "The supplied context is invalid. ")
        selected, rows = self._contexts.pop(name)
        context, end = self._rest(selected, rows[self.page_rows :], "n")
        items = _items(selected, rows[: self.page_rows], "n")
        return f"<n:PullResponse>{context}{items}{end}</n:PullResponse>"

    def _rest(self, selected: Selected, rows: list[Row], prefix: str) -> tuple[str, str]:
        """Return a new enumeration context and the end mark for the rows that are left."""
        if not rows and not self.never_ends:
            return "<n:EnumerationContext/>", f"<{prefix}:EndOfSequence/>"
        name = str(uuid.uuid4()).upper()
        self._contexts[name] = (selected, rows)
        return f"<n:EnumerationContext>uuid:{name}</n:EnumerationContext>", ""

    def _create(self) -> str:
        name = str(uuid.uuid4()).upper()
        self.shells[name] = {}
        return (
            "<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{name}</w:Selector>'
            "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
        )

    def _command(self, shell: str, body: ET.Element) -> str:
        line = "".join(element.text or "" for element in body.iter())
        encoded = re.search(r"-EncodedCommand ([A-Za-z0-9+/=]+)", line)
        script = base64.b64decode(encoded[1]).decode("utf-16-le") if encoded else ""
        name = str(uuid.uuid4()).upper()
        self.shells[shell][name] = self.machine.powershell(script)
        return f"<rsp:CommandResponse><rsp:CommandId>{name}</rsp:CommandId></rsp:CommandResponse>"

    def _delete(self, shell: str) -> str:
        self.shells.pop(shell, None)
        return ""

    def _receive(self, shell: str, body: ET.Element) -> str:
        stream = body.find(f".//{{{_RSP}}}DesiredStream")
        name = str(stream.get("CommandId")) if stream is not None else ""
        if self.hangs_in_shell:
            time.sleep(0.5)
            raise TIMED_OUT
        output = self.shells[shell][name]
        self.shells[shell][name] = output[_OUTPUT_CHUNK:]
        chunk = base64.b64encode(output[:_OUTPUT_CHUNK]).decode()
        ended = len(output) <= _OUTPUT_CHUNK
        state, code = ("Done", "<rsp:ExitCode>0</rsp:ExitCode>") if ended else ("Running", "")
        return (
            f'<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="{name}">{chunk}</rsp:Stream>'
            f'<rsp:CommandState CommandId="{name}" State="{_RSP}/CommandState/{state}">{code}'
            "</rsp:CommandState></rsp:ReceiveResponse>"
        )


def _items(selected: Selected, rows: Sequence[Row], prefix: str) -> str:
    return f"<{prefix}:Items>{''.join(_item(selected, row) for row in rows)}</{prefix}:Items>"


def _item(selected: Selected, row: Row) -> str:
    spaces = f'xmlns:xsi="{_XSI}" xmlns:cim="{_CIM}"'
    if not selected.whole:
        content = "".join(_property("", key, value) for key, value in row.items())
        return f'<w:XmlFragment {spaces} xmlns:w="{_W}">{content}</w:XmlFragment>'
    name, content = selected.wmi_class, "".join(_property("p:", key, value) for key, value in row.items())
    return f'<p:{name} {spaces} xmlns:p="{_WMI}/{name}" xsi:type="p:{name}_Type">{content}</p:{name}>'


def _property(prefix: str, key: str, value: Any) -> str:
    tag = prefix + key
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if isinstance(value, list | tuple):
        return "".join(_property(prefix, key, each) for each in value)
    if key.endswith("Time") and isinstance(value, str) and "T" in value:
        return f"<{tag}><cim:Datetime>{value}</cim:Datetime></{tag}>"
    return f"<{tag}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{tag}>"


def _envelope(action: str, relates: str, content: str) -> bytes:
    spaces = {"s": _S, "a": _A, "x": _X, "n": _N, "w": _W, "rsp": _RSP}
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in spaces.items())
    return (
        f'<s:Envelope xml:lang="en-US" {declared}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><a:RelatesTo>{relates}</a:RelatesTo></s:Header>"
        f"<s:Body>{content}</s:Body></s:Envelope>"
    ).encode()


def _fault(fault: Fault) -> str:
    text = escape(str(fault))
    own = (
        f'<p:MSFT_WmiError xmlns:p="{_WMI_ERROR}"><p:error_Code>{fault.wmi}</p:error_Code></p:MSFT_WmiError>'
        if fault.wmi
        else ""
    )
    return (
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault xmlns:f="{_F}" Code="{fault.code}" Machine="host"><f:Message>{text}</f:Message>'
        f"</f:WSManFault>{own}</s:Detail></s:Fault>"
    )
