"""Coverage-guided fuzzing of all that reads WinRM's answers: rows of WMI, SOAP faults, PowerShell's report.

Run as `python tests/faults/fuzz_winrm_xml.py MINUTES [-runs=N …]`, with `tests` and the project on
PYTHONPATH and any options of libFuzzer: it begins with a simulated host's answers. Only faults that say
what is wrong with the host may come out, every point is one that can be stored, and no answer takes more
than its share of processor time.
"""

import copy
import random
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import atheris

with atheris.instrument_imports(include=["netvitals.collectors.winrm", "netvitals.domain"]):
    from netvitals.collectors.winrm.envelope import MOST_DEPTH, MOST_ELEMENTS, tree_of
    from netvitals.collectors.winrm.faults import WinrmFault
    from netvitals.collectors.winrm.powershell import answers_of
    from netvitals.collectors.winrm.queries import SECTIONS, WmiQuery
    from netvitals.collectors.winrm.rows import LONGEST_VALUE, MOST_PROPERTIES, WmiRow, page_of
    from netvitals.collectors.winrm.session import _of_protocol
    from netvitals.collectors.winrm.survey import Survey, WinrmMemory
    from netvitals.collectors.winrm.wql import rows_of

from faults.libfuzzer import check_reading, fuzz
from winrm.exceptions import WinRMTransportError
from winrm.protocol import Protocol

from fixtures.windows import windows
from local.devices.winrm_machine import ACCESS_DENIED
from local.devices.winrm_soap import Service
from netvitals.domain.polling.observation import Reading

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
BYTES_SHARE = 0.3
"""Of all inputs, those in which bytes are changed and not elements."""
TEXTS = (
    *("", "_Total", "-1", "0", "18446744073709551616", "9" * 400, "1e400", "nan", "\x9b31m", "\u202e"),
    *(
        "20261126120000.000000+060",
        "00000000000000.000000-999",
        "2026-11-26T12:00:00Z",
        "9999-99-99T99:99:99Z",
    ),
)
"""In place of what an element holds."""


class _Answering:
    """pywinrm's transport, which gives the same answer to everything."""

    def __init__(self, answer: bytes, status: int) -> None:
        self._answer, self._status = answer, status

    def send_message(self, _: str) -> bytes:
        if self._status != 200:
            raise WinRMTransportError("http", self._status, self._answer.decode("utf-8", "replace"))
        return self._answer


def protocol_over(transport: Any) -> Protocol:
    protocol = Protocol("http://127.0.0.1/wsman", username="u", password="p")
    protocol.transport = transport
    return protocol


def _tree(data: bytes) -> None:
    try:
        root = tree_of(data)
    except ValueError:
        return
    assert sum(1 for _ in root.iter()) <= MOST_ELEMENTS
    depth, level = 0, [root]
    while level:
        depth, level = depth + 1, [child for element in level for child in element]
    assert depth <= MOST_DEPTH


def _page(data: bytes) -> None:
    try:
        page = page_of(data, 1)
    except ValueError:
        return
    for row in page.rows:
        assert len(row.values) <= MOST_PROPERTIES
        assert all(value is None or len(value) <= LONGEST_VALUE for value in row.values.values())


def _faults(data: bytes) -> None:
    """Whatever pywinrm makes of an error's body, it becomes one of our faults."""
    try:
        protocol_over(_Answering(data, 500)).send_message("")
    except Exception as error:  # noqa: BLE001, what pywinrm raises is what is looked at
        _told(_of_protocol(error, "u"))


def _whole_survey(data: bytes) -> None:
    """The same answer to every query of a poll."""
    protocol, reading = protocol_over(_Answering(data, 200)), Reading()

    def rows(query: WmiQuery) -> list[WmiRow]:
        return rows_of(protocol, query.wql)

    survey = Survey(rows, reading, WinrmMemory(), time.monotonic() + 60, pause_seconds=0)
    with suppress(WinrmFault):
        survey.run()
    check_reading(reading, "winrm", WinrmMemory)


def _report(data: bytes) -> None:
    """What PowerShell prints."""
    try:
        answers = answers_of(data, 1)
    except WinrmFault as fault:
        return _told(fault)
    for query in (query for section in SECTIONS for query in section.queries):
        try:
            answers.rows(query)
        except WinrmFault as fault:
            _told(fault)
    return None


def _told(fault: WinrmFault) -> None:
    assert str(fault).isprintable()


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """Change the tree, most of the time: changed bytes are seldom XML any more."""
    choose = random.Random(seed)
    changed: bytes = atheris.Mutate(data, max_size)
    if choose.random() < BYTES_SHARE:
        return changed
    try:
        root = ET.fromstring(data)  # noqa: S314, our own
    except ET.ParseError:
        return changed
    for _ in range(choose.randint(1, 4)):
        _change(choose.choice(list(root.iter())), choose)
    text = ET.tostring(root)
    return text if len(text) <= max_size else changed


def _change(element: ET.Element, choose: random.Random) -> None:
    children = list(element)
    what = choose.choice(("text", "again", "away", "tag", "nil"))
    if what == "text" or not children:
        element.text = choose.choice(TEXTS)
    elif what == "again":
        element.append(copy.deepcopy(choose.choice(children)))
    elif what == "away":
        element.remove(choose.choice(children))
    elif what == "tag":
        element.tag = choose.choice(children).tag
    else:
        element.set(f"{{{_XSI}}}nil", "true")


def seeds() -> Iterator[bytes]:
    """A simulated host's answers to each query, whole and paged, its faults, and PowerShell's report."""

    class Recording:
        def __init__(self, service: Service) -> None:
            self.service = service
            self.answers: list[bytes] = []

        def send_message(self, message: str) -> bytes:
            _, answer = self.service.answer(message.encode())
            self.answers.append(answer)
            return answer

    denied = windows()
    denied.tables["Win32_OperatingSystem"] = ACCESS_DENIED
    for service in (Service(windows()), Service(windows(), first_rows=0, page_rows=1), Service(denied)):
        recording = Recording(service)
        for section in SECTIONS:
            for query in section.queries:
                try:
                    rows_of(protocol_over(recording), query.wql)
                except WinrmFault:
                    continue
        yield from recording.answers
    yield b'@@{"rows":{"Win32_OperatingSystem":[{"FreePhysicalMemory":"1"}]},"errors":{"x":"0x80041010"}}@@'


def main(minutes: float, *options: str) -> int:
    checks, limits = (_tree, _page, _faults, _whole_survey, _report), ("-max_len=20000", "-len_control=0")
    return fuzz(checks, seeds(), minutes, *limits, *options, custom_mutator=mutated)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *sys.argv[2:]))
