"""Run the same queries in one PowerShell script, for hosts whose WMI is closed to WS-Management.

It starts a process on the host, needs PowerShell 3 there, and an account that may log in to a shell, an
administrator as a rule. Used only where `winrm.powershell` says so.
"""

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

import msgspec
from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol

from netvitals.collectors.winrm.faults import NoSuchClass, QueryFault, WinrmFault
from netvitals.collectors.winrm.queries import CPU, SECTIONS, WmiQuery
from netvitals.collectors.winrm.rows import WmiRow
from netvitals.collectors.winrm.session import Session
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import first_line

MOST_BYTES = 1024 * 1024
"""Bytes that the script may print; with two thousand network adapters it prints half of them."""
MOST_VALUES = 100_000
"""Names, texts and rows in the report; each takes many times its length in memory."""
_CLEAN_UP_SECONDS = 1.5
_IDLE = "PT60S"
"""Time after which the host itself ends a shell that is not used any more, as an ISO 8601 duration."""
_AGAIN = "#2"
_UTF_8 = 65001
_HEAD = """\
$ProgressPreference='SilentlyContinue';$ErrorActionPreference='Stop'
[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false
$r=@{};$e=@{}
function q($k,$w){try{$r[$k]=@(Get-CimInstance -Query $w -OperationTimeoutSec 8|ForEach-Object{$h=@{}
foreach($p in $_.CimInstanceProperties){$v=$p.Value
if($v -is [datetime]){$v=$v.ToUniversalTime().ToString('o')}
if($v -ne $null -and $v -isnot [array]){$h[$p.Name]=[string]$v}};$h})}catch{$e[$k]=$_.FullyQualifiedErrorId}}
"""
_TAIL = "'@@'+(@{rows=$r;errors=$e}|ConvertTo-Json -Compress -Depth 5)+'@@'\n"
_UNKNOWN = ("0x80041010", "0x8004100e", "0x80041017")
_DENIED = ("0x80041003", "0x80070005")


class _Report(msgspec.Struct):
    rows: dict[str, list[dict[str, str | None]]]
    errors: dict[str, str]


def script() -> str:
    """Return the script: every section, its second query where the first fails, CPU again after a second."""
    return _HEAD + "".join(_lines()) + _TAIL


def _lines() -> Iterator[str]:
    for section in SECTIONS:
        first, *others = section.queries
        yield _line(first)
        for query in others:
            yield f"if($e['{first.wmi_class}']){{{_line(query).strip()}}}\n"
    yield "Start-Sleep 1\n"
    for query in CPU.queries:
        yield f"if($r['{query.wmi_class}']){{{_line(query, _AGAIN).strip()}}}\n"


def _line(query: WmiQuery, suffix: str = "") -> str:
    return f"q '{query.wmi_class}{suffix}' \"{query.wql}\"\n"


class PowershellAnswers:
    """Answers queries from the script's report as the host would; the second time with the second sample."""

    def __init__(self, report: Mapping[str, list[WmiRow]], errors: Mapping[str, str]) -> None:
        self._rows = dict(report)
        self._errors = {name: text.lower() for name, text in errors.items()}

    def rows(self, query: WmiQuery) -> list[WmiRow]:
        """Return the rows of a query.

        Raises:
            QueryFault: the host could not tell.
        """
        name = query.wmi_class
        for key in (name, name + _AGAIN):
            if key in self._rows:
                return self._rows.pop(key)
        error = self._errors.get(name, "")
        if any(code in error for code in _UNKNOWN):
            raise NoSuchClass(first_line(error))
        if any(code in error for code in _DENIED):
            raise QueryFault(Reason.AUTH, "the account may not read WMI from PowerShell either")
        raise QueryFault(Reason.PROTOCOL, f"PowerShell says: {first_line(error) or 'nothing'}")


def answers_of(output: bytes, time_ns: int) -> PowershellAnswers:
    """Read what the script printed, whatever a profile printed before it.

    Raises:
        WinrmFault: it is not there.
    """
    text = output.decode("utf-8-sig", "replace")
    if text.count('"') // 2 + text.count("{") > MOST_VALUES:
        raise WinrmFault(Reason.PROTOCOL, f"PowerShell reports more than {MOST_VALUES} values")
    start, end = text.find("@@{"), text.rfind("}@@")
    try:
        report = msgspec.json.decode(text[start + 2 : end + 1] if 0 <= start < end else "", type=_Report)
    except msgspec.DecodeError:
        raise WinrmFault(
            Reason.PROTOCOL,
            f"PowerShell gave no report ({first_line(text) or 'no output'}): it needs version 3",
        ) from None
    rows = {name: [WmiRow(values, time_ns) for values in found] for name, found in report.rows.items()}
    return PowershellAnswers(rows, report.errors)


def run(session: Session, deadline: float) -> PowershellAnswers:
    """Run the script in a shell that is gone afterwards; `deadline` is on `time.monotonic`'s clock.

    Raises:
        WinrmFault: there is no report.
    """
    encoded = base64.b64encode(script().encode("utf-16-le")).decode()
    arguments = ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand", encoded]
    with session.translated() as protocol:
        shell = protocol.open_shell(noprofile=True, codepage=_UTF_8, idle_timeout=_IDLE)
        command = None
        try:
            command = protocol.run_command(shell, "powershell.exe", arguments)
            output, errors = _output(protocol, shell, command, deadline - _CLEAN_UP_SECONDS)
        finally:
            with suppress(Exception):  # an error before this is the one to report
                if command is not None:
                    protocol.cleanup_command(shell, command)
            with suppress(Exception):
                protocol.close_shell(shell, close_session=False)
    return answers_of(output or errors, time.time_ns())


def _output(protocol: Protocol, shell: str, command: str, deadline: float) -> tuple[bytes, bytes]:
    """Return standard output and error, with limits: pywinrm's own loop ends only when the command does."""
    output, errors, done = b"", b"", False
    patience = protocol.operation_timeout_sec
    while not done:
        left = deadline - time.monotonic()
        if left <= 0:
            raise WinrmFault(Reason.TIMEOUT, "PowerShell did not finish in the device's time limit")
        protocol.operation_timeout_sec = max(1, min(patience, int(left)))
        with suppress(WinRMOperationTimeoutError):  # no output yet
            more, complaint, _, done = protocol.get_command_output_raw(shell, command)
            output, errors = output + more, errors + complaint
        if len(output) + len(errors) > MOST_BYTES:
            raise WinrmFault(Reason.PROTOCOL, f"PowerShell printed more than {MOST_BYTES} bytes")
    return output, errors
